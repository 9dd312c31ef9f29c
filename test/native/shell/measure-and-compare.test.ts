// Measure and compare tasks through the door, against sums written out as the page on methods states them: every dtype,
// two dtypes, NaN and infinities, no elements, and the same bits for every chunk, thread count and instruction set.

import { ftruncateSync } from "node:fs";
import { afterAll, describe, expect, test } from "vitest";
import type { CompareTask, Engine, NativeTask, TaskResult } from "../../../native/addon-types.ts";
import { loadAddon } from "../../../native/index.ts";
import { decodeFloats, encodeFloats } from "../../support/tensors.ts";
import { payloadFile, rejection, sha256Text } from "./payload-file.ts";

const addon = loadAddon();
const engine = addon.createEngine({ threads: 2, memory: 64 << 20, chunk: 1 << 20 });
afterAll(() => {
  engine.close();
});

const DTYPES = ["F64", "F32", "F16", "BF16"];

/** Blocks of 4,096, 16 lanes each, folded in halves; block sums by adjacent pairs. */
function pairwiseSum(values: readonly number[]): number {
  let sums: number[] = [];
  for (let begin = 0; begin === 0 || begin < values.length; begin += 4096) {
    const lanes = new Array<number>(16).fill(0);
    values.slice(begin, begin + 4096).forEach((value, index) => (lanes[index % 16]! += value));
    for (let width = 8; width >= 1; width /= 2) {
      for (let j = 0; j < width; j++) lanes[j]! += lanes[j + width]!;
    }
    sums.push(lanes[0]!);
  }
  while (sums.length > 1) {
    sums = sums.flatMap((sum, index) => (index % 2 === 1 ? [] : [sum + (sums[index + 1] ?? 0)]));
  }
  return sums[0]!;
}

/** Ordinary numbers, zeros of both signs, and, unless `finite`, some NaN and infinities. */
function samples(count: number, seed: number, finite = false): number[] {
  let state = seed;
  return Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const kind = (state >>> 8) % 64;
    if (kind < 4) return kind % 2 === 0 ? 0 : -0;
    if (kind < 8 && !finite) return [NaN, Infinity, -Infinity, NaN][kind - 4]!;
    return state / 2 ** 31 - 1;
  });
}

function payload(dtype: string, values: readonly number[]): { bytes: Uint8Array; input: CompareTask["a"] } {
  const bytes = encodeFloats(dtype, values);
  return { bytes, input: { fd: payloadFile(bytes), offset: 0, dtype, shape: [values.length], digest: false } };
}

function differentElements(a: Uint8Array, b: Uint8Array, count: number): number {
  const size = a.length / count;
  let different = 0;
  for (let at = 0; at < a.length; at += size) {
    different += Buffer.from(a.buffer, a.byteOffset + at, size).equals(b.subarray(at, at + size)) ? 0 : 1;
  }
  return different;
}

function compare(on: Engine, a: CompareTask["a"], b: CompareTask["a"]): Promise<TaskResult> {
  return on.run({ kind: "compare", label: "compare", a, b });
}

