// Shards close one behind the other, and at the end all threads have work.

import { readdirSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { orderShards } from "../../../runtime/build/shard-order.ts";
import type { ShardJob } from "../../../runtime/build/shard-job.ts";
import { f32, type TestTensors } from "../../support/tensors.ts";
import { useWorkspace } from "./use-workspace.ts";

/** Shards with tensors of these sizes, and the name of each with its group, in the order in which they are made. */
function ordered(threads: number, shards: Readonly<Record<string, readonly number[]>>): readonly string[] {
  const jobs = Object.entries(shards).map(
    ([id, sizes]) => ({ id, shard: { file: { tensors: sizes.map((bytes) => ({ bytes })) } } }) as unknown as ShardJob,
  );
  return orderShards(jobs, threads).map(({ job, group }) => `${job.id} ${group}`);
}

describe("the order of shards", () => {
  test("the one with the largest tensor comes first, equal ones as they were given", () => {
    expect(ordered(1, { a: [4, 9], b: [2, 9, 9], c: [20], d: [9, 9, 9] })).toEqual(["c 0", "a 1", "b 2", "d 3"]);
  });

  test("the last ones are made together until each thread has twice the largest tensor to do", () => {
    const equal = { a: [10, 10], b: [10, 10], c: [10, 10], d: [10, 10] };
    expect(ordered(1, equal)).toEqual(["a 0", "b 1", "c 2", "d 3"]);
    expect(ordered(2, equal)).toEqual(["a 0", "b 1", "c 2", "d 2"]);
    expect(ordered(3, equal)).toEqual(["a 0", "b 1", "c 1", "d 1"]);
    expect(ordered(64, equal)).toEqual(["a 0", "b 0", "c 0", "d 0"]);
  });

  test("a shard of one huge tensor is no reason to make all of them together", () => {
    expect(ordered(2, { a: [1, 1, 1, 1], b: [1000], c: [1, 1, 1, 1] })).toEqual(["b 0", "a 1", "c 2"]);
  });

  test("without tensors there is nothing to wait for, and without shards nothing to order", () => {
    expect(ordered(2, { a: [], b: [] })).toEqual(["a 0", "b 1"]);
    expect(ordered(2, {})).toEqual([]);
  });
});

describe("a build on one thread", () => {
  const sizes = { a1: 50, a2: 3000, b1: 3000, b2: 10, c1: 4000, d1: 20, d2: 1000, d3: 900, d4: 950 };
  const model = (factor: number): TestTensors =>
    Object.fromEntries(
      Object.entries(sizes).map(([name, count]) => [name, f32([count], Array<number>(count).fill(factor))]),
    );
  const space = useWorkspace((space) => {
    space.write("base", model(1));
    space.write("tune", model(3));
  });
  const recipe = { outputs: ["dist/m"], weight: 1, shard: 16_000 };
  const engine = { threads: 1, memory: 2 ** 26, chunk: 2 ** 16 };

  test("finishes shard by shard, in each the largest tensor first", async () => {
    const { ran } = await space.build(recipe, { engine });
    expect(readdirSync(space.path("dist/m")).filter((name) => name.endsWith(".safetensors"))).toHaveLength(4);
    expect(ran).toEqual(["c1", "a2", "a1", "b1", "b2", "d2", "d4", "d3", "d1"]);
  });
});
