// Builds that are killed, cancelled, or not alone.

import { existsSync, mkdirSync, readFileSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, expect, test } from "vitest";
import { f32, type TestTensors } from "../../support/tensors.ts";
import { useChildren } from "./child.ts";
import { Workspace } from "./workspace.ts";

const spawnBuild = useChildren();
let space: Workspace;
beforeEach(() => {
  space = new Workspace();
  space.write("base", model(1));
  space.write("tune", model(3));
});
afterEach(() => space.remove());

const TENSORS = 48;
const RECIPE = { outputs: ["dist/m"], shard: 12 * 2 ** 20 };

/** 48 tensors of 1 MiB. */
function model(value: number): TestTensors {
  const tensors: Record<string, ReturnType<typeof f32>> = {};
  for (let at = 0; at < TENSORS; at++) {
    const values = new Array<number>(2 ** 18).fill(value + at);
    tensors[`layer.${at}.w`] = f32([512, 512], values);
  }
  return tensors;
}

/** Every file of an output. */
function content(output: string): ReadonlyMap<string, Buffer> {
  const folder = space.path(output);
  return new Map(readdirSync(folder).map((name) => [name, readFileSync(`${folder}/${name}`)]));
}

/** The weights of this merge of constants, by tensor; undefined where a tensor holds two numbers. */
function numbersOf(output: string): ReadonlyMap<string, number | undefined> {
  const numbers = new Map<string, number | undefined>();
  for (const [name, bytes] of content(output)) {
    if (!name.endsWith(".safetensors")) continue;
    const start = 8 + Number(bytes.readBigUInt64LE(0));
    const header = JSON.parse(bytes.toString("utf8", 8, start)) as Record<string, { data_offsets: [number, number] }>;
    for (const [tensor, { data_offsets: at }] of Object.entries(header)) {
      if (tensor === "__metadata__") continue;
      const payload = bytes.subarray(start + at[0], start + at[1]);
      const same = payload.equals(Buffer.alloc(payload.length, payload.subarray(0, 4)));
      numbers.set(tensor, same ? payload.readFloatLE(0) : undefined);
    }
  }
  return numbers;
}

function expected(weight: number): ReadonlyMap<string, number> {
  const merged = (at: number): number => Math.fround(1 + at + Math.fround(weight) * 2);
  return new Map(Array.from({ length: TENSORS }, (_, at) => [`layer.${at}.w`, merged(at)]));
}

test("killed at any moment, what is published is whole, and the next build gives what a clean one gives", async () => {
  await space.build({ ...RECIPE, outputs: ["clean/m"] }, { store: space.path("other-store") });
  const weights: number[] = [];
  for (const delay of [0, 15, 40, 80, 160]) {
    weights.unshift(0.1 + delay);
    const child = spawnBuild(space, { ...RECIPE, weight: 0.1 + delay });
    await child.computing;
    await sleep(delay);
    child.process.kill("SIGKILL");
    await child.done;
    if (!existsSync(space.path("dist/m"))) continue;
    const found = numbersOf("dist/m");
    expect(weights.map(expected)).toContainEqual(found);
    expect(existsSync(space.path("dist/m/theta.json"))).toBe(true);
  }
  const child = spawnBuild(space, RECIPE);
  await child.computing;
  await sleep(20);
  child.process.kill("SIGKILL");
  await child.done;
  const result = await space.build(RECIPE);
  expect(result.status).toBe("done");
  expect(numbersOf("dist/m")).toEqual(expected(0.5));
  const clean = content("clean/m");
  const built = content("dist/m");
  expect([...built.keys()]).toEqual([...clean.keys()]);
  expect([...built].filter(([name, bytes]) => !bytes.equals(clean.get(name)!))).toEqual([]);
  expect(readdirSync(space.path("dist"))).toEqual(["m"]);
  expect((await space.build(RECIPE)).phases).toEqual(["look-up"]);
});

