// The strategies that choose elements, on recipes built for real: what mergekit's get wrong, the rules at the edges, and
// that merging a model with itself gives it back. That the bits are those of the reference is for test/oracle.

import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  bf16,
  decodeFloats,
  f32,
  f64,
  makeModelDirectory,
  readSafetensors,
  type TestTensor,
  type TestTensors,
} from "../../support/tensors.ts";
import { buildText } from "./build-text.ts";

const HEAD = `theta 1
base  b = "models/b"
model x = "models/x"
model y = "models/y"
model z = "models/z"
`;

let root: string;
beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), "theta-choosing-")));
});
afterEach(() => rmSync(root, { recursive: true }));

/** Builds merges of these models and returns the tensors of each, in order. */
async function merged(models: Readonly<Record<string, TestTensors>>, ...merges: readonly string[]) {
  const declared = HEAD.split("\n").filter((line) => !/^(base|model)/.test(line) || line.split(/\s+/)[1]! in models);
  for (const [name, tensors] of Object.entries(models)) makeModelDirectory(join(root, "models", name), tensors);
  const outputs = merges.map((text, i) => `merge m${i} onto b using ${text}\noutput "dist/${i}" = m${i}\n`);
  const built = await buildText(root, `${declared.join("\n")}\n${outputs.join("")}`);
  expect(built.diagnostics.filter(({ severity }) => severity === "warning")).toEqual([]);
  return merges.map((_, i) => readSafetensors(join(root, "dist", String(i), "model.safetensors")));
}

const values = ({ dtype, data }: TestTensor): number[] => decodeFloats(dtype, data);
const w = (tensor: TestTensor): TestTensors => ({ w: tensor });

/** What one merge makes of a tensor of F32 that the base has as zeros. */
async function fromZero(merge: string, shape: readonly number[], ...vectors: readonly (readonly number[])[]) {
  const zeros = new Array<number>(vectors[0]!.length).fill(0);
  const models = Object.fromEntries([zeros, ...vectors].map((of, i) => ["bxyz"[i]!, w(f32(shape, of))]));
  const [output] = await merged(models, merge);
  return values(output!.get("w")!);
}

const f = Math.fround;

describe("sce", () => {
  it("keeps the shape and the bits of a tensor that no fine-tune changed, whatever is selected", async () => {
    const untouched = w(bf16([3, 4], [1, -0, 2, 3, -4, 5, 0, 7, 8, -9, 10, 11]));
    const [output] = await merged({ b: untouched, x: untouched, y: untouched }, "sce(select: 0.5) { x\n y }");
    expect(output!.get("w")).toMatchObject({ dtype: "BF16", shape: [3, 4] });
    expect(Buffer.from(output!.get("w")!.data).equals(Buffer.from(untouched["w"]!.data))).toBe(true);
  });

  it("weighs by energy however small the changes are", async () => {
    // Energies 1 to 9: weights 0.1 and 0.9, where mergekit takes 0.5 for what is this small.
    const [got] = await fromZero("sce { x\n y }", [1], [1e-5], [3e-5]);
    expect(got! / 1e-5).toBeCloseTo(0.1 + 0.9 * 3, 5);
  });

  it("drops the sign that loses and averages what is left by its weights", async () => {
    expect(await fromZero("sce { x\n y }", [2], [2, -1], [2, 2])).toEqual([2, 2]);
  });

  it("selects a share of what varies, not of everything", async () => {
    // Of eight elements four vary; half of them are the two that vary most.
    const x = [1, 1, 1, 1, 1, 2, 3, 4];
    const y = [1, 1, 1, 1, 2, 4, 6, 8];
    const got = await fromZero("sce(select: 0.5) { x\n y }", [8], x, y);
    expect(got.map((value) => value !== 0)).toEqual([false, false, false, false, false, false, true, true]);
  });

  it("gives the base where one model alone is selected from: it does not vary", async () => {
    expect(await fromZero("sce(select: 0.9) { x }", [3], [1, 2, 3])).toEqual([0, 0, 0]);
    expect(await fromZero("sce { x }", [3], [1, 2, 3])).toEqual([1, 2, 3]);
  });

  it("gives each vector the same share where all squares are too small to be held, one that is known to be 0 too", async () => {
    const tiny = [1e-200, 3e-200, -7e-200, 5e-200];
    const models = { b: w(f64([4], [0, 0, 0, 0])), x: w(f64([4], tiny)), y: w(f64([4], tiny)), z: w(f64([4], tiny)) };
    const [output] = await merged(models, 'sce { x\n y mask !"w"\n z mask !"w" }');
    const expected = tiny.map((x) => (x * (1 / 3)) / (1 / 3));
    expect(expected).not.toEqual(tiny);
    expect(values(output!.get("w")!)).toEqual(expected);
  });

  it("works with a mask: what it drops is 0", async () => {
    const got = await fromZero("sce { x mask magnitude(density: 0.5)\n y }", [4], [1, 8, 2, 9], [4, 0, 0, 0]);
    expect(got).toEqual([4, 8, 0, 9]);
  });
});

