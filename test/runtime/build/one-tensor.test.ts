// What a change reaches, on models of 201 tensors in many shards: the actions that read the changed payload, the shards
// that hold their results, and nothing else.

import { mkdtempSync, readdirSync, realpathSync, renameSync, rmSync, statSync, utimesSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { digests } from "../../e2e/read-output.ts";
import { makeModelDirectory, writeSafetensors } from "../../support/tensors.ts";
import { buildText, type Built } from "./build-text.ts";
import { layeredModel, TENSORS } from "./layered-model.ts";

const RECIPE = `theta 1
param w: number = 0.5
base  b = "models/b"
model x = "models/x"
model y = "models/y"

merge all onto b using ties { each mask magnitude(density: 0.3)
  x weight w
  y
}
merge one onto b using sum {
  x weight 0.3
}
output "dist/all" = all { shard 20kB }
output "dist/one" = one { shard 20kB }
output "dist/also" = all { dtype f32
  shard 40kB }
`;
const CHANGED = "model.layers.7.mlp.up_proj.weight";
const SHARDS = 9;

let root: string;
beforeEach(async () => {
  root = realpathSync(mkdtempSync(join(tmpdir(), "theta-change-")));
  for (const [seed, name] of ["b", "x", "y"].entries())
    makeModelDirectory(join(root, "models", name), layeredModel(seed));
  const first = await buildText(root, RECIPE);
  expect(first.actions.run).toBe(3 * TENSORS);
  expect(shardsOf("dist/all").length).toBeGreaterThanOrEqual(SHARDS);
});
afterEach(() => rmSync(root, { recursive: true }));

function shardsOf(folder: string): readonly string[] {
  return readdirSync(join(root, folder))
    .filter((name) => name.endsWith(".safetensors"))
    .sort();
}

/** Shard → inode and time of its last write. */
function states(folder: string): ReadonlyMap<string, string> {
  return new Map(
    shardsOf(folder).map((name) => {
      const { ino, mtimeNs } = statSync(join(root, folder, name), { bigint: true });
      return [name, `${ino} ${mtimeNs}`];
    }),
  );
}

/** Names that are new, gone or otherwise than before. */
function differences(before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>): readonly string[] {
  const names = new Set([...before.keys(), ...after.keys()]);
  return [...names].filter((name) => before.get(name) !== after.get(name));
}

const FOLDERS = ["dist/all", "dist/one", "dist/also", ".theta/shards"];

async function buildAndCompare(text = RECIPE): Promise<{ readonly built: Built; readonly changed: readonly number[] }> {
  const before = FOLDERS.map(states);
  const built = await buildText(root, text);
  return { built, changed: FOLDERS.map((folder, index) => differences(before[index]!, states(folder)).length) };
}

/** After one tensor of `y` changed, which `one` does not read. */
async function expectOneAction(): Promise<void> {
  const { built, changed } = await buildAndCompare();
  expect([...built.ran].sort()).toEqual([`dist/all:${CHANGED}`, `dist/also:${CHANGED}`]);
  expect(built.actions).toMatchObject({ run: 2, up_to_date: 3 * TENSORS - 2 });
  // One shard an output; the store has it beside the one that it replaces.
  expect(changed).toEqual([1, 0, 1, 2]);
  expect([...built.published].sort()).toEqual(["dist/all", "dist/also"]);
  await expectCleanBuildIsEqual();
}

async function expectCleanBuildIsEqual(): Promise<void> {
  const built = FOLDERS.slice(0, 3).map((folder) => digests(join(root, folder)));
  for (const folder of ["dist", ".theta"]) rmSync(join(root, folder), { recursive: true });
  await buildText(root, RECIPE);
  expect(FOLDERS.slice(0, 3).map((folder) => digests(join(root, folder)))).toEqual(built);
}

describe("one tensor of one fine-tune changed", () => {
  test("by a new file of the same size at the same path", async () => {
    writeSafetensors(join(root, "models/y/model.safetensors"), layeredModel(2, [CHANGED]), { format: "pt" });
    await expectOneAction();
  });

  test("by another file renamed over it, dated like the one that was there", async () => {
    const path = join(root, "models/y/model.safetensors");
    const { atime, mtime, size } = statSync(path);
    writeSafetensors(join(root, "new"), layeredModel(2, [CHANGED]), { format: "pt" });
    renameSync(join(root, "new"), path);
    utimesSync(path, atime, mtime);
    expect(statSync(path)).toMatchObject({ size, mtime });
    await expectOneAction();
  });

  test("in a fine-tune that is cut into shards now", async () => {
    const tensors = layeredModel(2, [CHANGED]);
    const names = Object.keys(tensors);
    rmSync(join(root, "models/y"), { recursive: true });
    makeModelDirectory(join(root, "models/y"), tensors, { shards: [names.slice(0, 90), names.slice(90)] });
    await expectOneAction();
  });
});

describe("nothing runs and nothing is published", () => {
  const same = async (text: string): Promise<void> => {
    const { built, changed } = await buildAndCompare(text);
    expect(built).toMatchObject({ actions: { run: 0, up_to_date: 3 * TENSORS }, published: [], ran: [] });
    expect(built.bytes).toMatchObject({ written: 0, copied: 0 });
    expect(changed).toEqual([0, 0, 0, 0]);
  };

  test("when nothing changed", () => same(RECIPE));

  test("when comments and blanks change", () =>
    same(
      `theta 1\n# A comment\n${RECIPE.slice("theta 1".length).replaceAll("  ", "      ").replaceAll("\n\n", "\n\n\n")}`,
    ));

  test("when names change", () =>
    same(
      RECIPE.replace(/\bx\b(?!")/g, "maths")
        .replace(/\bb\b(?!")/g, "llama")
        .replace(/\bw\b/g, "weight_of_x"),
    ));

  test("when statements change places", () => {
    const [head, ...statements] = RECIPE.split(/\n(?=param|base|model|merge|output)/);
    return same([head, ...statements.reverse()].join("\n"));
  });

  test("when another way of writing means the same", () =>
    same(RECIPE.replace("{ each mask magnitude(density: 0.3)", "{\n  each { mask magnitude(density: 3 / 10) }")));

  test("when the inputs are only touched, and then they are hashed once", async () => {
    utimesSync(join(root, "models/y/model.safetensors"), 1, 1);
    await same(RECIPE);
    const again = await buildText(root, RECIPE);
    expect(again.bytes).toEqual({ read: 0, hashed: 0, written: 0, copied: 0 });
  });
});

test("a weight changes the tensors that it reaches, in the outputs that it reaches", async () => {
  const text = RECIPE.replace("  y\n}", '  y\n  at "*.mlp.*" { x weight 0.1 }\n}');
  const { built, changed } = await buildAndCompare(text);
  expect(built.ran.length).toBe(2 * 22 * 3);
  expect(built.ran.every((name) => name.includes(".mlp."))).toBe(true);
  expect(changed[1]).toBe(0);
});

test("a model that takes the place of another with the same content changes nothing", async () => {
  renameSync(join(root, "models/y"), join(root, "models/z"));
  const { built, changed } = await buildAndCompare(RECIPE.replace('"models/y"', '"models/z"'));
  expect(built.actions.run).toBe(0);
  expect(changed).toEqual([0, 0, 0, 0]);
});
