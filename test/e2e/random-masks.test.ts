// DARE and DELLA as their papers say, where mergekit does otherwise: what it rescales by, rows of one element, ranks of
// bfloat16, kernels of convolutions, sums that float16 cannot hold; and merges of equal models.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  bf16,
  decodeFloats,
  f16,
  f32,
  makeModelDirectory,
  type TestTensor,
  type TestTensors,
} from "../support/tensors.ts";
import { readOutput } from "./read-output.ts";
import { build, theta } from "./theta-process.ts";

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "theta-random-"));
  mkdirSync(join(directory, "models"));
});
afterEach(() => rmSync(directory, { recursive: true }));

const HEAD = 'theta 1\nbase b = "models/b"\nmodel x = "models/x"\n';

function write(models: Readonly<Record<string, TestTensors>>, recipe: string): void {
  for (const [name, tensors] of Object.entries(models)) makeModelDirectory(join(directory, "models", name), tensors);
  writeFileSync(join(directory, "merge.theta"), HEAD + recipe);
}

function values({ dtype, data }: TestTensor): number[] {
  return decodeFloats(dtype, data);
}

/** The one tensor of x - b under a mask, b being zero: what x's elements become. */
function masked(make: typeof f32, shape: readonly number[], x: readonly number[], mask: string): number[] {
  const zeros = x.map(() => 0);
  write({ b: { w: make(shape, zeros) }, x: { w: make(shape, x) } }, `output "out" = (x - b) & ${mask}\n`);
  build(directory);
  return values(readOutput(join(directory, "out")).get("w")!);
}

function count(length: number): number[] {
  return Array.from({ length }, (_, index) => index + 1);
}

const kept = (values: readonly number[]): number => values.filter((value) => value !== 0).length;

describe("random (DARE)", () => {
  test("divides what it keeps by the density, as the paper does, and not by a quotient of sums", () => {
    const x = count(1000);
    const made = masked(f32, [10, 100], x, "random(density: 0.25, seed: 3)");
    made.forEach((value, index) => expect([0, 4 * x[index]!]).toContain(value));
    expect(kept(made)).toBeGreaterThan(200);
    expect(kept(made)).toBeLessThan(300);
  });

  test("keeps the sum of magnitudes under rescale: l1, also where float16 cannot hold it", () => {
    const x = count(1000).map((value) => 1000 + value);
    const made = masked(f16, [1000], x, "random(density: 0.5, seed: 3, rescale: l1)");
    const sum = (all: readonly number[]): number => all.reduce((total, value) => total + Math.abs(value), 0);
    expect(sum(x)).toBeGreaterThan(65504);
    expect(sum(made) / sum(x)).toBeCloseTo(1, 5);
  });

  test("draws other elements for each entry of a merge, and the same ones in every build", () => {
    const x = count(1000);
    const tensors = { w: f32([1000], x) };
    const recipe = `model y = "models/x"
merge m onto b using ties(divide: none) { each mask random(density: 0.5, seed: 3)
  x
  y
}
output "m" = m
output "v" = (x - b) & random(density: 0.5, seed: 3)
`;
    write(
      {
        b: {
          w: f32(
            [1000],
            x.map(() => 0),
          ),
        },
        x: tensors,
      },
      recipe,
    );
    build(directory);
    const [merged, alone] = ["m", "v"].map((name) => values(readOutput(join(directory, name)).get("w")!));
    // Stream 0 is the first entry's and that of an expression.
    const of = (entries: number) => merged!.filter((value, index) => value === 2 * entries * x[index]!).length;
    expect(alone!.every((value, index) => value === 0 || merged![index] !== 0)).toBe(true);
    for (const share of [of(0), 0.5 * of(1), of(2)]) expect(Math.abs(share - 250)).toBeLessThan(60);
  });

  test("says when it keeps nothing, and makes no NaN of what it drops", () => {
    expect(masked(f32, [3], [1, 0, -1], "random(density: 1e-40, seed: 1)")).toEqual([0, 0, 0]);
    expect(theta(directory, ["build"]).stderr).toContain("warning[empty-mask]");
    // The density is 0 in float32.
    writeFileSync(join(directory, "merge.theta"), `${HEAD}output "out" = (x - b) & random(density: 1e-60, seed: 1)\n`);
    expect(theta(directory, ["build"]).code).toBe(65);
  });
});

