// NaN in inputs that have weight 0: which methods look at them, as METHODS.md says ("Rules at the edges").

import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { f32, makeModelDirectory } from "../../support/tensors.ts";
import { buildText } from "./build-text.ts";

let root: string;
beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), "theta-nan-")));
  const models = { b: [0, 1, 2, 3], x: [1, 2, 3, 4], y: [2, 4, 6, 8], bad: [1, NaN, 3, 4] };
  for (const [name, values] of Object.entries(models)) {
    makeModelDirectory(join(root, "models", name), { w: f32([4], values) });
  }
});
afterEach(() => rmSync(root, { recursive: true }));

async function codes(merge: string): Promise<readonly string[]> {
  const declared = ["b", "x", "y", "bad"].map((name) => `model ${name} = "models/${name}"`).join("\n");
  const { diagnostics } = await buildText(root, `theta 1\n${declared}\nmerge m ${merge}\noutput "dist" = m\n`);
  return diagnostics.filter(({ severity }) => severity === "error").map(({ code }) => code);
}

const onVectors = (strategy: string): string => `onto b using ${strategy} { x\n y weight 2\n bad weight 0 }`;

test.each([
  ...["sum", "mean", "ties", "ties(elect: count, divide: count)"].map(onVectors),
  "onto b using nuslerp { x\n bad weight 0 }",
  "= linear(x, y, bad, weight: [1, 1, 0])",
  "= nuslerp(x, bad, weight: [1, 0])",
  "= slerp(x, bad, t: 0)",
])("%s does not look at it", async (merge) => {
  expect(await codes(merge)).toEqual([]);
});

test.each([
  ...["ties(elect: unweighted)", "consensus", "pcb", "multislerp"].map(onVectors),
  "= karcher(x, y, bad, weight: [1, 1, 0])",
  "= multislerp(x, y, bad, weight: [1, 1, 0])",
  "= b + ((x - b) & magnitude(density: 0.5, of: bad - b))",
])("%s looks at it", async (merge) => {
  expect(await codes(merge)).toContain("nan-in-input");
});
