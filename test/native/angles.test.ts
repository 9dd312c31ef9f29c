// Methods that go by angles and distances where they are at their edges: opposite, parallel, zero and tiny tensors. Each
// case that names mergekit is one in which mergekit gives up, blows up or forgets.

import { readSync } from "node:fs";
import { afterAll, describe, expect, it } from "vitest";
import type { ComputeTask, TaskResult } from "../../native/addon-types.ts";
import type { Operation } from "../../compiler/tensor-graph.ts";
import { loadAddon } from "../../native/index.ts";
import { payloadFile } from "./shell/payload-file.ts";

const engine = loadAddon().createEngine({ threads: 2, memory: 64 << 20, chunk: 1 << 20 });
afterAll(() => {
  engine.close();
});

interface Merged {
  readonly values: Float32Array;
  readonly result: TaskResult;
}

/** The inputs are operations 0 to k − 1. */
async function merge(
  inputs: readonly Float32Array[],
  operations: readonly Operation[],
  shape: readonly number[] = [inputs[0]!.length],
): Promise<Merged> {
  const loads = inputs.map((_, input) => ({ op: "load", input, nan: "propagate" }) as const);
  const fd = payloadFile();
  const task: ComputeTask = {
    kind: "compute",
    label: "angles",
    inputs: inputs.map((values) => ({
      fd: payloadFile(new Uint8Array(values.buffer)),
      offset: 0,
      dtype: "F32",
      shape,
      digest: false,
    })),
    operations: [...loads, ...operations],
    work: "F32",
    output: { fd, offset: 0, dtype: "F32", shape, overflow: "inf" },
  };
  const result = await engine.run(task);
  const bytes = Buffer.alloc(inputs[0]!.length * 4);
  expect(readSync(fd, bytes, 0, bytes.length, 0)).toBe(bytes.length);
  return { values: new Float32Array(new Uint8Array(bytes).buffer), result };
}

/** Approximately normal numbers, the same ones for a seed. */
function random(count: number, seed: number, scale = 1): Float32Array {
  let state = seed * 7919 + 1;
  const uniform = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  return Float32Array.from({ length: count }, () => {
    let sum = -6;
    for (let i = 0; i < 12; i++) sum += uniform();
    return Math.fround(sum * scale);
  });
}

const times = (factor: number, x: Float32Array): Float32Array => x.map((value) => factor * value);
const norm = (x: Float32Array): number => Math.sqrt(x.reduce((sum, value) => sum + value * value, 0));
const same = (a: Float32Array, b: Float32Array): boolean =>
  Buffer.from(a.buffer).equals(Buffer.from(b.buffer, b.byteOffset, b.byteLength));
const slerp = (t: number, per: "tensor" | "row" = "tensor") => ({ op: "slerp", left: 0, right: 1, t, per }) as const;
const karcher = (count: number, maxIterations = 10, weights = new Array<number>(count).fill(1)) =>
  ({ op: "karcher", of: [...weights.keys()], weights, maxIterations, tolerance: 1e-5 }) as const;
const stock = (count: number, per: "tensor" | "row" = "tensor") =>
  ({ op: "model-stock", of: [...new Array(count).keys()], per }) as const;

