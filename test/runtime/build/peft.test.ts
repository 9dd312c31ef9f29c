// What METHODS.md says to those who come from PEFT and the Breadcrumbs code, compared with what their code computes of task
// vectors, in float64.

import { expect, test } from "vitest";
import { decodeFloats, f32, readSafetensors } from "../../support/tensors.ts";
import { buildText } from "./build-text.ts";
import { useWorkspace } from "./use-workspace.ts";

const [ROWS, COLUMNS] = [20, 24];
const WEIGHTS = [0.7, 0.4, 1.1];
const NAMES = ["maths", "code", "chat"];
type Vector = readonly number[];

/** Without equal magnitudes, and with some zeros. */
function valuesOf(seed: number): Vector {
  let state = seed;
  const next = (): number => (state = (state * 1103515245 + 12345) % 2 ** 31) / 2 ** 31 - 0.5;
  return Array.from({ length: ROWS * COLUMNS }, (_, i) => (i % 17 === seed ? 0 : Math.fround(next())));
}
const VECTORS = [valuesOf(1), valuesOf(2), valuesOf(3)];

const space = useWorkspace((space) => {
  const shape = [ROWS, COLUMNS];
  space.write("base", { w: f32(shape, new Array<number>(ROWS * COLUMNS).fill(0)) });
  VECTORS.forEach((vector, k) => space.write(NAMES[k]!, { w: f32(shape, vector) }));
});

async function merged(using: string, mask: string, weights = WEIGHTS): Promise<Vector> {
  const models = NAMES.map((name) => `model ${name} = "${name}"`).join("\n");
  const entries = NAMES.map((name, k) => `  ${name} weight ${weights[k]}`).join("\n");
  const each = mask === "" ? "" : `  each mask ${mask}\n`;
  await buildText(
    space.root,
    `theta 1\nbase llama = "base"\n${models}\nmerge m onto llama using ${using} {\n${each}${entries}\n}\noutput "out" = m\n`,
  );
  const { dtype, data } = readSafetensors(space.path("out/model.safetensors")).get("w")!;
  return decodeFloats(dtype, data);
}

function expectNear(got: Vector, expected: Vector): void {
  expect(Math.max(...expected.map((x, i) => Math.abs(x - got[i]!)))).toBeLessThan(2e-7);
}

const sum = (list: readonly number[]): number => list.reduce((total, x) => total + x, 0);

/** The `count` largest by size of each group of so many elements. */
function largest(vector: Vector, group: number, count: number): Vector {
  return vector.flatMap((_, i) => {
    if (i % group !== 0) return [];
    const own = vector.slice(i, i + group);
    const least = own.map(Math.abs).sort((a, b) => b - a)[count - 1] ?? Infinity;
    return own.map((x) => (Math.abs(x) >= least ? x : 0));
  });
}

const pruned = (density: number): readonly Vector[] =>
  VECTORS.map((vector) => largest(vector, vector.length, Math.trunc(density * vector.length)));

/** `calculate_majority_sign_mask` and `disjoint_merge`. */
function disjoint(vectors: readonly Vector[], method: "total" | "frequency"): Vector {
  return vectors[0]!.map((_, i) => {
    const here = vectors.map((vector) => vector[i]!);
    const majority = sum(method === "total" ? here : here.map(Math.sign)) >= 0 ? 1 : -1;
    const agree = here.map((x) => Math.sign(x) === majority);
    const weighted = here.map((x, k) => (agree[k] ? WEIGHTS[k]! * x : 0));
    return sum(weighted) / Math.max(agree.filter(Boolean).length, 1);
  });
}

test("cat and magnitude_prune", async () => {
  const added = (vectors: readonly Vector[]) =>
    vectors[0]!.map((_, i) => sum(vectors.map((v, k) => WEIGHTS[k]! * v[i]!)));
  expectNear(await merged("sum", ""), added(VECTORS));
  expectNear(await merged("sum", "magnitude(density: 0.3)"), added(pruned(0.3)));
});

test.each([
  ["total", "unweighted"],
  ["frequency", "count"],
] as const)("ties, by %s", async (method, elect) => {
  const got = await merged(`ties(elect: ${elect}, divide: count)`, "magnitude(density: 0.4)");
  expectNear(got, disjoint(pruned(0.4), method));
});

/** `TaskVectorMiddleKeep`, row by row of the last dimension. */
function middle(vector: Vector, keep: number, remove: number, removeFirst: boolean): Vector {
  const without = (of: Vector): Vector => {
    const top = largest(of, COLUMNS, Math.trunc(COLUMNS * remove));
    return of.map((x, i) => (top[i] === 0 ? x : 0));
  };
  const kept = (of: Vector): Vector => largest(of, COLUMNS, Math.trunc(COLUMNS * keep));
  return removeFirst ? kept(without(vector)) : without(kept(vector));
}

test.each([
  [true, "0.5"],
  [false, "0.5 - 0.125"],
])("the authors' breadcrumbs, remove_first=%s", async (removeFirst, density) => {
  const got = await merged(
    "sum(scale: 0.3)",
    `breadcrumbs(density: ${density}, drop_top: 0.125, per: last)`,
    [1, 1, 1],
  );
  const vectors = VECTORS.map((vector) => middle(vector, 0.5, 0.125, removeFirst));
  expectNear(
    got,
    vectors[0]!.map((_, i) => 0.3 * sum(vectors.map((vector) => vector[i]!))),
  );
});
