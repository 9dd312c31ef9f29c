// Recipes over the examples' checkpoints against digests that the strict oracle computed (test/oracle/golden.py): the same
// bits whatever the number of threads, the chunk size and the instruction set.

import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { copyExample } from "./example-copy.ts";
import { digests } from "./read-output.ts";
import { build } from "./theta-process.ts";

interface GoldenRecipe {
  readonly name: string;
  readonly example: string;
  /** null: the example's own merge.theta */
  readonly recipe: string | null;
  /** Output path → tensor name → dtype and SHA-256. */
  readonly outputs: Readonly<Record<string, Readonly<Record<string, readonly [string, string]>>>>;
}

const RECIPES = JSON.parse(
  readFileSync(new URL("../golden/recipes.json", import.meta.url), "utf8"),
) as readonly GoldenRecipe[];

const MACHINES = [
  { how: "as it comes", args: [], environment: {} },
  { how: "one thread, chunks of 4 KiB", args: ["--threads", "1"], environment: { THETA_CHUNK: "4KiB" } },
  {
    how: "three threads, no vector instructions",
    args: ["--threads", "3", "--memory", "64MiB"],
    environment: { THETA_ISA: "plain", THETA_CHUNK: "64KiB" },
  },
] as const;

const copies: string[] = [];
afterEach(() => {
  for (const copy of copies.splice(0)) rmSync(dirname(copy), { recursive: true, force: true });
});

describe.each(RECIPES)("$name", ({ example, recipe, outputs }) => {
  test.each(MACHINES)("equals the strict oracle: $how", ({ args, environment }) => {
    const copy = copyExample(example);
    copies.push(copy);
    if (recipe !== null) writeFileSync(join(copy, "merge.theta"), recipe);
    build(copy, args, environment);
    for (const [path, expected] of Object.entries(outputs)) expect(digests(join(copy, path)), path).toEqual(expected);
  });
});