describe("slerp and nuslerp", () => {
  it("interpolate opposite tensors, where mergekit's nuslerp reaches 2.7e7", async () => {
    const a = random(1000, 1);
    const { values, result } = await merge([a, times(-2, a)], [slerp(0.3)]);
    expect(result.antiparallel).toBe(1);
    for (const [i, value] of values.entries()) expect(value).toBeCloseTo(0.1 * a[i]!, 5);
  });

  it("go half as far with a zero tensor, where mergekit's slerp leaves 0.7071 of the other", async () => {
    const a = random(64, 2);
    const { values, result } = await merge([a, new Float32Array(64)], [slerp(0.5)]);
    expect(result.antiparallel).toBe(0);
    expect(same(values, times(0.5, a))).toBe(true);
  });

  it("take an angle of each row's own, and count the rows that are opposite", async () => {
    const a = Float32Array.of(1, 0, 1, 0, 1, 0, 0, 0);
    const b = Float32Array.of(0, 2, -1, 0, 3, 0, 0, 5);
    const { values, result } = await merge([a, b], [slerp(0.5, "row")], [4, 2]);
    expect(result.antiparallel).toBe(1);
    const [x, y, ...rest] = values;
    expect([x, y]).toEqual([Math.fround(Math.SQRT1_2), Math.fround(2 * Math.SQRT1_2)]);
    expect(rest).toEqual([0, 0, 2, 0, 0, 2.5]);
  });

  it("do the same with rows of one element, a row of all, and what is larger than a cache", async () => {
    const a = random(300, 3);
    const b = random(300, 4);
    const ones = await merge([a, b], [slerp(0.25, "row")], [300, 1]);
    expect(ones.result.antiparallel).toBe([...a].filter((value, i) => value * b[i]! < 0).length);
    for (const [i, value] of ones.values.entries()) expect(value).toBeCloseTo(a[i]! + 0.25 * (b[i]! - a[i]!), 6);
    const whole = await merge([a, b], [slerp(0.25)], [1, 300]);
    const row = await merge([a, b], [slerp(0.25, "row")], [1, 300]);
    expect(same(whole.values, row.values)).toBe(true);
    const [long, other] = [random(150_000, 5), random(150_000, 6)];
    const rows = await merge([long, other], [slerp(0.25, "row")], [2, 75_000]);
    const first = await merge([long.slice(0, 75_000), other.slice(0, 75_000)], [slerp(0.25)]);
    expect(same(rows.values.slice(0, 75_000), first.values)).toBe(true);
  });

  it("count opposite rows once, though a pass of another statistic comes before", async () => {
    const a = random(150_000, 7);
    const merged = await merge(
      [a, times(-1, a)],
      [slerp(0.25, "row"), { op: "slerp", left: 2, right: 0, t: 0.5, per: "tensor" }],
      [1500, 100],
    );
    expect(merged.result.antiparallel).toBe(1500);
  });
});

describe("karcher and multislerp", () => {
  it("give nothing of tensors that are all zero, where mergekit's multislerp ends the merge", async () => {
    const zeros = [1, 2, 3].map(() => new Float32Array(50).fill(-0));
    for (const iterations of [1, 10]) {
      const { values, result } = await merge(zeros, [karcher(3, iterations)]);
      expect(result.overflow).toBe(0);
      expect(same(values, new Float32Array(50))).toBe(true);
    }
  });

  it("stay finite and warn at opposite tensors, where mergekit divides by a sine of 0", async () => {
    const a = random(1000, 8);
    for (const [inputs, iterations, warnings] of [
      [[a, times(-2, a)], 10, 1],
      [[a, times(-1, a)], 1, 1],
      [[a, times(-1, a), random(1000, 9)], 10, 0],
    ] as const) {
      const { values, result } = await merge(inputs, [karcher(inputs.length, iterations)]);
      expect(result.antiparallel).toBe(warnings);
      const mean = inputs.reduce((sum, one) => sum + norm(one), 0) / inputs.length;
      expect(norm(values) / mean).toBeCloseTo(1, 4);
    }
  });

  it("are as long as the mean of the norms, as far from each input of two, and independent of their order", async () => {
    const inputs = [random(5000, 10), times(3, random(5000, 11))];
    const { values } = await merge(inputs, [karcher(2)]);
    expect(norm(values)).toBeCloseTo((norm(inputs[0]!) + norm(inputs[1]!)) / 2, 2);
    const cosine = (x: Float32Array) =>
      x.reduce((sum, value, i) => sum + value * values[i]!, 0) / (norm(x) * norm(values));
    expect(cosine(inputs[0]!)).toBeCloseTo(cosine(inputs[1]!), 5);
    const turned = await merge([...inputs].reverse(), [karcher(2)]);
    for (const [i, value] of turned.values.entries()) expect(value).toBeCloseTo(values[i]!, 4);
  });

  it("shorten by a zero tensor what mergekit's karcher keeps, and take many inputs", async () => {
    const a = random(777, 12);
    const { values } = await merge([a, new Float32Array(777)], [karcher(2)]);
    expect(same(values, times(0.5, a))).toBe(true);
    const equal = new Array<Float32Array>(19).fill(a);
    const many = await merge(equal, [karcher(19)]);
    for (const [i, value] of many.values.entries()) expect(value).toBeCloseTo(a[i]!, 5);
  });

  it("give NaN, which counts as overflow, where the weights of what is not zero cancel", async () => {
    const a = random(16, 13);
    const { result } = await merge([a, times(2, a), new Float32Array(16)], [karcher(3, 10, [1, -1, 1])]);
    expect(result.overflow).toBe(16);
  });
});