test("cancelled, it stops, and the next build goes on from the last finished tensor", async () => {
  const stop = new AbortController();
  const slow = { engine: { threads: 1, memory: 64 * 2 ** 20, chunk: 2 ** 20 } };
  let left = 5;
  const actionDone = (): void => {
    if (--left === 0) stop.abort();
  };
  const cancelled = space.build(RECIPE, slow, stop.signal, { actionDone });
  await expect(cancelled).rejects.toMatchObject({ name: "AbortError" });
  expect(existsSync(space.path("dist"))).toBe(false);
  const result = await space.build(RECIPE);
  expect(result.status).toBe("done");
  expect(result.actions.run).toBeLessThanOrEqual(TENSORS - 5);
  expect(result.actions.run + result.actions.local_hit).toBe(TENSORS);
});

test("two processes that build the same output at once give one output, made once", async () => {
  const children = [spawnBuild(space, RECIPE), spawnBuild(space, RECIPE)];
  const results = await Promise.all(children.map(({ done }) => done));
  expect(results.map(({ code, error }) => [code, error])).toEqual([
    [0, ""],
    [0, ""],
  ]);
  expect(results.map(({ summary }) => summary!.actions.run).sort((a, b) => a - b)).toEqual([0, TENSORS]);
});

test("two processes that build different outputs on one store do not harm each other", async () => {
  const recipes = [RECIPE, { ...RECIPE, outputs: ["dist/n"] }, { ...RECIPE, outputs: ["dist/o"], weight: 0.25 }];
  const results = await Promise.all(recipes.map((recipe) => spawnBuild(space, recipe).done));
  expect(results.map(({ code, error }) => [code, error])).toEqual([
    [0, ""],
    [0, ""],
    [0, ""],
  ]);
  expect(results[0]!.summary!.outputs[0]!.digest).toBe(results[1]!.summary!.outputs[0]!.digest);
  for (const recipe of recipes) expect((await space.build(recipe)).phases).toEqual(["look-up"]);
});

test("with noWait, a held lock is exit code 75 and says who holds it", async () => {
  const child = spawnBuild(space, RECIPE);
  await child.computing;
  const refused = space.build(RECIPE, { noWait: true });
  await expect(refused).rejects.toMatchObject({
    exitCode: 75,
    message: expect.stringContaining(`process ${child.process.pid}`) as string,
  });
  await child.done;
});

test("an output is locked whatever the store and the way to it", async () => {
  mkdirSync(space.path("dist"));
  symlinkSync("dist", space.path("way"));
  const child = spawnBuild(space, RECIPE);
  await child.computing;
  child.process.kill("SIGSTOP");
  const others = [
    space.build({ ...RECIPE, outputs: ["way/m"] }, { noWait: true }),
    space.build(RECIPE, { noWait: true, store: space.path("other-store") }),
    space.build({ ...RECIPE, outputs: ["way/m"] }, { noWait: true, store: space.path("other-store") }),
  ];
  for (const other of await Promise.allSettled(others)) {
    expect(other).toMatchObject({ status: "rejected", reason: { exitCode: 75, details: { code: "output-locked" } } });
  }
  const beside = space.build({ ...RECIPE, outputs: ["dist/n"] }, { noWait: true, store: space.path("other-store") });
  expect((await beside).status).toBe("done");
  child.process.kill("SIGCONT");
  expect((await child.done).code).toBe(0);
  expect(readdirSync(space.path("dist")).sort()).toEqual(["m", "n"]);
});

test("an input that changes while it is read is exit code 66, and nothing wrong is kept", async () => {
  const file = space.path("tune/model.safetensors");
  const bytes = readFileSync(file);
  const phase = (phase: string): void => {
    if (phase === "compute") writeFileSync(file, bytes);
  };
  const disturbed = space.build(RECIPE, {}, undefined, { phase });
  await expect(disturbed).rejects.toMatchObject({ exitCode: 66, details: { code: "input-changed" } });
  expect((await space.build(RECIPE)).status).toBe("done");
});
