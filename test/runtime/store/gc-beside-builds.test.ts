// Garbage collection in a process of its own: beside builds, killed at any moment, on a small disk.

import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { build as bundle } from "esbuild";
import { afterAll, beforeAll, expect, test } from "vitest";
import { loadAddon } from "../../../native/index.ts";
import { collectGarbage } from "../../../runtime/store/collect-garbage.ts";
import { withStore } from "../../../runtime/store/store.ts";
import { storePaths } from "../../../runtime/store/store-paths.ts";
import { verifyStore } from "../../../runtime/store/verify-store.ts";
import { f32, type TestTensors } from "../../support/tensors.ts";
import { useChildren } from "../build/child.ts";
import { useWorkspace } from "../build/use-workspace.ts";

const repository = fileURLToPath(new URL("../../../", import.meta.url));
const addon = loadAddon();
const never = new AbortController().signal;
const spawnBuild = useChildren();
let program = "";

beforeAll(async () => {
  program = mkdtempSync(join(tmpdir(), "theta-gc-"));
  symlinkSync(join(repository, "node_modules"), join(program, "node_modules"));
  symlinkSync(join(repository, "build/Release/theta.node"), join(program, "theta.node"));
  await bundle({
    entryPoints: [join(repository, "test/runtime/store/gc-main.ts")],
    outfile: join(program, "main.mjs"),
    bundle: true,
    platform: "node",
    format: "esm",
    external: ["libsql"],
  });
});
afterAll(() => rmSync(program, { recursive: true }));
const space = useWorkspace((space) => {
  space.write("base", model(1));
  space.write("tune", model(3));
});

/** Eight tensors of 64 KiB. */
function model(value: number): TestTensors {
  const tensors: Record<string, ReturnType<typeof f32>> = {};
  for (let at = 0; at < 8; at++) {
    tensors[`layer.${at}.w`] = f32([128, 128], new Array<number>(2 ** 14).fill(value + at));
  }
  return tensors;
}

function startCollector(): {
  readonly process: ChildProcess;
  readonly started: Promise<void>;
  readonly ended: Promise<number | null>;
} {
  const child = spawn(process.execPath, [join(program, "main.mjs"), space.path(".theta")]);
  const started = new Promise<void>((resolve) => child.stdout.once("data", () => resolve()));
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  return { process: child, started, ended };
}

function weights(output: string): Buffer {
  const names = readdirSync(space.path(output)).filter((name) => name.endsWith(".safetensors"));
  return Buffer.concat(names.sort().map((name) => readFileSync(space.path(output, name))));
}

async function findings(): Promise<readonly string[]> {
  const engine = addon.createEngine({ threads: 2, memory: 64 * 2 ** 20, chunk: 2 ** 16 });
  try {
    const observer = { total: () => undefined };
    const result = await verifyStore(addon, engine, storePaths(space.path(".theta")), observer, never);
    return result.findings.map(({ code, path }) => `${code} ${path}`);
  } finally {
    engine.close();
  }
}

const SHARD = 3 * 2 ** 16;

test("beside builds in other processes, each output is what a clean build gives", async () => {
  for (const weight of [0, 1, 2, 3]) {
    const clean = { outputs: [`clean/${weight}`], weight, shard: SHARD };
    await space.build(clean, { store: space.path("other-store") });
  }
  await space.build({ outputs: ["dist/a"], weight: 0, shard: SHARD });
  const collector = startCollector();
  await collector.started;
  for (let round = 1; round <= 20; round++) {
    // Another process builds the same variants into another place: their shards come, go, and are shared.
    const [first, second] = [round % 4, (round + 1) % 4];
    const beside = spawnBuild(space, { outputs: ["dist/b"], weight: first, shard: SHARD });
    if (round % 3 === 0) rmSync(space.path("dist/a"), { recursive: true });
    const result = await space.build({ outputs: ["dist/a", "dist/c"], weight: second, shard: SHARD });
    expect(result.status).toBe("done");
    expect(await beside.done).toMatchObject({ code: 0, error: "" });
    for (const output of ["dist/a", "dist/c"]) expect(weights(output).equals(weights(`clean/${second}`))).toBe(true);
    expect(weights("dist/b").equals(weights(`clean/${first}`))).toBe(true);
  }
  expect(collector.process.exitCode).toBe(null);
  collector.process.kill("SIGKILL");
  await collector.ended;
  expect(await findings()).toEqual([]);
}, 120_000);

test("killed at any moment, it leaves whole shards, and the next one deletes the rest", async () => {
  for (const [round, delay] of [0, 1, 2, 3, 5, 8, 13, 21, 34, 55].entries()) {
    for (const weight of [1, 2, 3])
      await space.build({ outputs: ["dist/a"], weight: round + weight / 4, shard: SHARD });
    const collector = startCollector();
    if (round % 2 === 0) await collector.started;
    else await sleep(40);
    await sleep(delay);
    collector.process.kill("SIGKILL");
    await collector.ended;
    expect((await findings()).filter((found) => !found.startsWith("sidecar-missing"))).toEqual([]);
  }
  const last = { outputs: ["dist/a"], weight: 9.75, shard: SHARD };
  expect((await space.build(last)).phases).toEqual(["look-up"]);
  await withStore(space.path(".theta"), addon, (store) =>
    collectGarbage(addon, store, { maxSize: 0, maxAge: 0 }, never),
  );
  expect(await findings()).toEqual([]);
  expect(readdirSync(space.path(".theta/trash"))).toEqual([]);
  expect(readdirSync(space.path(".theta/shards")).length).toBe(
    2 * readdirSync(space.path("dist/a")).filter((name) => name.endsWith(".safetensors")).length,
  );
  expect((await space.build(last)).phases).toEqual(["look-up"]);
}, 120_000);

test("on a full disk, history makes room for the work", async ({ skip }) => {
  const disk = space.path("disk");
  mkdirSync(disk);
  try {
    // Holds the index and four variants of half a MiB.
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=3m", "theta-test", disk], { stdio: "ignore" });
  } catch {
    skip("no file system can be mounted here (only root can)");
  }
  try {
    const store = join(disk, "store");
    for (let at = 0; at < 12; at++) {
      const result = await space.build({ outputs: ["dist/a"], weight: at / 8, shard: SHARD }, { store });
      expect(result.status).toBe("done");
    }
    const back = await space.build({ outputs: ["dist/a"], weight: 10 / 8, shard: SHARD }, { store });
    expect(back.actions).toMatchObject({ run: 0, local_hit: 8 });
  } finally {
    // Lazily: libsql lets go of a closed database when its statements are collected.
    execFileSync("umount", ["-l", disk]);
  }
}, 60_000);
