// Laws that merges keep, bit for bit: of statements in another order, of weights and vectors made larger by a power of two, and of
// models that agree. That kernels, threads and chunks change no bit is in test/e2e/golden-methods.test.ts.

import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { bf16, decodeFloats, f32, makeModelDirectory } from "../../support/tensors.ts";
import { readOutput } from "../../e2e/read-output.ts";
import { buildText } from "./build-text.ts";
import { EVERY, LAYER, masks, nameOf, ofModels, ON_MODELS, ON_VECTORS, onto } from "./every-method.ts";

let root: string;
beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), "theta-laws-")));
});
afterEach(() => rmSync(root, { recursive: true }));

/** The same numbers for a seed, between −1 and 1; a third of them zeros. */
function numbers(count: number, seed: number): number[] {
  let state = seed;
  return Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const next = state;
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state % 3 === 0 ? 0 : Math.fround(next / 2 ** 31 - 1);
  });
}

const SHAPE = [6, 50];
const times = (factor: number, values: readonly number[]): number[] => values.map((value) => factor * value);

function write(name: string, values: readonly number[]): void {
  makeModelDirectory(join(root, name), { w: f32(SHAPE, values), ...LAYER });
}

const DECLARED = ['base base = "base"', 'model one = "one"', 'model two = "two"'];
const recipe = (statements: readonly string[]): string => `theta 1\n${statements.join("\n")}\n`;

/** One output a merge, as `NAME/i`. */
async function merge(name: string, merges: readonly string[]): Promise<readonly (readonly number[])[]> {
  const statements = merges.flatMap((text, i) => [`merge m${i} ${text}`, `output "${name}/${i}" = m${i}`]);
  const built = await buildText(root, recipe([...DECLARED, ...statements]));
  expect(built.status).toBe("done");
  return merges.map((_, i) => decodeFloats("F32", readOutput(join(root, name, String(i))).get("w")!.data));
}

test("statements in another order run nothing, whatever the method and the mask", async () => {
  write("base", numbers(300, 1));
  write("one", numbers(300, 2));
  write("two", numbers(300, 3));
  const texts = [...EVERY.map(([, text]) => text), ...masks(0.4).map((mask) => onto("ties", `  mask ${mask}`))];
  const merges = texts.flatMap((text, i) => [`merge m${i} ${text}`, `output "dist/${i}" = m${i}`]);
  const first = await buildText(root, recipe([...DECLARED, ...merges]));
  expect(first.actions.run).toBeGreaterThan(20);
  const turned = await buildText(root, recipe([...DECLARED, ...merges].reverse()));
  expect(turned).toMatchObject({ status: "done", actions: { run: 0 }, bytes: { read: 0 } });
});

/** These compare with numbers of the recipe, or with a softmax, and so know how large a vector is. */
const KNOW_SIZES = ["ram", "ram_plus", "nearswap", "arcee_fusion", "pcb"];

test("vectors that are four times as large give a merged vector that is four times as large", async () => {
  const masked = masks(0.4).map((mask) => onto("ties", `  mask ${mask}`));
  const methods = Object.keys(ON_VECTORS).filter((method) => !KNOW_SIZES.includes(nameOf(method)));
  const merges = [...methods.map((method) => onto(method)), ...masked, ofModels("karcher"), ofModels("nuslerp")];
  write("base", times(0, numbers(300, 1)));
  write("one", numbers(300, 2));
  write("two", numbers(300, 3));
  const plain = await merge("plain", merges);
  write("one", times(4, numbers(300, 2)));
  write("two", times(4, numbers(300, 3)));
  const larger = await merge("larger", merges);
  for (const [i, text] of merges.entries()) {
    expect(
      plain[i]!.some((value) => value !== 0),
      text,
    ).toBe(true);
    expect(times(4, plain[i]!), text).toEqual(larger[i]);
  }
});