describe("ram", () => {
  const x = [1, 0, 3, 1e-6, -2];
  const y = [0, 2, 5, 1e-6, 4];

  it("keeps what is unique and averages what is shared", async () => {
    expect(await fromZero("ram { x\n y }", [5], x, y)).toEqual([1, 2, 4, 0, 1]);
    expect(await fromZero("ram(epsilon: 2) { x\n y }", [5], x, y)).toEqual([0, 0, 4, 0, 4]);
  });

  it("rescales what is unique by what is shared, vector by vector, in the order of the recipe", async () => {
    // x: 2 shared, 1 unique; y: 2 shared, 1 unique and the ratio is cut at alpha.
    const factor = f(1 + 0.5 * 0.3);
    expect(await fromZero("ram_plus(r: 0.5, alpha: 0.3) { x\n y }", [5], x, y)).toEqual([
      factor,
      f(factor * 2),
      4,
      0,
      1,
    ]);
    expect(await fromZero("ram_plus { x\n y }", [2], [1, 0], [0, 3])).toEqual([1, 3]);
  });

  it("writes the dtype of the base, where mergekit's ramplus writes float32", async () => {
    const models = { b: w(bf16([2], [0, 0])), x: w(bf16([2], [1, 3])), y: w(bf16([2], [0, 5])) };
    const [output] = await merged(models, "ram_plus { x\n y }");
    expect(output!.get("w")!.dtype).toBe("BF16");
  });
});

describe("consensus", () => {
  it("keeps where enough inputs are active", async () => {
    // The sum is 3, 1, 1, 0.25: both are active, both, x alone, none.
    const x = [1, 0.5, 1, 2];
    const y = [2, 0.5, 0, -1.75];
    expect(await fromZero("consensus(lambda: 0.4) { x\n y }", [4], x, y)).toEqual([3, 1, 0, 0.25]);
    expect(await fromZero("consensus(lambda: 0.4, at_least: 1) { x\n y }", [4], x, y)).toEqual([3, 1, 1, 0.25]);
    expect(await fromZero("consensus(lambda: 1.2) { x\n y }", [4], x, y)).toEqual([0, 0, 0, 0]);
  });
});

describe("magmax", () => {
  it("takes the largest of either sign, and of equal ones the last", async () => {
    expect(
      await fromZero("magmax(scale: 0.5) { x\n y\n z }", [4], [1, -8, 2, 0], [2, 4, -2, 0], [-3, 1, 1, 0]),
    ).toEqual([-1.5, -4, -1, 0]);
  });

  it("takes the last zero of zeros, be it of a vector that is known to be 0", async () => {
    makeModelDirectory(join(root, "b"), w(f32([3], [1, 2, 3])));
    makeModelDirectory(join(root, "x"), w(f32([3], [1, 2, 4])));
    const text = 'theta 1\nbase b = "b"\nmodel x = "x"\nvector back = -(x - b)\nvector none = 0 * (x - b)\n';
    await buildText(root, `${text}vector most = magmax(back, none)\noutput "dist" = most\n`);
    expect(values(readSafetensors(join(root, "dist", "model.safetensors")).get("w")!)).toEqual([0, 0, -1]);
  });
});

