// Compute tasks through the door: programs decoded, digests of what was read and written, order, errors. What the
// arithmetic gives is tested in test/native/core.

import { createHash } from "node:crypto";
import { openSync, readSync } from "node:fs";
import { afterAll, expect, test } from "vitest";
import type { ComputeTask, NativeOperation } from "../../../native/addon-types.ts";
import { loadAddon } from "../../../native/index.ts";
import { payloadFile, rejection, sha256Text } from "./payload-file.ts";

const addon = loadAddon();
const engine = addon.createEngine({ threads: 2, memory: 64 << 20, chunk: 1 << 20 });
afterAll(() => {
  engine.close();
});

const load = (input: number): object => ({ op: "load", input, nan: "propagate" });

function floats(count: number, seed: number): Uint8Array {
  const values = new Float32Array(count);
  for (let i = 0, state = seed; i < count; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    values[i] = state / 2 ** 31;
  }
  return new Uint8Array(values.buffer);
}

function task(
  operations: readonly object[],
  inputs: readonly Uint8Array[],
  change: Partial<ComputeTask> = {},
): ComputeTask {
  const count = inputs[0]!.length / 4;
  return {
    kind: "compute",
    label: "test",
    inputs: inputs.map((bytes) => ({ fd: payloadFile(bytes), offset: 0, dtype: "F32", shape: [count], digest: true })),
    operations: operations as readonly NativeOperation[],
    work: "F32",
    output: { fd: payloadFile(), offset: 0, dtype: "F32", shape: [count], overflow: "inf" },
    ...change,
  };
}

test.each([1, 3, 255, 4096, 500_001])("subtracts tensors of %i elements and tells every digest", async (count) => {
  const inputs = [floats(count, 1), floats(count, 2)];
  const it = task([load(0), load(1), { op: "subtract", left: 0, right: 1 }], inputs);
  const result = await engine.run(it);
  const [a, b] = inputs.map((bytes) => new Float32Array(bytes.buffer));
  const wanted = Buffer.from(a!.map((value, i) => value - b![i]!).buffer);
  const output = Buffer.alloc(count * 4);
  expect(readSync(it.output.fd, output, 0, output.length, 0)).toBe(output.length);
  expect(output.equals(wanted)).toBe(true);
  expect(result.inputDigests).toEqual(inputs.map(sha256Text));
  expect(result.digest).toBe(sha256Text(output));
});

test.each([
  ["fewer", 7],
  ["no", 0],
  ["more", 70_001],
])("takes the rows that an input with %s rows has, the base's behind them", async (_, rows) => {
  const [columns, outputRows] = [5, 40_001];
  const [base, other] = [floats(outputRows * columns, 1), floats(rows * columns, 2)];
  const it = task([load(0), { op: "resize", input: 1, nan: "propagate", base: 0 }], [base, other]);
  const shaped = (count: number) => [count, columns];
  const result = await engine.run({
    ...it,
    inputs: [
      { ...it.inputs[0]!, shape: shaped(outputRows) },
      { ...it.inputs[1]!, shape: shaped(rows) },
    ],
    output: { ...it.output, shape: shaped(outputRows) },
  });
  const output = Buffer.alloc(base.length);
  expect(readSync(it.output.fd, output, 0, output.length, 0)).toBe(output.length);
  const common = Math.min(base.length, other.length);
  expect(output.equals(Buffer.concat([other.subarray(0, common), base.subarray(common)]))).toBe(true);
  // The rows that nobody looks at are part of the payload all the same.
  expect(result.inputDigests).toEqual([base, other].map(sha256Text));
});

test("digests and bytes do not depend on chunk, threads, memory or vectors", async () => {
  const inputs = [floats(700_001, 1), floats(700_001, 2), floats(700_001, 3)];
  const program = [
    ...[0, 1, 2].map(load),
    { op: "subtract", left: 1, right: 0 },
    { op: "subtract", left: 2, right: 0 },
    { op: "magnitude", of: 3, density: 0.3, per: "tensor", atLeastOne: false, tie: 2n ** 64n - 1n },
    { op: "select", of: 3, mask: 5 },
    { op: "ties", of: [6, 4], weights: [0.7, 0.6], scale: 1, elect: "weighted", divide: "weights" },
    { op: "onto", base: 0, vector: 7 },
  ];
  const digests = new Set<string>();
  const before = process.env["THETA_ISA"];
  for (const isa of addon.variants) {
    process.env["THETA_ISA"] = isa;
    for (const [threads, memory, chunk] of [
      [1, 64 << 20, 1 << 20],
      [2, 320 << 20, 64 << 20],
      [3, 64 << 20, 4096],
    ] as const) {
      const one = addon.createEngine({ threads, memory, chunk });
      const result = await one.run(task(program, inputs));
      digests.add(JSON.stringify(result));
      one.close();
    }
  }
  if (before === undefined) delete process.env["THETA_ISA"];
  else process.env["THETA_ISA"] = before;
  expect(digests.size).toBe(1);
});

test("an input that the program need not read still gets its digest", async () => {
  const inputs = [floats(100_000, 1), floats(100_000, 2)];
  const result = await engine.run(task([load(0)], inputs));
  expect(result.inputDigests).toEqual(inputs.map(sha256Text));
});

test("the largest tasks run first", async () => {
  const one = addon.createEngine({ threads: 1, memory: 64 << 20, chunk: 1 << 20 });
  const order: number[] = [];
  const sizes = [4_000_000, 1000, 300_000, 10, 100_000, 300_000];
  const tasks = sizes.map((size) => task([load(0)], [floats(size, 1)]));
  await Promise.all(
    tasks.map(async (it, i) => {
      await one.run(it);
      order.push(i);
    }),
  );
  // The thread may have begun the first before the others were there.
  expect(order).toEqual([0, 2, 5, 4, 1, 3]);
  one.close();
});