describe("model_stock", () => {
  it("takes vectors that agree whole, however small, where mergekit leaves 1.2 % of them", async () => {
    const tiny = random(64, 14, 1e-5);
    const { values } = await merge([tiny, tiny], [stock(2)]);
    expect(same(values, tiny)).toBe(true);
  });

  it("stays at the base where vectors are opposite, at right angles, or zero, where mergekit gives NaN or goes past it", async () => {
    const a = Float32Array.of(1, 2, 0, 0);
    for (const other of [Float32Array.of(-1, -2, 0, 0), Float32Array.of(0, 0, 3, 4), Float32Array.of(-2, 0.5, 1, 0)]) {
      const { values, result } = await merge([a, other], [stock(2)]);
      expect(result.overflow).toBe(0);
      expect([...values].map(Math.abs)).toEqual([0, 0, 0, 0]);
    }
    const zero = await merge([a, new Float32Array(4)], [stock(2)]);
    expect([...zero.values]).toEqual([0, 0, 0, 0]);
  });

  it("has a step of each row's own", async () => {
    const a = Float32Array.of(1, 0, 1, 0, 1, 0);
    const b = Float32Array.of(1, 0, 0, 1, 1, 1);
    const { values } = await merge([a, b], [stock(2, "row")], [3, 2]);
    const t = (2 * Math.SQRT1_2) / (1 + Math.SQRT1_2);
    expect([...values]).toEqual([1, 0, 0, 0, Math.fround(t), Math.fround(t * 0.5)]);
  });
});

describe("nearswap", () => {
  it("takes what is near whole, moves the rest by t, and lets NaN pass", async () => {
    const tau = Float32Array.of(0, -0, 0.25, -0.25, 1, -8, Infinity, NaN, 1e-45);
    const { values } = await merge([tau], [{ op: "nearswap", of: 0, t: 0.25 }]);
    expect([...values]).toEqual([0, -0, 0.25, -0.25, 0.25, -0.25, NaN, NaN, Math.fround(1e-45)]);
    const none = await merge([tau.slice(0, 6)], [{ op: "nearswap", of: 0, t: 0 }]);
    expect([...none.values]).toEqual([0, -0, 0, -0, 0, -0]);
  });
});

describe("equal inputs come back bit for bit", () => {
  const onto = (vector: Operation): readonly Operation[] => [
    { op: "subtract", left: 1, right: 0 },
    { op: "subtract", left: 2, right: 0 },
    vector,
    { op: "onto", base: 0, vector: 5 },
  ];
  it.each([
    ["slerp", [slerp(0.3)]],
    ["nuslerp per row", [slerp(0.7, "row")]],
    ["nuslerp beyond its ends", [slerp(-1.5, "row")]],
    ["model_stock of the base", onto({ op: "model-stock", of: [3, 4], per: "tensor" })],
    ["model_stock of the base, per row", onto({ op: "model-stock", of: [3, 4], per: "row" })],
    ["multislerp of the base", onto({ op: "karcher", of: [3, 4], weights: [1, 2], maxIterations: 1, tolerance: 1e-5 })],
    ["nuslerp of the base", onto({ op: "slerp", left: 3, right: 4, t: 0.4, per: "row" })],
    ["nearswap of the base", onto({ op: "nearswap", of: 3, t: 0.1 })],
  ] as const)("%s", async (_, operations) => {
    for (const shape of [[1], [257], [7, 1], [3, 5, 3, 3], [4, 40_000], []]) {
      const count = shape.reduce((product, size) => product * size, 1);
      const x = random(count, count);
      x[0] = -0;
      const { values, result } = await merge([x, x, x], operations, shape);
      expect(same(values, x)).toBe(true);
      expect(result.antiparallel).toBe(0);
    }
  });
});