describe.each(DTYPES)("%s", (dtype) => {
  test.each([0, 1, 15, 4096, 4097, 70_001])("statistics of %i elements", async (count) => {
    const { bytes, input } = payload(dtype, samples(count, 1));
    const result = await engine.run({ kind: "measure", label: "", input: { ...input, digest: true } });
    const values = decodeFloats(dtype, bytes);
    const finite = values.filter(Number.isFinite);
    const left = values.map((value) => (Number.isFinite(value) ? value : 0));
    expect(result.statistics).toEqual({
      finite: finite.length,
      zeros: finite.filter((value) => value === 0).length,
      least: finite.reduce((least, value) => Math.min(least, value), Infinity) + 0,
      largest: finite.reduce((largest, value) => Math.max(largest, value), -Infinity) + 0,
      sum: pairwiseSum(left),
      squares: pairwiseSum(left.map((value) => value * value)),
    });
    const nan = values.filter(Number.isNaN).length;
    expect(result.inputCounters).toMatchObject([{ nan, inf: count - finite.length - nan }]);
    expect(result.inputDigests).toEqual([sha256Text(bytes)]);
  });

  test.each(DTYPES)("compared with %s", async (other) => {
    const count = 20_003;
    const values = samples(count, 2);
    const a = payload(dtype, values);
    const b = payload(
      other,
      samples(count, 3).map((value, index) => (index % 3 === 0 ? value : values[index]!)),
    );
    const { comparison, inputCounters } = await compare(engine, a.input, b.input);
    const [x, y] = [decodeFloats(dtype, a.bytes), decodeFloats(other, b.bytes)];
    const stays = x.map((value, index) => Number.isFinite(value) && Number.isFinite(y[index]));
    const [p, q] = [x, y].map((side) => side.map((value, index) => (stays[index] ? value : 0)));
    const difference = p!.map((value, index) => value - q![index]!);
    const magnitudes = difference.map(Math.abs);
    expect(comparison).toEqual({
      sameBytes: false,
      different: x.filter((value, index) => value !== y[index] && !(Number.isNaN(value) && Number.isNaN(y[index])))
        .length,
      differentBits: dtype === other ? differentElements(a.bytes, b.bytes, count) : -1,
      finite: stays.filter(Boolean).length,
      largest: magnitudes.reduce((largest, value) => Math.max(largest, value), 0),
      absolute: pairwiseSum(magnitudes),
      squares: pairwiseSum(difference.map((value) => value * value)),
      aSquares: pairwiseSum(p!.map((value) => value * value)),
      bSquares: pairwiseSum(q!.map((value) => value * value)),
      product: pairwiseSum(p!.map((value, index) => value * q![index]!)),
    });
    expect(inputCounters.map(({ nan }) => nan)).toEqual([x, y].map((side) => side.filter(Number.isNaN).length));
  });

  test("of equal values only the bytes may differ", async () => {
    const canonical = payload(dtype, [NaN, 0, 1, Infinity]);
    const other = payload(dtype, [NaN, -0, 1, Infinity]);
    // The sign of the NaN, which lies last in its bytes.
    other.bytes[other.bytes.length / 4 - 1]! ^= 0x80;
    const signed = { ...other.input, fd: payloadFile(other.bytes) };
    const { comparison } = await compare(engine, canonical.input, signed);
    const equalValues = { sameBytes: false, different: 0, differentBits: 2, finite: 2, largest: 0, squares: 0 };
    expect(comparison).toMatchObject(equalValues);
    const again = await compare(engine, canonical.input, canonical.input);
    expect(again.comparison).toMatchObject({ sameBytes: true, different: 0, differentBits: 0 });
  });

  test("digests of a comparison are those of the payloads, when they are asked for", async () => {
    const [a, b] = [1, 2].map((seed) => payload(dtype, samples(30_001, seed)));
    const result = await compare(engine, { ...a!.input, digest: true }, b!.input);
    expect(result.inputDigests).toEqual([sha256Text(a!.bytes), null]);
    const both = await compare(engine, { ...a!.input, digest: true }, { ...b!.input, digest: true });
    expect(both.inputDigests).toEqual([sha256Text(a!.bytes), sha256Text(b!.bytes)]);
  });
});

test.each(["I64", "U64", "I32", "U32", "I16", "U16", "I8", "U8", "BOOL", "F8_E8M0", "C64"])(
  "%s is compared by its bits",
  async (dtype) => {
    const width = Number(/\d+/.exec(dtype.replace("F8_E8M0", "8"))?.[0] ?? 8) / 8;
    const size = width;
    const a = new Uint8Array(size * 1000);
    const b = Uint8Array.from(a);
    for (const element of [0, 500, 999]) b[element * size + size - 1] = 1;
    const input = (bytes: Uint8Array): CompareTask["a"] => ({
      fd: payloadFile(bytes),
      offset: 0,
      dtype,
      shape: [1000],
      digest: false,
    });
    const { comparison } = await compare(engine, input(a), input(b));
    expect(comparison).toMatchObject({ sameBytes: false, different: 3, differentBits: 3, finite: 0 });
    expect((await compare(engine, input(a), input(a))).comparison).toMatchObject({ sameBytes: true, different: 0 });
  },
);

test("elements of half a byte are not counted", async () => {
  const input = (bytes: number[]): CompareTask["a"] => ({
    fd: payloadFile(Uint8Array.from(bytes)),
    offset: 0,
    dtype: "F4",
    shape: [4],
    digest: false,
  });
  expect((await compare(engine, input([1, 2]), input([1, 3]))).comparison).toMatchObject({
    different: -1,
    differentBits: -1,
  });
});

test("the bits do not depend on chunk, threads or instruction set", async () => {
  const a = payload("BF16", samples(300_001, 4)).input;
  const b = payload("F32", samples(300_001, 5)).input;
  const tasks: readonly NativeTask[] = [
    { kind: "compare", label: "", a, b },
    { kind: "measure", label: "", input: { ...b, digest: true } },
  ];
  const before = process.env["THETA_ISA"];
  const found = new Set<string>();
  try {
    for (const isa of addon.variants) {
      process.env["THETA_ISA"] = isa;
      for (const [threads, chunk] of [
        [1, 64],
        [2, 4096],
        [3, 100_000],
        [2, 1 << 20],
      ] as const) {
        const one = addon.createEngine({ threads, memory: 64 << 20, chunk });
        found.add(JSON.stringify(await Promise.all(tasks.map((task) => one.run(task)))));
        expect(tasks.map((task) => one.needs(task).memory <= 64 << 20)).toEqual([true, true]);
        one.close();
      }
    }
  } finally {
    if (before === undefined) delete process.env["THETA_ISA"];
    else process.env["THETA_ISA"] = before;
  }
  expect(found.size).toBe(1);
});

