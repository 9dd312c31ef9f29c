// A store that was copied to another place or restored in CI: its bytes are right, its time stamps say nothing. It serves
// after one reading, and what is wrong in it does not.

import { execFileSync } from "node:child_process";
import { chmodSync, cpSync, readdirSync, readFileSync, renameSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { f32, type TestTensors } from "../../support/tensors.ts";
import { useWorkspace } from "./use-workspace.ts";

const space = useWorkspace(async (space) => {
  space.write("base", model(1));
  space.write("tune", model(3));
  await space.build(RECIPE);
});

const RECIPE = { outputs: ["dist/m"], shard: 3600 };
const NAMES = ["a", "b", "c"];

function model(value: number): TestTensors {
  return Object.fromEntries(NAMES.map((name, at) => [name, f32([30, 30], Array(900).fill(value + at))]));
}

/** Other inodes, the same times: what tar does. The outputs are left behind. */
function restore(): void {
  rmSync(space.path("dist"), { recursive: true });
  execFileSync("tar", ["cf", "cache.tar", ".theta"], { cwd: space.root });
  renameSync(space.path(".theta"), space.path("before"));
  execFileSync("tar", ["xf", "cache.tar"], { cwd: space.root });
  for (const name of shards()) {
    const long = new Date(Date.now() - 60_000);
    utimesSync(name, long, long);
  }
}

function shards(): readonly string[] {
  const folder = space.path(".theta/shards");
  return readdirSync(folder)
    .filter((name) => name.endsWith(".safetensors"))
    .map((name) => join(folder, name));
}

function output(): Buffer {
  const folder = space.path("dist/m");
  const names = readdirSync(folder).filter((name) => name.endsWith(".safetensors"));
  return Buffer.concat(names.sort().map((name) => readFileSync(join(folder, name))));
}

test("serves after one reading, without running anything, and then as any other", async () => {
  const clean = output();
  restore();
  const first = await space.build(RECIPE);
  expect(first.actions).toMatchObject({ run: 0 });
  expect(first.bytes).toMatchObject({ hashed: 3 * 3600, written: 0 });
  expect(output().equals(clean)).toBe(true);
  const second = await space.build(RECIPE);
  expect(second.bytes).toEqual({ read: 0, hashed: 0, written: 0, copied: 0 });
  rmSync(space.path("dist"), { recursive: true });
  expect((await space.build(RECIPE)).bytes).toMatchObject({ read: 0, hashed: 0 });
  expect(output().equals(clean)).toBe(true);
});

test("is told by a plan as what it is: not known before the shards are read", async () => {
  restore();
  const plan = await space.plan(RECIPE);
  expect(plan.counts).toMatchObject({ run: 0, unknown: 3 });
  expect(plan.outputs[0]!.nodes.map((node) => node.state === "unknown" && node.hash)).toEqual([3600, 3600, 3600]);
  const { actions, bytes } = await space.build(RECIPE);
  expect(actions.run).toBe(0);
  expect(bytes.hashed).toBe(plan.bytes.hash);
});

test("is read by a plan that is to be certain, once", async () => {
  restore();
  const plan = await space.plan(RECIPE, true);
  expect(plan.counts).toMatchObject({ run: 0, unknown: 0, up_to_date: 3 });
  expect(plan.bytes).toMatchObject({ hash: 0, read: 0, write: 0 });
  expect((await space.build(RECIPE)).bytes).toMatchObject({ read: 0, hashed: 0 });
});

test("counts for a plan also where the inputs' digests were lost", async () => {
  restore();
  for (const name of ["base", "tune"]) {
    const file = space.path(name, "model.safetensors");
    writeFileSync(file, readFileSync(file));
  }
  const plan = await space.plan(RECIPE);
  expect(plan.counts).toMatchObject({ run: 0, unknown: 3 });
  const { actions, bytes } = await space.build(RECIPE);
  expect(actions.run).toBe(0);
  expect(bytes.hashed).toBe(plan.bytes.hash);
});

test("without its index, too", async () => {
  restore();
  rmSync(space.path(".theta/index.sqlite"));
  expect((await space.build(RECIPE)).actions.run).toBe(0);
});

test("with a wrong byte in it: that shard is made again, the others serve", async () => {
  const clean = output();
  restore();
  const [file] = shards();
  const bytes = readFileSync(file!);
  bytes[bytes.length - 1]! ^= 1;
  chmodSync(file!, 0o644);
  writeFileSync(file!, bytes);
  utimesSync(file!, new Date(0), new Date(0));
  expect((await space.plan(RECIPE)).counts).toMatchObject({ run: 0, unknown: 3 });
  expect((await space.plan(RECIPE, true)).counts).toMatchObject({ run: 1, unknown: 0, up_to_date: 2 });
  const first = await space.build(RECIPE);
  expect(first.ran).toHaveLength(1);
  expect(output().equals(clean)).toBe(true);
  expect((await space.build(RECIPE)).actions.run).toBe(0);
});

test("whose files were written this moment is not believed: their next change need not show", async () => {
  rmSync(space.path("dist"), { recursive: true });
  cpSync(space.path(".theta"), space.path("copy"), { recursive: true });
  const now = new Date();
  for (const name of readdirSync(space.path("copy/shards"))) utimesSync(space.path("copy/shards", name), now, now);
  expect((await space.build(RECIPE, { store: space.path("copy") })).ran.length).toBeGreaterThan(0);
});

test("is read for what could be of use alone, and not at all when the outputs are there", async () => {
  restore();
  renameSync(space.path(".theta"), space.path("restored"));
  renameSync(space.path("before"), space.path(".theta"));
  await space.build(RECIPE);
  expect((await space.build({ ...RECIPE, weight: 0.25 })).bytes.hashed).toBe(3 * 3600);
});