/** These add, take what one vector alone changed, a part of what all did, or what varies; `scale` and `lines` multiply. */
const NOT_OF_AGREEMENT = [
  "sum",
  "ties(elect: none, divide: none)",
  "sce(select: 0.5)",
  "consensus",
  "pcb",
  "lines",
  "nearswap",
  "arcee_fusion",
  "scale",
];

test("models that agree merge to what they are, bit for bit, whatever the base is", async () => {
  // Of either sign and about one size: what a difference loses of a number far smaller than the base cannot come back.
  const coarse = (seed: number): number[] =>
    numbers(300, seed).map((value, i) => ((i % 3 === seed % 3 ? -1 : 1) * Math.round(48 + 32 * Math.abs(value))) / 64);
  const agreed = coarse(2);
  makeModelDirectory(join(root, "base"), { w: bf16(SHAPE, coarse(1)), ...LAYER });
  for (const name of ["one", "two"]) makeModelDirectory(join(root, name), { w: bf16(SHAPE, agreed), ...LAYER });
  const onVectors = Object.keys(ON_VECTORS).filter((method) => !NOT_OF_AGREEMENT.includes(method));
  const onModels = ON_MODELS.filter((method) => !NOT_OF_AGREEMENT.includes(method));
  const weighted = "  weight 0.3";
  const merges = [
    ...onVectors.map((method) => onto(method)),
    ...["mean", "ties", "nuslerp", "multislerp"].map((method) => onto(method, weighted)),
    ...onModels.map((method) => ofModels(method)),
    ...["linear", "nuslerp", "karcher"].map((method) => `= ${method}(one, two, weight: [0.3, 0.8])`),
    "onto base using ties {\n  one  mask magnitude(density: 0.5)\n  two  mask !magnitude(density: 0.5, stream: 0)\n}",
  ];
  const statements = merges.flatMap((text, i) => [`merge m${i} ${text}`, `output "dist/${i}" = m${i}`]);
  await buildText(root, recipe([...DECLARED, ...statements]));
  const wanted = readOutput(join(root, "one")).get("w")!.data;
  for (const [i, text] of merges.entries()) {
    expect(Buffer.from(readOutput(join(root, "dist", String(i))).get("w")!.data).equals(wanted), text).toBe(true);
  }
});

test("weights that are four times as large change no mean, and make a sum four times as large", async () => {
  write("base", times(0, numbers(300, 1)));
  write("one", numbers(300, 2));
  write("two", numbers(300, 3));
  const weighted = (method: string, factor: number): string =>
    `onto base using ${method} {\n  one  weight ${factor * 0.3}\n  two  weight ${factor * 0.8}\n}`;
  const called = (method: string, factor: number): string =>
    `= ${method}(one, two, weight: [${factor * 0.3}, ${factor * 0.8}])`;
  const means = (factor: number): readonly string[] => [
    ...["mean", "ties", "nuslerp", "multislerp"].map((method) => weighted(method, factor)),
    ...["linear", "karcher", "nuslerp"].map((method) => called(method, factor)),
  ];
  const sums = (factor: number): readonly string[] =>
    ["sum", "ties(divide: none)", "ties(elect: count, divide: count)"].map((method) => weighted(method, factor));
  const plain = await merge("plain", [...means(1), ...sums(1)]);
  const larger = await merge("larger", [...means(4), ...sums(4)]);
  for (const [i, text] of [...means(1), ...sums(1)].entries()) {
    expect(times(i < means(1).length ? 1 : 4, plain[i]!), text).toEqual(larger[i]);
  }
});

test("a scale of a half is half of the merged vector", async () => {
  write("base", times(0, numbers(300, 1)));
  write("one", numbers(300, 2));
  write("two", numbers(300, 3));
  const methods = ["sum", "mean", "ties", "magmax", "pcb"];
  const merges = [
    ...methods.map((method) => onto(method)),
    ...methods.map((method) => onto(method).replace(method, `${method}(scale: 0.5)`)),
  ];
  const found = await merge("dist", merges);
  for (const [i, method] of methods.entries()) {
    expect(times(0.5, found[i]!), method).toEqual(found[methods.length + i]);
  }
});
