// Methods that go by angles as a recipe asks for them: what is warned of, on a hit exactly as on a run, and models that are
// equal.

import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { bf16, f32, makeModelDirectory, type TestTensors } from "../../support/tensors.ts";
import { buildText } from "./build-text.ts";
import { digests } from "../../e2e/read-output.ts";

let root: string;
beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), "theta-angles-")));
});
afterEach(() => rmSync(root, { recursive: true }));

function write(name: string, tensors: TestTensors): void {
  makeModelDirectory(join(root, name), tensors);
}

const recipe = (merge: string): string => `theta 1
base  base = "base"
model one  = "one"
model two  = "two"
${merge}
output "dist/m" = m`;

const OPPOSITE = [
  [
    "m = slerp(one, two, t: 0.25)",
    'w of "dist/m": tensors point in opposite directions, so they were interpolated linearly',
  ],
  [
    "m = nuslerp(one, two, per: row)",
    'w of "dist/m": tensors point in opposite directions in 2 rows, so they were interpolated linearly',
  ],
  [
    "m = nuslerp(one, slerp(one, two, t: 0.5), per: tensor, weight: [1, 2])",
    'w of "dist/m": tensors point in opposite directions, so they were interpolated linearly',
  ],
  ["m = karcher(one, two)", 'w of "dist/m": tensors point in opposite directions, so one of them was left out'],
  [
    "m onto base using multislerp {\none\ntwo\n}",
    'w of "dist/m": tensors point in opposite directions, so one of them was left out',
  ],
] as const;

test.each(OPPOSITE)("%s warns of opposite tensors, on a hit too", async (merge, message) => {
  write("base", { w: f32([2, 2], [0, 0, 0, 0]) });
  write("one", { w: f32([2, 2], [1, 2, 3, 4]) });
  write("two", { w: f32([2, 2], [-1, -2, -3, -4]) });
  for (const run of [1, 0]) {
    const built = await buildText(root, recipe(`merge ${merge}\n`));
    expect(built).toMatchObject({ status: "done", actions: { run } });
    const warned = built.diagnostics.map(({ code, severity, message: text }) => [code, severity, text]);
    expect(warned).toEqual([["antiparallel", "warning", message]]);
  }
});

test.each([
  "m = linear(one, two, base, weight: [0.3, 0.5, 0.1])",
  "m = slerp(one, two, t: 0.3)",
  "m = nuslerp(one, two, weight: [0.3, 0.5], per: row)",
  "m = multislerp(one, two, base, weight: [0.3, 0.5, 0.1])",
  "m = karcher(one, two, base, weight: [0.3, 0.5, 0.1])",
  ...["sum", "mean", "nuslerp(per: row)", "multislerp", "model_stock", "model_stock(per: row)"].map(
    (using) => `m onto base using ${using} {\none weight 0.3\ntwo weight 0.6\n}`,
  ),
  "m onto base using nearswap(t: 0.001) {\none\n}",
])("equal models come back bit for bit: %s", async (merge) => {
  // A sum of models begins at +0, which takes the sign of a zero away.
  const zero = /= (karcher|multislerp)/.test(merge) ? 0 : -0;
  const tensors = {
    w: bf16([3, 5], [0.1, -0.25, 3e-39, 0, 1.5, -2, 0.001, 17, -1e30, 4, 5, 6, 7, zero, 9]),
    "b.weight": bf16([1], [-0.3]),
    "c.weight": bf16([], [7]),
    "d.weight": bf16([2, 0], []),
    "e.weight": bf16([4], [0, 0, zero, 0]),
  };
  for (const name of ["base", "one", "two"]) write(name, tensors);
  const text = merge.includes("model_stock") ? merge.replaceAll(/ weight 0\.\d/g, "") : merge;
  const built = await buildText(root, recipe(`merge ${text}\n`));
  expect(built).toMatchObject({ status: "done", diagnostics: [] });
  expect(digests(join(root, "dist/m"))).toEqual(digests(join(root, "one")));
});