describe("a result that is measured while it is written", () => {
  /** As a measure task and compare tasks over what was written tell it. */
  async function measuredAfterwards(on: Engine, output: CompareTask["a"], against: readonly CompareTask["b"][]) {
    const alone = await on.run({ kind: "measure", label: "", input: output });
    const pairs = await Promise.all(against.map((b) => compare(on, output, b)));
    return [
      { counters: alone.inputCounters, statistics: alone.statistics, digest: null },
      ...pairs.map(({ inputCounters, comparison, inputDigests }) => ({
        counters: inputCounters,
        comparison,
        digest: inputDigests[1],
      })),
    ];
  }

  test.each([
    [1, 64, "BF16", 70_001],
    [2, 1 << 20, "F32", 1_300_001],
    [2, 4096, "F64", 4097],
    [1, 1 << 20, "F16", 0],
  ] as const)("on %i threads in chunks of %i: %s", async (threads, chunk, dtype, count) => {
    const one = addon.createEngine({ threads, memory: 64 << 20, chunk });
    const inputs = [1, 2].map((seed) => ({ ...payload("F32", samples(count, seed, seed === 1)).input, digest: true }));
    const against = [payload(dtype, samples(count, 3)), payload("F32", samples(count, 4, true))].map(
      ({ input }, at) => ({
        ...input,
        digest: at === 1,
      }),
    );
    const output = { fd: payloadFile(), offset: 0, dtype, shape: [count] };
    const load = (input: number) => ({ op: "load", input, nan: "propagate" });
    const result = await one.run({
      kind: "compute",
      label: "",
      inputs,
      operations: [load(0), load(1), { op: "subtract", left: 0, right: 1 } as { op: string }],
      work: dtype === "F64" ? "F64" : "F32",
      output: { ...output, overflow: "inf" },
      measure: { alone: true, against },
    });
    expect(result.output).toEqual(await measuredAfterwards(one, { ...output, digest: false }, against));
    expect(result.output![0]!.statistics!.finite).toBeGreaterThan(count * 0.8 - 1);
    one.close();
  });

  test("of a dtype that is only copied", async () => {
    const bytes = Uint8Array.from({ length: 8000 }, (_, at) => at % 251);
    const [a, b] = [bytes, bytes.with(80, 1)].map((data) => ({
      fd: payloadFile(data),
      offset: 0,
      dtype: "I64",
      shape: [1000],
      digest: false,
    }));
    const copy = {
      kind: "compute",
      label: "",
      inputs: [a!],
      operations: [{ op: "load", input: 0, nan: "propagate" } as { op: string }],
      work: "bytes",
      output: { fd: payloadFile(), offset: 0, dtype: "I64", shape: [1000], overflow: "inf" },
    } as const;
    const { output } = await engine.run({ ...copy, measure: { alone: false, against: [b!] } });
    expect(output).toMatchObject([{ comparison: { sameBytes: false, differentBits: 1 }, digest: null }]);
    const refused = [
      [{ alone: true, against: [] }, "task.measure.alone must be false for this dtype, not true"],
      [{ alone: false, against: [{ ...b!, shape: [10, 100] }] }, "task.measure.against[0].shape must be that of a"],
    ] as const;
    for (const [measure, message] of refused) {
      expect((await rejection(engine.run({ ...copy, measure }))).message).toContain(message);
    }
  });
});

test("squares that leave float64 are infinite", async () => {
  const { comparison } = await compare(engine, payload("F64", [1e300]).input, payload("F64", [-1e300]).input);
  expect(comparison).toMatchObject({ largest: 2e300, absolute: 2e300, squares: Infinity, product: -Infinity });
});

test("a file that was cut short says where it ends", async () => {
  const { input } = payload("F32", samples(1000, 1));
  ftruncateSync(input.fd, 600);
  expect(await rejection(compare(engine, payload("F32", samples(1000, 1)).input, input))).toMatchObject({ code: "io" });
  expect(await rejection(engine.run({ kind: "measure", label: "", input: { ...input, digest: false } }))).toMatchObject(
    { code: "io" },
  );
});

test("cancelling ends a comparison", async () => {
  const { input } = payload("F32", samples(3_000_000, 1, true));
  const one = addon.createEngine({ threads: 1, memory: 64 << 20, chunk: 64 });
  const running = [1, 2, 3].map(() => rejection(compare(one, input, input)));
  setTimeout(() => one.cancel(), 20);
  for (const error of await Promise.all(running)) expect(error.code).toBe("cancelled");
  one.close();
});

const f32 = { fd: 0, offset: 0, dtype: "F32", shape: [2], digest: false };
test.each<[object, string]>([
  [{ kind: "measure" }, "task.input must be an object, not undefined"],
  [
    { kind: "measure", input: { ...f32, dtype: "I32" } },
    'task.input.dtype must be F64, F32, F16, BF16, F8_E4M3 or F8_E5M2, not "I32"',
  ],
  [{ kind: "compare", a: f32 }, "task.b must be an object, not undefined"],
  [{ kind: "compare", a: f32, b: { ...f32, shape: [1, 2] } }, "task.b.shape must be that of a, not an array"],
  [
    { kind: "compare", a: f32, b: { ...f32, dtype: "I32" } },
    'task.b.dtype must be that of a, or both floating, not "I32"',
  ],
])("refuses %o", async (task, message) => {
  const error = await rejection(engine.run(task as NativeTask));
  expect({ code: error.code, message: error.message }).toEqual({ code: "input", message });
});
