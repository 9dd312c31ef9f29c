// Every build that did something leaves a record, and losing it loses an answer only.

import { readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import {
  listBuildIds,
  readBuildRecord,
  recordedAction,
  writeBuildRecord,
} from "../../../runtime/history/build-record.ts";
import { History, type Why } from "../../../runtime/history/why.ts";
import { storePaths } from "../../../runtime/store/store-paths.ts";
import { f32, type TestTensors } from "../../support/tensors.ts";
import { useWorkspace } from "../build/use-workspace.ts";

const space = useWorkspace((space) => {
  space.write("base", model(1));
  space.write("tune", model(3));
});

const RECIPE = { outputs: ["dist/m"] };

function model(value: number, a = value): TestTensors {
  return { a: f32([2, 2], [a, 1, 2, 3]), b: f32([3], [value, 4, 5]) };
}

function records(): readonly string[] {
  return readdirSync(space.path(".theta/builds"));
}

function why(output = "dist/m"): Why {
  return new History(storePaths(space.path(".theta"))).why(space.path(output));
}

function told(output?: string): Extract<Why, { state: "told" }> {
  const answer = why(output);
  if (answer.state !== "told") throw new Error(answer.state);
  return answer;
}

/** `tensor how reason` and what had changed, a line a tensor. */
function lines(output?: string): readonly string[] {
  const answer = told(output);
  return answer.tensors.map(({ tensor: { name, how, reason, wanted, changes } }) => {
    const kinds = changes.map((change) => {
      const each = answer.output.changes[change]!;
      return each.kind === "parameter" ? `${each.name} ${String(each.from)} -> ${String(each.to)}` : each.kind;
    });
    return [name, how, reason, ...(wanted === undefined ? [] : [wanted]), ...kinds].join(" ");
  });
}

test("a first build is recorded with what made each tensor; one with nothing to do is not", async () => {
  await space.build(RECIPE);
  expect(lines()).toEqual(["a run no-record", "b run no-record"]);
  const { build, output } = told();
  expect(build).toMatchObject({ status: "done", theta: "0.0.0-test", recipe: "merge.theta", actions: { run: 2 } });
  expect(recordedAction(output, output.tensors[0]!)).toMatchObject({
    dtype: "F32",
    operations: [{ op: "load" }, { op: "load" }, { op: "subtract" }, { op: "sum", settings: { weights: [0.5] } }, {}],
    inputs: [
      { role: "base", tensor: "a", file: space.path("base/model.safetensors") },
      { role: "tune", digest: expect.stringMatching(/^sha256:/) as string },
    ],
  });
  for (let count = 0; count < 3; count++) await space.build(RECIPE);
  expect(records()).toHaveLength(1);
});

test("another weight, an input's bytes, and going back are told apart", async () => {
  await space.build(RECIPE);
  await space.build({ ...RECIPE, weight: 0.25 });
  expect(lines()).toEqual([
    "a run param-changed weight of tune 0.5 -> 0.25",
    "b run param-changed weight of tune 0.5 -> 0.25",
  ]);
  await space.build(RECIPE);
  expect(lines()).toEqual([
    "a reused local-hit param-changed weight of tune 0.25 -> 0.5",
    "b reused local-hit param-changed weight of tune 0.25 -> 0.5",
  ]);
  expect(told().tensors.map(({ lastRun }) => lastRun?.reason)).toEqual(["no-record", "no-record"]);
  space.write("tune", model(3, 7));
  await space.build(RECIPE);
  expect(lines()).toEqual(["a run input-changed input", "b reused up-to-date"]);
  expect(told().output.changes).toMatchObject([{ kind: "input", role: "tune", tensor: "a" }]);
});

test("a model that joins, and another order of the terms", async () => {
  space.write("more", model(5));
  await space.build(RECIPE);
  await space.build({ ...RECIPE, models: ["tune", "more"] });
  expect(lines()).toEqual(["a run input-added input-added", "b run input-added input-added"]);
  await space.build({ ...RECIPE, models: ["more", "tune"] });
  expect(lines()).toEqual(["a run input-changed order", "b run input-changed order"]);
});

test("an output that was right already keeps the answer of the build that made it", async () => {
  await space.build({ outputs: ["dist/m", "dist/n"], weights: { "dist/n": 0.1 } });
  const first = told().build.id;
  await space.build({ outputs: ["dist/m", "dist/n"], weights: { "dist/n": 0.2 } });
  expect(told().build.id).toBe(first);
  expect(told("dist/n").build.id > first).toBe(true);
});

test("a forced build, and one that failed or was cut off, are recorded too", async () => {
  await space.build(RECIPE);
  await space.build(RECIPE, { force: true });
  expect(lines()).toEqual(["a run forced", "b run forced"]);
  space.write("tune", { ...model(3), a: f32([2, 2], [NaN, 1, 2, 3]) });
  expect((await space.build(RECIPE)).status).toBe("failed");
  expect(told()).toMatchObject({ build: { status: "failed" }, output: { state: "failed" } });
  const stop = new AbortController();
  const also = { actionDone: () => stop.abort() };
  await expect(space.build({ ...RECIPE, weight: 0.1, nan: "zero" }, {}, stop.signal, also)).rejects.toThrow();
  expect(told().build.status).toBe("stopped");
  expect(told().output.state).toBe("failed");
});

test("an output that was only put right says what was wrong with it", async () => {
  await space.build(RECIPE);
  writeFileSync(space.path("dist/m/README.md"), "edited");
  await space.build(RECIPE);
  expect(told().output).toMatchObject({ state: "published", because: "README.md was edited" });
  expect(lines()).toEqual(["a reused up-to-date", "b reused up-to-date"]);
});

test("without its record, or with a damaged one, a build runs as before and only the answer is lost", async () => {
  await space.build(RECIPE);
  rmSync(space.path(".theta/builds"), { recursive: true });
  expect(why()).toMatchObject({ state: "not-recorded", theta: "0.0.0-test" });
  expect((await space.build(RECIPE)).actions).toMatchObject({ run: 0, up_to_date: 2 });
  await space.build({ ...RECIPE, weight: 0.1 });
  expect(lines()).toEqual(["a run param-changed", "b run param-changed"]);
  const [name] = records();
  const file = space.path(".theta/builds", name!);
  const bytes = readFileSync(file);
  for (const spoil of [
    () => truncateSync(file, bytes.length - 9),
    () =>
      writeFileSync(
        file,
        bytes.map((byte, index) => (index === 40 ? byte ^ 1 : byte)),
      ),
    () => writeFileSync(file, "something else"),
    () => writeFileSync(file, ""),
  ]) {
    spoil();
    expect(why().state).toBe("not-recorded");
    expect((await space.build({ ...RECIPE, weight: 0.1 })).actions.run).toBe(0);
  }
});

test("a later build that left no record is noticed", async () => {
  await space.build(RECIPE);
  const [first] = records();
  await space.build({ ...RECIPE, weight: 0.1 });
  for (const name of records()) if (name !== first) rmSync(space.path(".theta/builds", name));
  expect(told().later).toMatch(/^\d{4}-/);
});

test("what cannot be recorded is a warning, not a failure", async () => {
  await space.build(RECIPE);
  rmSync(space.path(".theta/builds"), { recursive: true });
  writeFileSync(space.path(".theta/builds"), "in the way");
  const built = await space.build({ ...RECIPE, weight: 0.1 });
  expect(built.status).toBe("done");
  expect(built.diagnostics).toMatchObject([{ code: "build-not-recorded", severity: "warning" }]);
});

test("the history is bounded: the oldest records make room", async () => {
  await space.build(RECIPE);
  const paths = storePaths(space.path(".theta"));
  const [id] = listBuildIds(paths);
  const record = readBuildRecord(paths, id!)!;
  for (let year = 1000; year < 2001; year++) writeFileSync(join(paths.builds, `${year}0101T000000.000Z-1.json.gz`), "");
  writeBuildRecord(paths, { ...record, id: "99990101T000000.000Z-1" });
  const left = listBuildIds(paths);
  expect(left).toHaveLength(1000);
  expect(left.slice(0, 2)).toEqual(["99990101T000000.000Z-1", id]);
  expect(left).not.toContain("10000101T000000.000Z-1");
});