describe("della", () => {
  /** Probability of each element kept, by what it was divided by; the others are left out. */
  function probabilities(x: readonly number[], made: readonly number[]): Map<number, number> {
    return new Map(made.flatMap((value, index) => (value === 0 ? [] : [[index, x[index]! / value] as const])));
  }

  test("ranks elements of bfloat16 exactly, beyond 256 of them", () => {
    // Distinct in bfloat16: 128 in each of eight octaves.
    const x = count(1024).map((value) => (128 + ((value - 1) % 128)) * 2 ** (Math.floor((value - 1) / 128) - 12));
    const found = probabilities(x, masked(bf16, [1, 1024], x, "della(density: 0.5, epsilon: 0.25, seed: 1)"));
    expect(found.size).toBeGreaterThan(450);
    for (const [index, probability] of found) expect(probability).toBeCloseTo(0.25 + (0.5 * index) / 1023, 6);
    const order = [...found.values()];
    expect([...order].sort((a, b) => a - b)).toEqual(order);
  });

  test("keeps rows of one element with the density itself", () => {
    const x = count(1000);
    const found = probabilities(x, masked(f32, [1000, 1], x, "della(density: 0.5, seed: 1)"));
    expect(Math.abs(found.size - 500)).toBeLessThan(60);
    for (const probability of found.values()) expect(probability).toBe(0.5);
  });

  test("ranks all of a convolution's kernel, not its input channels alone", () => {
    const x = count(100 * 27).map((value) => ((value - 1) % 27) + 1);
    const found = probabilities(x, masked(f32, [100, 3, 3, 3], x, "della(density: 0.5, epsilon: 0.25, seed: 1)"));
    for (const [index, probability] of found) expect(probability).toBeCloseTo(0.25 + (0.5 * (index % 27)) / 26, 6);
  });

  test("ranks equal elements, too, without preferring a place", () => {
    const x = count(1000).map(() => 0.5);
    const order = [...probabilities(x, masked(f32, [1000], x, "della(density: 0.5, seed: 1)")).values()];
    expect(new Set(order).size).toBe(order.length);
    const mean = (all: readonly number[]): number => all.reduce((sum, value) => sum + value, 0) / all.length;
    expect(mean(order.slice(0, order.length / 2))).toBeCloseTo(mean(order.slice(order.length / 2)), 1);
  });
});

test("merges of equal models are the base, bit for bit", () => {
  const same = {
    w: f32(
      [40, 30],
      count(1200).map((value) => (value % 7 === 0 ? -0 : Math.sin(value))),
    ),
    norm: bf16([5], [1, -0, 0, 0.5, -2]),
  };
  const each = [
    "random(density: 0.5, seed: 1)",
    "della(density: 0.5, seed: 1)",
    "della(density: 0.4, per: tensor, seed: 2)",
  ];
  const merges = each.flatMap((mask, index) =>
    ["sum", "ties", "ties(divide: none)", "mean"].map(
      (strategy, other) =>
        `merge m${index}${other} onto b using ${strategy} { each mask ${mask}\n  x\n  y weight 0.5\n}\noutput "m${index}${other}" = m${index}${other}\n`,
    ),
  );
  write({ b: same, x: same, y: same }, `model y = "models/y"\n${merges.join("")}`);
  const { outputs } = build(directory);
  expect(outputs).toHaveLength(12);
  for (const { path } of outputs) {
    const made = readOutput(join(directory, path));
    for (const [name, { data }] of Object.entries(same))
      expect(Buffer.from(made.get(name)!.data).equals(data)).toBe(true);
  }
});
