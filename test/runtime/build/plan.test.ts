// A plan says what the build then does.

import { existsSync, mkdirSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import type { Plan } from "../../../runtime/plan.ts";
import { readOutputRecord, writeOutputRecord } from "../../../runtime/store/output-record.ts";
import { storePaths } from "../../../runtime/store/store-paths.ts";
import { f32, type TestTensors } from "../../support/tensors.ts";
import { useWorkspace } from "./use-workspace.ts";
import type { Recipe } from "./workspace.ts";

const space = useWorkspace((space) => {
  space.write("base", model(1));
  space.write("tune", model(3));
});

const RECIPE: Recipe = { outputs: ["dist/m"] };

function model(value: number, a = value): TestTensors {
  return { a: f32([2, 2], [a, 1, 2, 3]), b: f32([3], [value, 4, 5]) };
}

/** One line an output and a node. */
function lines(plan: Plan): readonly string[] {
  return plan.outputs.flatMap(({ display, state, because, nodes }) => [
    `${display}: ${state}${because === undefined ? "" : `, ${because}`}`,
    ...nodes.map((node) => `  ${node.tensor} ${node.state} ${node.state === "unknown" ? node.hash : node.reason}`),
  ]);
}

test("of a first build: all runs, because there is no record", async () => {
  const plan = await space.plan(RECIPE);
  expect(lines(plan)).toEqual(["dist/m: build", "  a miss no-record", "  b miss no-record"]);
  expect(plan.counts).toMatchObject({ run: 2, unknown: 0, up_to_date: 0 });
  expect(plan.bytes).toEqual({ hash: 0, read: 56, measure: 0, hashed: 84, copy: 0, write: 28 });
  expect(plan.peak).toBeGreaterThan(0);
  expect(plan.peak).toBeLessThanOrEqual(64 * 2 ** 20);
});

test("after the build: nothing", async () => {
  await space.build(RECIPE);
  const plan = await space.plan(RECIPE);
  expect(lines(plan)).toEqual(["dist/m: current", "  a hit up-to-date", "  b hit up-to-date"]);
  expect(plan.bytes).toEqual({ hash: 0, read: 0, measure: 0, hashed: 0, copy: 0, write: 0 });
});

test("of another weight: all runs, because a parameter changed; going back is a hit", async () => {
  await space.build(RECIPE);
  const other = { ...RECIPE, weight: 0.1 };
  expect(lines(await space.plan(other))).toEqual(["dist/m: build", "  a miss param-changed", "  b miss param-changed"]);
  await space.build(other);
  expect(lines(await space.plan(RECIPE))).toEqual([
    "dist/m: publish, model.safetensors changes",
    "  a hit local-hit",
    "  b hit local-hit",
  ]);
});

test("leaves no store where there is none, also when it may hash", async () => {
  expect(await space.plan(RECIPE, true)).toMatchObject({ counts: { run: 2, unknown: 0 }, bytes: { hash: 0 } });
  expect(existsSync(space.path(".theta"))).toBe(false);
});

test("of a file that was replaced: unknown until it is hashed", async () => {
  await space.build(RECIPE);
  space.write("tune", model(3, 7));
  const plan = await space.plan(RECIPE);
  expect(lines(plan)).toEqual(["dist/m: build", "  a unknown 16", "  b unknown 12"]);
  expect(plan.counts).toMatchObject({ run: 0, unknown: 2 });
  expect(plan.bytes.hash).toBe(28);
  const hashed = await space.plan(RECIPE, true);
  expect(lines(hashed)).toEqual(["dist/m: build", "  a miss input-changed", "  b hit up-to-date"]);
  expect(hashed.bytes).toMatchObject({ hash: 0, read: 32, copy: 12, write: 16 });
  expect((await space.build(RECIPE)).actions).toMatchObject({ run: 1, up_to_date: 1 });
});

test("hashing in a plan is remembered", async () => {
  await space.build(RECIPE);
  utimesSync(space.path("base/model.safetensors"), 1, 1);
  await space.plan(RECIPE, true);
  expect((await space.build(RECIPE)).bytes.hashed).toBe(0);
});

test("of another model: an input was added", async () => {
  await space.build(RECIPE);
  space.write("more", model(5));
  const plan = await space.plan({ ...RECIPE, models: ["tune", "more"] });
  expect(lines(plan)).toEqual(["dist/m: build", "  a miss input-added", "  b miss input-added"]);
});

test("of an output that is gone, or whose file was removed: published from the store", async () => {
  await space.build(RECIPE);
  rmSync(space.path("dist/m/README.md"));
  expect(lines(await space.plan(RECIPE))[0]).toBe("dist/m: publish, README.md is missing");
  rmSync(space.path("dist/m"), { recursive: true });
  expect(lines(await space.plan(RECIPE))).toEqual([
    "dist/m: publish, model.safetensors is missing",
    "  a hit up-to-date",
    "  b hit up-to-date",
  ]);
});

test("of a formula of another revision, and of a file that the output and the store lost", async () => {
  await space.build(RECIPE);
  rmSync(space.path(".theta/shards"), { recursive: true });
  const paths = storePaths(space.path(".theta"));
  const record = readOutputRecord(paths, space.path("dist/m"))!;
  const shards = record.shards.map(({ file, record: shard }) => {
    const tensors = shard.tensors.map((tensor) =>
      tensor.name === "b"
        ? { ...tensor, key: "of then", weak: "of then", operations: tensor.operations.replace("sum/1", "sum/0") }
        : tensor,
    );
    return { file, record: { ...shard, tensors } };
  });
  writeOutputRecord(paths, { ...record, shards });
  expect(lines(await space.plan(RECIPE)).slice(1)).toEqual(["  a hit up-to-date", "  b miss op-revision-changed"]);
  rmSync(space.path("dist/m/model.safetensors"));
  expect(lines(await space.plan(RECIPE)).slice(1)).toEqual(["  a miss output-missing", "  b miss op-revision-changed"]);
  writeFileSync(space.path("dist/m/model.safetensors"), "mine");
  expect(lines(await space.plan(RECIPE)).slice(1)).toEqual(["  a miss output-corrupt", "  b miss op-revision-changed"]);
});

test("of results that were deleted everywhere: evicted", async () => {
  await space.build(RECIPE);
  rmSync(space.path("dist"), { recursive: true });
  rmSync(space.path(".theta/shards"), { recursive: true });
  expect(lines(await space.plan(RECIPE)).slice(1)).toEqual(["  a miss evicted", "  b miss evicted"]);
});

test("of an output that a build would refuse: why, and nothing that is not done", async () => {
  const recipe: Recipe = { outputs: ["dist/m", "dist/n"], modelsOf: { "dist/m": ["tune"], "dist/n": ["bad"] } };
  space.write("bad", model(5, NaN));
  const built = await space.build(recipe, { keepGoing: true });
  expect(built.status).toBe("failed");
  const plan = await space.plan(recipe);
  expect(lines(plan)).toEqual([
    "dist/m: current",
    "  a hit up-to-date",
    "  b hit up-to-date",
    "dist/n: refused, a of bad holds NaN",
  ]);
  expect(plan.outputs[1]!.verdicts).toEqual(built.diagnostics);
  expect(plan.counts).toMatchObject({ run: 0, up_to_date: 2, local_hit: 0 });
  expect(lines(await space.plan({ ...recipe, nan: "zero" }))[3]).toBe("dist/n: build");
});

test("of an output in a directory that is not theta's: it is refused", async () => {
  mkdirSync(space.path("dist/m"), { recursive: true });
  writeFileSync(space.path("dist/m/notes.txt"), "mine");
  const plan = await space.plan(RECIPE);
  expect(lines(plan)).toEqual(['dist/m: refused, the directory "dist/m" exists and theta did not write it']);
  expect(plan.outputs[0]!.refusal).toMatchObject({ exitCode: 73, details: { code: "output-not-ours" } });
  expect(plan).toMatchObject({ counts: { run: 0 }, bytes: { read: 0, write: 0 }, peak: 0 });
});

test("of another output beside such a one: a build ends there, unless it keeps going", async () => {
  mkdirSync(space.path("dist/m"), { recursive: true });
  writeFileSync(space.path("dist/m/notes.txt"), "mine");
  const recipe: Recipe = { outputs: ["dist/n", "dist/m"] };
  const [, refused] = lines(await space.plan(recipe));
  expect(lines(await space.plan(recipe))).toEqual([
    'dist/n: refused, the build ends at "dist/m"; --keep-going makes this one',
    refused,
  ]);
  await expect(space.build(recipe)).rejects.toMatchObject({ exitCode: 73 });
  expect(existsSync(space.path("dist/n"))).toBe(false);
  expect(lines(await space.plan(recipe, false, { keepGoing: true }))).toEqual([
    "dist/n: build",
    "  a miss no-record",
    "  b miss no-record",
    refused,
  ]);
});