describe("pcb", () => {
  /** As the authors' code has it, in float64; every vector's weight is 1. */
  function balanced(vectors: readonly (readonly number[])[], select: number, clip: number): number[] {
    const size = vectors[0]!.length;
    const ascending = (list: readonly number[]) => Float64Array.from(list).sort();
    const held = vectors.map((vector) => {
      const sizes = ascending(vector.map(Math.abs));
      const [low, high] = [sizes[Math.trunc(size * clip)]!, sizes[size - 1 - Math.trunc(size * clip)]!];
      return vector.map((x) => {
        const a = Math.min(Math.max(Math.abs(x), low), high);
        return { own: Math.sign(x) * a, share: (a - low) / (high - low) };
      });
    });
    const rivals = vectors[0]!.map((_, i) =>
      held.reduce((sum, of, k) => sum + Math.sign(vectors[k]![i]!) * of[i]!.share, 0),
    );
    const scores = vectors.map((vector, k) => {
      const balances = vector.map(
        (x, i) => Math.exp(vectors.length * held[k]![i]!.share ** 2) * Math.tanh(x * rivals[i]!),
      );
      const sorted = ascending(balances);
      const [least, most] = [sorted[size - 1 - Math.trunc(size * select)]!, sorted[size - 1]!];
      return balances.map((balance) => Math.max(balance - least, 0) / (most - least));
    });
    return vectors[0]!.map((_, i) => {
      const divisor = scores.reduce((sum, score) => sum + score[i]!, 0);
      const total = scores.reduce((sum, score, k) => sum + held[k]![i]!.own * score[i]!, 0);
      return total / Math.max(divisor, 1e-12);
    });
  }

  const wave = (size: number, step: number) =>
    Array.from({ length: size }, (_, i) => f(Math.sin(i * step) * (((i * 7919) % 1013) / 1013) ** 3));

  it.each([
    ["in the cache", 5000],
    ["streamed", 200_000],
  ])("averages what stands best, as the authors do: %s", async (_, size) => {
    const vectors = [wave(size, 1.1), wave(size, 0.7), wave(size, 2.3)];
    const expected = balanced(vectors, 0.05, 0.01);
    const got = await fromZero("pcb { x\n y\n z }", [size], ...vectors);
    // What is just above the cut of one vector alone may be taken or left.
    const wrong = got.filter((x, i) => !(Math.abs(x - expected[i]!) <= 1e-6)).length;
    expect(wrong).toBeLessThanOrEqual(3);
    const kept = got.filter((x) => x !== 0).length;
    expect(kept).toBeGreaterThan(0.05 * size);
    expect(kept).toBeLessThan(0.15 * size);
  });

  it("takes forty vectors in 64 MiB", async () => {
    const size = 66_000;
    const vectors = Array.from({ length: 40 }, (_, k) => wave(size, 0.3 + k / 17).map((x) => f(x / 64)));
    makeModelDirectory(join(root, "models", "b"), w(f32([size], new Array<number>(size).fill(0))));
    vectors.forEach((of, k) => makeModelDirectory(join(root, "models", `v${k + 10}`), w(f32([size], of))));
    const text = 'models all = "models/v*"\nmerge m onto b using pcb { all }\noutput "dist" = m\n';
    await buildText(root, `theta 1\nbase b = "models/b"\n${text}`);
    const got = values(readSafetensors(join(root, "dist", "model.safetensors")).get("w")!);
    const expected = balanced(vectors, 0.05, 0.01);
    expect(got.filter((x, i) => !(Math.abs(x - expected[i]!) <= 1e-6)).length).toBeLessThanOrEqual(40);
    expect(got.filter((x) => x !== 0).length).toBeGreaterThan(size / 8);
  });

  it("averages one element, and changes that are all of one size; where they conflict they cancel out", async () => {
    expect(await fromZero("pcb { x\n y }", [], [4], [2])).toEqual([3]);
    expect(await fromZero("pcb(scale: 2) { x weight 0.5\n y }", [1], [4], [2])).toEqual([4]);
    expect(await fromZero("pcb { x\n y }", [3], [2, 2, 2], [4, 4, 4])).toEqual([3, 3, 3]);
    expect(await fromZero("pcb { x\n y }", [2], [2, -2], [-2, 2])).toEqual([0, 0]);
  });

  it("is not diluted by a vector that changed nothing, and takes no more than was clipped", async () => {
    const x = [1, 2, 3, 4, 5, 6, 7, 8, 9, 1000];
    const zeros = new Array<number>(10).fill(0);
    const got = await fromZero("pcb(select: 0.2, clip: 0.1) { x\n y }", [10], x, zeros);
    // The largest is held at 9 and counts in full, though both come before the cut.
    expect(got).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 9, 9]);
  });

  it("takes part with the share that is selected, at least one element", async () => {
    const x = [0.5, -0.25, 0.125, 1];
    expect((await fromZero("pcb { x }", [4], x)).filter((value) => value !== 0)).toEqual([1]);
    expect((await fromZero("pcb(select: 0.5) { x }", [4], x)).filter((value) => value !== 0)).toEqual([0.5, 1]);
    // With all selected the one that stands worst counts for nothing.
    expect(await fromZero("pcb(select: 1) { x }", [4], x)).toEqual([0.5, -0.25, 0, 1]);
  });
});

