// Garbage collection on stores that real builds filled.

import {
  copyFileSync,
  existsSync,
  linkSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { loadAddon } from "../../../native/index.ts";
import { DEFAULT_MAX_AGE, type Bounds } from "../../../runtime/store/choose-victims.ts";
import { collectGarbage, findGarbage, type Garbage } from "../../../runtime/store/collect-garbage.ts";
import { Lease } from "../../../runtime/store/lease.ts";
import { withStore } from "../../../runtime/store/store.ts";
import { storePaths } from "../../../runtime/store/store-paths.ts";
import { f32 } from "../../support/tensors.ts";
import { useWorkspace } from "../build/use-workspace.ts";

const addon = loadAddon();
const never = new AbortController().signal;
const NOTHING_KEPT: Bounds = { maxSize: 0, maxAge: DEFAULT_MAX_AGE };
const RECIPE = { outputs: ["dist/m"] };
const space = useWorkspace((space) => {
  for (const [name, value] of [
    ["base", 1],
    ["tune", 3],
  ] as const) {
    space.write(name, { a: f32([64, 64], new Array<number>(4096).fill(value)), b: f32([2], [value, -value]) });
  }
});

function collect(bounds: Bounds = NOTHING_KEPT): Promise<Garbage> {
  return withStore(space.path(".theta"), addon, (store) => collectGarbage(addon, store, bounds, never));
}

function shards(): readonly string[] {
  return readdirSync(space.path(".theta/shards")).filter((name) => name.endsWith(".safetensors"));
}

function age(path: string, days: number): void {
  const then = Date.now() / 1000 - days * 86_400;
  utimesSync(path, then, then);
}

test("takes the variants that no output holds; going back to one is a miss, and right", async () => {
  await space.build(RECIPE);
  const first = readFileSync(space.path("dist/m/model.safetensors"));
  await space.build({ ...RECIPE, weight: 0.25 });
  const before = shards();
  const { victims, freed } = await collect();
  expect(victims.map(({ because }) => because)).toEqual(["size"]);
  expect(freed).toBe(victims[0]!.shard.frees);
  expect(freed).toBeGreaterThan(16_384);
  expect(shards()).toEqual(before.filter((name) => !name.startsWith(victims[0]!.shard.digest)));
  expect(readdirSync(space.path(".theta/trash"))).toEqual([]);
  expect((await space.build({ ...RECIPE, weight: 0.25 })).phases).toEqual(["look-up"]);
  const back = await space.build(RECIPE);
  expect(back.actions.run).toBe(2);
  expect(readFileSync(space.path("dist/m/model.safetensors")).equals(first)).toBe(true);
});

test("of an output that was deleted, the next build makes the tensors again because they were evicted", async () => {
  await space.build(RECIPE);
  rmSync(space.path("dist"), { recursive: true });
  await collect();
  const plan = await space.plan(RECIPE);
  expect(plan.outputs[0]!.nodes.map((node) => node.state === "miss" && node.reason)).toEqual(["evicted", "evicted"]);
  expect((await space.build(RECIPE)).status).toBe("done");
});

test("a shard that an output is a hard link to frees nothing, and is kept with the output", async () => {
  await space.build(RECIPE);
  expect(statSync(space.path("dist/m/model.safetensors")).nlink).toBe(2);
  const { usage, garbage } = await findGarbage(addon, storePaths(space.path(".theta")), NOTHING_KEPT, never);
  expect(usage.shards.map(({ inOutput, shared, bytes }) => [inOutput, shared === bytes])).toEqual([[true, true]]);
  expect([garbage.freed, garbage.history]).toEqual([0, 0]);
  // The store does not know of this link: deleting its own frees nothing but the sidecar.
  linkSync(space.path("dist/m/model.safetensors"), space.path("kept"));
  rmSync(space.path("dist"), { recursive: true });
  const { freed } = await collect({ maxSize: undefined, maxAge: -1 });
  const sidecar = freed;
  expect(sidecar).toBeLessThanOrEqual(8192);
  expect(existsSync(space.path("kept"))).toBe(true);
});

test("a dry run says what a run does, and touches nothing", async () => {
  await space.build(RECIPE);
  await space.build({ ...RECIPE, weight: 0.25 });
  const before = shards();
  const { garbage } = await findGarbage(addon, storePaths(space.path(".theta")), NOTHING_KEPT, never);
  expect(shards()).toEqual(before);
  const done = await collect();
  expect(done.victims).toEqual(garbage.victims);
  expect(done.freed).toBe(garbage.freed);
});

test("a build that stored something collects what is too old by itself; one with nothing to do does not", async () => {
  await space.build(RECIPE);
  await space.build({ ...RECIPE, weight: 0.25 });
  for (const name of shards()) age(space.path(".theta/shards", name.replace("safetensors", "json")), 40);
  expect((await space.build({ ...RECIPE, weight: 0.25 })).phases).toEqual(["look-up"]);
  expect(shards().length).toBe(2);
  await space.build({ ...RECIPE, weight: 0.75 });
  // What the output held until now is history of today, however old it is.
  expect(shards().length).toBe(2);
  expect((await space.build({ ...RECIPE, weight: 0.25 })).actions.run).toBe(0);
  expect((await space.build(RECIPE)).actions.run).toBe(2);
});

test("leaves what a running build needs, and forgets the needs of one that ended", async () => {
  await space.build(RECIPE);
  const [name = ""] = shards();
  rmSync(space.path("dist"), { recursive: true });
  const lease = new Lease(addon, space.path(".theta/locks"));
  lease.pin([name.replace(".safetensors", "")]);
  writeFileSync(space.path(".theta/locks/build-1-killed"), "0000\n");
  expect((await collect()).victims).toEqual([]);
  expect(existsSync(space.path(".theta/locks/build-1-killed"))).toBe(false);
  lease.release();
  expect((await collect()).victims.length).toBe(1);
  expect(shards()).toEqual([]);
});

test("deletes what a crash left: trash, a shard without sidecar, a sidecar on its way", async () => {
  await space.build(RECIPE);
  const paths = storePaths(space.path(".theta"));
  const stored = join(paths.shards, shards()[0]!);
  const litter = [
    join(paths.trash, "0.safetensors"),
    join(paths.shards, `${"0".repeat(64)}.safetensors`),
    join(paths.shards, `${"1".repeat(64)}.coming`),
  ];
  for (const path of litter) copyFileSync(stored, path);
  expect((await collect()).freed).toBeGreaterThanOrEqual(3 * 16_384);
  expect(litter.filter((path) => existsSync(path))).toEqual([]);
  expect(existsSync(stored)).toBe(true);
  expect((await space.build(RECIPE)).phases).toEqual(["look-up"]);
});

test("deletes records that a build was killed over, but not one that is being written", async () => {
  await space.build(RECIPE);
  const { builds, outputs } = storePaths(space.path(".theta"));
  const left = [join(builds, "0.json.gz.1.new"), join(outputs, "0.json.1.new")];
  const under = join(builds, "1.json.gz.1.new");
  for (const path of [...left, under]) writeFileSync(path, "half a rec");
  for (const path of left) age(path, 1);
  expect((await collect()).freed).toBeGreaterThan(0);
  expect([...left, under].map((path) => existsSync(path))).toEqual([false, false, true]);
});

test("forgets the records of outputs that are gone for longer than history is kept", async () => {
  await space.build(RECIPE);
  await space.build({ outputs: ["dist/n"] });
  rmSync(space.path("dist/m"), { recursive: true });
  expect((await collect()).forgotten).toEqual([]);
  expect((await collect({ ...NOTHING_KEPT, maxAge: -1 })).forgotten.map(({ record }) => record.path)).toEqual([
    space.path("dist/m"),
  ]);
  expect((await space.build({ outputs: ["dist/n"] })).phases).toEqual(["look-up"]);
});

test("a shard that goes while it is about to be published is looked up again", async () => {
  await space.build(RECIPE);
  rmSync(space.path("dist"), { recursive: true });
  const stored = space.path(".theta/shards", shards()[0]!);
  let times = 1;
  const phase = (now: string): void => {
    if (now === "publish" && times-- > 0) rmSync(stored, { force: true });
  };
  const result = await space.build(RECIPE, {}, undefined, { phase });
  expect(result.status).toBe("done");
  expect(result.actions.run).toBe(2);
  expect(existsSync(space.path("dist/m/model.safetensors"))).toBe(true);
  // Somebody who does it again and again is told.
  rmSync(space.path("dist"), { recursive: true });
  times = Infinity;
  const fought = space.build(RECIPE, {}, undefined, { phase });
  await expect(fought).rejects.toMatchObject({ exitCode: 73, details: { code: "shard-gone" } });
  expect(existsSync(space.path("dist"))).toBe(false);
});

test("shards in the making go after a day, and so do journals that outlived theirs", async () => {
  await space.build(RECIPE);
  const { partial } = storePaths(space.path(".theta"));
  const write = (name: string, days: number): void => {
    writeFileSync(join(partial, name), "");
    age(join(partial, name), days);
  };
  for (const [stem, days] of [
    ["old", 2],
    ["new", 0.5],
  ] as const) {
    write(`${stem}.partial`, days);
    write(`${stem}.journal`, days);
    write(`alone-${stem}.journal`, days);
  }
  await collect();
  expect(readdirSync(partial).sort()).toEqual(["alone-new.journal", "new.journal", "new.partial"]);
});
