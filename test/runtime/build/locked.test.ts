// What --locked compares is what a build uses: an input that changes behind the comparison is found all the same.

import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import type { TensorInfo } from "../../../compiler/checkpoint.ts";
import { readModel } from "../../../runtime/checkpoint/model-directory.ts";
import type { OpenedFiles } from "../../../runtime/checkpoint/source-file.ts";
import { holdToLock, type LockedInputs } from "../../../runtime/lock-file/hold-to-lock.ts";
import { type LockFile, lockFileText } from "../../../runtime/lock-file/lock-file.ts";
import type { RecipeInputs, RecipeSource } from "../../../runtime/lock-file/recipe-inputs.ts";
import { sha256 } from "../../../runtime/store/sha256.ts";
import { f32, makeModelDirectory, type TestTensors } from "../../support/tensors.ts";
import { useWorkspace } from "./use-workspace.ts";

const space = useWorkspace((space) => {
  makeModelDirectory(space.path("base"), model(1), { files: { LICENSE: "free" } });
  makeModelDirectory(space.path("tune"), model(3));
});

const RECIPE = { outputs: ["dist/m"] };

function model(value: number): TestTensors {
  return { a: f32([20, 30], Array(600).fill(value)), b: f32([600], Array(600).fill(value + 1)) };
}

/** What the inputs are now, written down. */
function lock(): LockedInputs {
  const inputs = inputsNow();
  const sources: LockFile["sources"] = new Map(
    [...inputs.sources].map(([path, { kind, content }]) => [
      path,
      {
        kind,
        files: new Map([...content!.files].map(([name, { digest }]) => [name, digest])),
        tensors: new Map(
          [...content!.tensors].map(([name, tensor]) => [name, { ...tensor, digest: digestOf(tensor) }]),
        ),
      },
    ]),
  );
  writeFileSync(space.path("merge.lock"), lockFileText({ lists: new Map(), sources }));
  return hold();
}

/** To the lock file that was written before. */
function hold(): LockedInputs {
  return holdToLock(space.path("merge.lock"), "merge.lock", inputsNow());
}

function inputsNow(): RecipeInputs {
  const opened: OpenedFiles = new Map();
  const source = (name: string, sideFiles: readonly string[]): readonly [string, RecipeSource] => {
    const read = readModel(space.path(name), name, opened);
    if (read.kind === "problem") throw new Error(read.message);
    const files = sideFiles.map((file) => {
      const path = space.path(name, file);
      return [file, { path, digest: `sha256:${sha256(readFileSync(path))}` }] as const;
    });
    return [name, { names: [name], kind: "model", content: { tensors: read.tensors, files: new Map(files) } }];
  };
  return {
    lists: new Map(),
    sources: new Map([source("base", ["config.json", "LICENSE"]), source("tune", ["config.json"])]),
  };
}

function digestOf({ file, offset, bytes }: TensorInfo): string {
  return `sha256:${sha256(readFileSync(file).subarray(offset, offset + bytes))}`;
}

const MISMATCH = { exitCode: 66, details: { code: "lock-mismatch" } };

test("a payload whose digest nobody knows is compared when its bytes have passed", async () => {
  const locked = lock();
  await space.build(RECIPE, { locked });
  makeModelDirectory(space.path("tune"), { ...model(3), b: f32([600], Array(600).fill(7)) });
  const store = space.path("fresh-store");
  const before = readFileSync(space.path("dist/m/model.safetensors"));
  await expect(space.build(RECIPE, { locked: hold(), store, adopt: true })).rejects.toMatchObject(MISMATCH);
  expect(readFileSync(space.path("dist/m/model.safetensors")).equals(before)).toBe(true);
  // The next one knows the digests, and reads nothing to say so.
  const again = space.build(RECIPE, { locked: hold(), store, adopt: true });
  await expect(again).rejects.toMatchObject(MISMATCH);
  await expect(again).rejects.toHaveProperty("details.facts.0", "tune (tune): b changed, in model.safetensors");
});

test("an input that changes between comparison and use ends the build, and nothing of it is published", async () => {
  const locked = lock();
  const work = (): void => void makeModelDirectory(space.path("tune"), model(5));
  const building = space.build(RECIPE, { locked }, undefined, { work });
  await expect(building).rejects.toMatchObject({ exitCode: 66 });
  expect(existsSync(space.path("dist"))).toBe(false);
});

test.each(["config.json", "LICENSE"])("so does a %s that is to be taken over", async (file) => {
  const locked = lock();
  const work = (): void => writeFileSync(space.path("base", file), '{"model_type": "other"}');
  await expect(space.build(RECIPE, { locked }, undefined, { work })).rejects.toMatchObject({ exitCode: 66 });
  expect(existsSync(space.path("dist/m"))).toBe(false);
});

test("a file to be taken over that was not there is found, too", async () => {
  const locked = lock();
  const work = (): void => writeFileSync(space.path("base/NOTICE"), "new");
  await expect(space.build(RECIPE, { locked }, undefined, { work })).rejects.toMatchObject(MISMATCH);
});

test("one that is gone is missed", async () => {
  const locked = lock();
  const work = (): void => rmSync(space.path("base/LICENSE"));
  await expect(space.build(RECIPE, { locked }, undefined, { work })).rejects.toMatchObject(MISMATCH);
  expect(existsSync(space.path("dist/m"))).toBe(false);
});

test("a plan compares what it knows", async () => {
  const locked = lock();
  await space.build(RECIPE, { locked });
  makeModelDirectory(space.path("tune"), model(5));
  await space.build(RECIPE);
  await expect(space.build(RECIPE, { locked: hold() })).rejects.toMatchObject(MISMATCH);
});