describe("arcee_fusion", () => {
  it("writes the dtype of the base, where mergekit's writes float32", async () => {
    const models = { b: w(bf16([2, 2], [1, 2, 3, 4])), x: w(bf16([2, 2], [1, 2, 3, 9])) };
    const [output] = await merged(models, "arcee_fusion { x }");
    expect(output!.get("w")!.dtype).toBe("BF16");
    expect(values(output!.get("w")!)).toEqual([1, 2, 3, 9]);
  });

  it("finds the quantiles of more elements than mergekit would sample", async () => {
    // One row has one divergence, so importance goes by size alone; the order is far from sorted.
    const size = 1_200_000;
    const change = Array.from({ length: size }, (_, i) => f((((i * 7_654_321) % size) / size) ** 4 * (i % 2 ? -1 : 1)));
    const got = await fromZero("arcee_fusion { x }", [size], change);
    const ascending = Float32Array.from(change, Math.abs).sort();
    const at = (part: number) => ascending[Math.trunc(part * (size - 1))]!;
    const threshold = at(0.5) + 1.5 * (at(0.75) - at(0.25));
    const wrong = got.filter((value, i) => value !== (Math.abs(change[i]!) >= threshold ? change[i] : 0)).length;
    // Rounding decides on an element at the threshold.
    expect(wrong).toBeLessThanOrEqual(1);
    expect(got.filter((value) => value !== 0).length).toBeGreaterThan(size / 10);
  });

  it("takes rows of one element, and scalars, whole: their softmax does not change", async () => {
    expect(await fromZero("arcee_fusion { x }", [3, 1], [1, -2, 3])).toEqual([1, -2, 3]);
    expect(await fromZero("arcee_fusion { x }", [], [7])).toEqual([7]);
  });
});

const EVERY = ["sce", "sce(select: 0.3)", "ram(epsilon: 0)", "ram_plus", "consensus", "magmax", "pcb"];

it("merging a model with itself gives it back bit for bit", async () => {
  const model: TestTensors = {
    matrix: bf16([4, 3], [1, -0, 2, 1e-3, -4, 5e-20, 0, 7, 8e20, -9, 10, 11]),
    vector: f32([2], [0.1, -0.3]),
    scalar: f32([], [2.5]),
    nothing: f32([0, 3], []),
  };
  const models = { b: model, x: model, y: model, z: model };
  const merges = [...EVERY.map((method) => `${method} { x\n y\n z }`), "arcee_fusion { x }"];
  const outputs = await merged(models, ...merges);
  for (const [i, output] of outputs.entries()) {
    for (const [name, { data }] of Object.entries(model)) {
      expect(Buffer.from(output.get(name)!.data).equals(Buffer.from(data)), `${merges[i]}: ${name}`).toBe(true);
    }
  }
});

it("a NaN that is let through spoils nothing but where it stands", async () => {
  const bad = "models/bad";
  makeModelDirectory(join(root, bad), w(f32([4], [1, NaN, 3, 4])));
  makeModelDirectory(join(root, "models/b"), w(f32([4], [0, 0, 0, 0])));
  makeModelDirectory(join(root, "models/y"), w(f32([4], [2, 5, 0, 9])));
  const text = (method: string) =>
    `theta 1\nbase b = "models/b"\nmodel x = "${bad}" { nan propagate }\nmodel y = "models/y"\nmerge m onto b using ${method} { x\n y }\noutput "dist" = m\n`;
  for (const [method, expected] of [
    ["ram", [1.5, 5, 3, 6.5]],
    ["magmax", [2, 5, 3, 9]],
    // The NaN is one of the two of x that take part.
    ["pcb(select: 0.5)", [0, 5, 0, 6.5]],
  ] as const) {
    await buildText(root, text(method));
    expect(values(readSafetensors(join(root, "dist/model.safetensors")).get("w")!)).toEqual(expected);
  }
});
