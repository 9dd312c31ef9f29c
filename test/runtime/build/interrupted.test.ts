// Builds that are killed, cancelled, or not alone.

import { existsSync, mkdirSync, readFileSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { useChildren } from "./child.ts";
import { constantModel, filesOf, mergedNumbers, numbersOf } from "./constant-model.ts";
import { useWorkspace } from "./use-workspace.ts";

const spawnBuild = useChildren();
const space = useWorkspace((space) => {
  space.write("base", constantModel(TENSORS, 2 ** 18, 1));
  space.write("tune", constantModel(TENSORS, 2 ** 18, 3));
});

/** Of 1 MiB each. */
const TENSORS = 48;
const RECIPE = { outputs: ["dist/m"], shard: 12 * 2 ** 20 };

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
    const found = numbersOf(space.path("dist/m"));
    expect(weights.map((weight) => mergedNumbers(TENSORS, weight))).toContainEqual(found);
    expect(existsSync(space.path("dist/m/theta.json"))).toBe(true);
  }
  const child = spawnBuild(space, RECIPE);
  await child.computing;
  await sleep(20);
  child.process.kill("SIGKILL");
  await child.done;
  const result = await space.build(RECIPE);
  expect(result.status).toBe("done");
  expect(numbersOf(space.path("dist/m"))).toEqual(mergedNumbers(TENSORS, 0.5));
  const clean = filesOf(space.path("clean/m"));
  const built = filesOf(space.path("dist/m"));
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
