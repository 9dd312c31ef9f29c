// An output directory is a function of the recipe's meaning and of its inputs' bytes: not of the machine, not of what is
// cached, and not of what another output depends on.

import { cpSync, mkdtempSync, readFileSync, readdirSync, realpathSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { f32 } from "../../support/tensors.ts";
import { useWorkspace } from "./use-workspace.ts";
import { Workspace } from "./workspace.ts";

const space = useWorkspace((space) => {
  for (const [model, value] of [["base", 1] as const, ["tune", 3] as const, ["other", 5] as const]) {
    const values = Array.from({ length: 600 }, (_, index) => value + index);
    space.write(model, { a: f32([600], values), b: f32([20, 30], values), c: f32([30, 20], values) });
  }
});

const RECIPE = { outputs: ["dist/m", "dist/n"], models: ["tune", "other"], shard: 2400 };

/** Every file of a directory, by its path in it. */
function contentOf(directory: string): ReadonlyMap<string, string> {
  const files = readdirSync(directory, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = files.map(({ parentPath, name }) => join(parentPath, name)).sort();
  return new Map(paths.map((path) => [path.slice(directory.length), readFileSync(path, "base64")]));
}

function inodes(output: string): readonly bigint[] {
  const names = ["", ...readdirSync(space.path(output)).sort()];
  return names.map((name) => statSync(space.path(output, name), { bigint: true }).ino);
}

test("it is the same whatever is cached", async () => {
  await space.build(RECIPE);
  const cold = contentOf(space.path("dist"));
  expect([...cold.keys()]).toContain("/m/theta.json");

  await space.build(RECIPE);
  expect(contentOf(space.path("dist"))).toEqual(cold);

  rmSync(space.path(".theta/index.sqlite"));
  rmSync(space.path("dist/m"), { recursive: true });
  await space.build(RECIPE);
  expect(contentOf(space.path("dist"))).toEqual(cold);

  rmSync(space.path("dist"), { recursive: true });
  await space.build({ ...RECIPE, outputs: ["dist/n"] });
  await space.build(RECIPE);
  expect(contentOf(space.path("dist"))).toEqual(cold);

  for (const lost of [".theta", "dist"]) rmSync(space.path(lost), { recursive: true });
  await space.build({ ...RECIPE, outputs: ["dist/n", "dist/m"] });
  expect(contentOf(space.path("dist"))).toEqual(cold);
});

test("it is the same elsewhere", async () => {
  const elsewhere = new Workspace(realpathSync(mkdtempSync(join(tmpdir(), "theta-elsewhere-"))));
  for (const model of ["base", "tune", "other"]) {
    cpSync(space.path(model), elsewhere.path(model), { recursive: true });
  }
  try {
    await space.build(RECIPE);
    await elsewhere.build(RECIPE);
    expect(contentOf(elsewhere.path("dist"))).toEqual(contentOf(space.path("dist")));
  } finally {
    elsewhere.remove();
  }
});

test("theta.json says of every input which tensors went in", async () => {
  const { outputs } = await space.build({ ...RECIPE, models: ["tune"], weight: 1, outputs: ["dist/m"] });
  const theta = JSON.parse(readFileSync(space.path("dist/m/theta.json"), "utf8")) as {
    readonly inputs: readonly { readonly source: string; readonly digest: string }[];
  };
  // The merge with weight 1 is the fine-tune, and it reads all of it.
  expect(theta.inputs.find(({ source }) => source === "tune")?.digest).toBe(outputs[0]!.digest);
  expect(theta.inputs.map(({ source }) => source)).toEqual(["base", "tune"]);
  for (const { digest } of theta.inputs) expect(digest).toMatch(/^sha256:[0-9a-f]{64}$/);
});

test("a parameter that only another output uses leaves it alone", async () => {
  await space.build(RECIPE, { parameters: new Map([["w", 0.5]]) });
  const before = inodes("dist/m");
  // The other output's actions change, this one's do not.
  const again = await space.build({ ...RECIPE, weights: { "dist/n": 0.25 } }, { parameters: new Map([["w", 0.25]]) });
  expect(again.published).toEqual(["dist/n"]);
  expect(again.actions).toMatchObject({ run: 3, up_to_date: 3 });
  expect(inodes("dist/m")).toEqual(before);
  const plan = await space.plan({ ...RECIPE, weights: { "dist/n": 0.25 } });
  expect(plan.outputs.map(({ state }) => state)).toEqual(["current", "current"]);
});
