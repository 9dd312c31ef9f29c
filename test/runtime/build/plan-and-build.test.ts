// A plan says before the fact what the build's summary says after it: the same counts, the same bytes.

import { rmSync, utimesSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { f32, type TestTensors } from "../../support/tensors.ts";
import { useWorkspace } from "./use-workspace.ts";
import type { Recipe } from "./workspace.ts";

const space = useWorkspace((space) => {
  space.write("base", model(1));
  space.write("tune", model(3));
});

const ONE: Recipe = { outputs: ["dist/m"] };
const TWO: Recipe = { outputs: ["dist/m", "dist/n"] };
const SHARDED: Recipe = { ...ONE, shard: 2400 * 2 };

/** Four tensors of 2,400 bytes; `odd` replaces the first element of one of them. */
function model(value: number, odd: Readonly<Record<string, number>> = {}): TestTensors {
  const tensors: Record<string, ReturnType<typeof f32>> = {};
  for (const [position, name] of ["a", "b", "c", "d"].entries()) {
    const values = Array.from({ length: 600 }, (_, index) => value + position * index);
    values[0] = odd[name] ?? values[0]!;
    tensors[name] = f32([20, 30], values);
  }
  return tensors;
}

function remove(...path: readonly string[]): void {
  rmSync(space.path(...path), { recursive: true });
}

/** Another build, cut off when its first tensor is done. */
async function cutOff(recipe: Recipe): Promise<void> {
  const stop = new AbortController();
  const also = { actionDone: () => stop.abort() };
  await expect(
    space.build(recipe, { engine: { threads: 1, memory: 64 * 2 ** 20, chunk: 2 ** 16 } }, stop.signal, also),
  ).rejects.toThrow();
}

/** What is done before, then what is planned and built; `hash` lets the plan read what it must to be certain. */
const SITUATIONS: readonly (readonly [what: string, recipe: Recipe, before: () => Promise<void>, hash?: true])[] = [
  ["a first build", ONE, () => Promise.resolve()],
  ["a first build of two outputs that are one", TWO, () => Promise.resolve()],
  ["nothing to do", ONE, async () => void (await space.build(ONE))],
  ["another weight", { ...ONE, weight: 0.1 }, async () => void (await space.build(ONE))],
  [
    "an earlier weight",
    ONE,
    async () => {
      await space.build(ONE);
      await space.build({ ...ONE, weight: 0.1 });
    },
  ],
  ["other shards", SHARDED, async () => void (await space.build(ONE))],
  ["a second output of the same", TWO, async () => void (await space.build(ONE))],
  [
    "a second output with another weight",
    { ...TWO, weights: { "dist/n": 0.1 } },
    async () => void (await space.build(ONE)),
  ],
  ["a model more", { ...ONE, models: ["tune", "base"] }, async () => void (await space.build(ONE))],
  [
    "an output that is gone",
    ONE,
    async () => {
      await space.build(ONE);
      remove("dist");
    },
  ],
  [
    "two outputs that are gone",
    TWO,
    async () => {
      await space.build(TWO);
      remove("dist");
    },
  ],
  [
    "an edited side file",
    SHARDED,
    async () => {
      await space.build(SHARDED);
      writeFileSync(space.path("dist/m/README.md"), "edited");
    },
  ],
  [
    "an edited shard",
    SHARDED,
    async () => {
      await space.build(SHARDED);
      remove("dist/m/model-00002-of-00002.safetensors");
      writeFileSync(space.path("dist/m/model-00002-of-00002.safetensors"), "edited");
    },
  ],
  [
    "a store without shards",
    { ...SHARDED, weight: 0.1 },
    async () => {
      await space.build(SHARDED);
      remove(".theta/shards");
    },
  ],
  [
    "results that are gone everywhere",
    ONE,
    async () => {
      await space.build(ONE);
      remove("dist");
      remove(".theta/shards");
    },
  ],
  [
    "an index that is gone",
    ONE,
    async () => {
      await space.build(ONE);
      remove(".theta/index.sqlite");
    },
    true,
  ],
  [
    "one tensor of a model changed, hashed by the plan",
    SHARDED,
    async () => {
      await space.build(SHARDED);
      space.write("tune", model(3, { c: 9 }));
    },
    true,
  ],
  [
    "tensors of equal bytes, once known",
    { ...ONE, weight: 0.1 },
    async () => {
      const twins = { a: f32([8], Array<number>(8).fill(2)), b: f32([8], Array<number>(8).fill(2)) };
      space.write("base", twins);
      space.write("tune", twins);
      await space.build(ONE);
    },
  ],
  [
    "a build that was cut off",
    { ...ONE, weight: 0.1 },
    async () => {
      await space.build(ONE);
      await cutOff({ ...ONE, weight: 0.1 });
    },
  ],
  [
    "payloads that are only compared",
    { ...ONE, mustEqual: ["a"] },
    () => {
      space.write("tune", { ...model(3), a: model(1)["a"]! });
      return Promise.resolve();
    },
  ],
];

const cases = SITUATIONS.map(([what, recipe, before, hash = false]) => ({ what, recipe, before, hash }));

test.each(cases)("$what", async ({ recipe, before, hash }) => {
  await before();
  const { counts, bytes } = await space.plan(recipe, hash);
  const built = await space.build(recipe);
  const { unknown, ...actions } = counts;
  expect(unknown).toBe(0);
  expect(actions).toEqual(built.actions);
  expect({ read: bytes.hash + bytes.read, hashed: bytes.hashed, written: bytes.write, copied: bytes.copy }).toEqual(
    built.bytes,
  );
});

test("where digests are missing, the plan says how many bytes have to be read to know, and what it can be at most", async () => {
  await space.build(SHARDED);
  for (const time of [1, 2]) {
    utimesSync(space.path("tune/model.safetensors"), time, time);
    const { counts, bytes } = await space.plan(SHARDED);
    const built = await space.build(SHARDED);
    expect(counts).toMatchObject({ run: 0, up_to_date: 0, unknown: 4 });
    expect(built.actions).toMatchObject({ run: 0, up_to_date: 4 });
    expect(bytes.hash).toBe(4 * 2400);
    expect(built.bytes.read).toBe(bytes.hash);
    expect(built.bytes.read).toBeLessThanOrEqual(bytes.hash + bytes.read);
    expect(built.bytes.written).toBeLessThanOrEqual(bytes.write);
  }
});