test("a task that needs more than a thread's share runs alone, and well", async () => {
  const many = addon.createEngine({ threads: 4, memory: 64 << 20, chunk: 1 << 20 });
  const inputs = Array.from({ length: 40 }, (_, i) => floats(50_000, i));
  const of = inputs.map((_, i) => i);
  const sum = { op: "sum", of, weights: of.map(() => 1), scale: 1 };
  const tasks = Array.from({ length: 6 }, () => task([...of.map(load), sum], inputs));
  const results = await Promise.all(tasks.map((it) => many.run(it)));
  expect(new Set(results.map((result) => result.digest)).size).toBe(1);
  many.close();
});

const merge = { op: "sum", of: [0, 1], weights: [1, 1], scale: 1 };
const magnitude = { op: "magnitude", of: 0, density: 0.5, per: "row", atLeastOne: false, tie: 1n };

test.each<[readonly object[], string]>([
  [[], "task.operations must be at least one operation, not an array"],
  [[{ op: "melt" }], 'task.operations[0].op must be an operation that this addon has, not "melt"'],
  [[{ op: "load", input: 2, nan: "zero" }], "task.operations[0].input must be a whole number from 0 to 1, not 2"],
  [[{ op: "load", input: 0, nan: "no" }], 'task.operations[0].nan must be one of "propagate", "zero", not "no"'],
  [
    [{ op: "negate", of: 0 }],
    "task.operations[0].of must be an earlier operation, and the first has none before it, not 0",
  ],
  [[load(0), { op: "negate", of: 1 }], "task.operations[1].of must be a whole number from 0 to 0, not 1"],
  [[load(0), { op: "multiply", of: 0, by: Infinity }], "task.operations[1].by must be a finite number, not Infinity"],
  [
    [load(0), load(1), { ...merge, weights: [1] }],
    "task.operations[2].weights must be 2 numbers, one a value, not an array",
  ],
  [[load(0), load(1), { ...merge, of: [] }], "task.operations[2].of must be at least one value, not an array"],
  [[load(0), load(1), { ...merge, weights: [1, "x"] }], 'task.operations[2].weights[1] must be a number, not "x"'],
  [[load(0), { ...magnitude, tie: 1 }], "task.operations[1].tie must be a bigint, not 1"],
  [
    [load(0), { ...magnitude, tie: 2n ** 64n }],
    "task.operations[1].tie must be a bigint from 0 to 2^64 - 1, not 18446744073709551616",
  ],
  [[load(0), { ...magnitude, tie: -1n }], "task.operations[1].tie must be a bigint from 0 to 2^64 - 1, not -1"],
  [
    [load(0), { ...magnitude, per: "model" }],
    'task.operations[1].per must be one of "row", "last", "tensor", not "model"',
  ],
  [[load(0), { ...magnitude, atLeastOne: 1 }], "task.operations[1].atLeastOne must be true or false, not 1"],
])("refuses the program %o", async (operations, message) => {
  const error = await rejection(engine.run(task(operations, [floats(4, 1), floats(4, 2)])));
  expect({ code: error.code, message: error.message }).toEqual({ code: "input", message });
});

test("a program that makes a mask its output is refused before anything is read", async () => {
  const before = engine.progress().read;
  expect(await rejection(engine.run(task([load(0), magnitude], [floats(4, 1)])))).toMatchObject({ code: "input" });
  expect(engine.progress().read).toBe(before);
});

test("a short input and a full disk are io errors", async () => {
  const it = task([load(0)], [floats(1000, 1)]);
  const long = { ...it.inputs[0]!, shape: [2000] };
  const error = await rejection(engine.run({ ...it, inputs: [long], output: { ...it.output, shape: [2000] } }));
  expect(error).toMatchObject({ code: "io", syscall: "pread" });
  const full = { ...it.output, fd: openSync("/dev/full", "w") };
  expect(await rejection(engine.run({ ...it, output: full }))).toMatchObject({
    code: "io",
    syscall: "pwrite",
    errno: 28,
  });
});

test("payloads that are only copied keep their bytes", async () => {
  const bytes = floats(3000, 5);
  const it = task([load(0)], [bytes], { work: "bytes" });
  const input = { ...it.inputs[0]!, dtype: "I8", shape: [12_000] };
  const result = await engine.run({ ...it, inputs: [input], output: { ...it.output, dtype: "I8", shape: [12_000] } });
  expect(result.digest).toBe(`sha256:${createHash("sha256").update(bytes).digest("hex")}`);
  expect(result.inputDigests).toEqual([result.digest]);
});

test("cancelling stops a program within a fraction of a second", async () => {
  const one = addon.createEngine({ threads: 2, memory: 320 << 20, chunk: 64 << 20 });
  const bytes = floats(8 << 20, 1);
  const it = task(
    [
      load(0),
      load(1),
      { op: "subtract", left: 0, right: 1 },
      { ...magnitude, of: 2, per: "tensor" },
      { op: "select", of: 2, mask: 3 },
    ],
    [bytes, floats(8 << 20, 2)],
  );
  const running = Array.from({ length: 6 }, () => rejection(one.run(it)));
  await new Promise((resolve) => setTimeout(resolve, 20));
  const start = performance.now();
  one.cancel();
  for (const error of await Promise.all(running)) expect(error.code).toBe("cancelled");
  // 30 ms on a quiet machine; the rest is for busy ones.
  expect(performance.now() - start).toBeLessThan(1000);
  one.close();
});
