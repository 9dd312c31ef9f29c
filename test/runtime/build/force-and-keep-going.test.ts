// --force runs what is stored and compares; --keep-going makes what a failure does not concern.

import { appendFileSync, existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { beforeEach, describe, expect, test } from "vitest";
import { sha256 } from "../../../runtime/store/sha256.ts";
import { f32, type TestTensors } from "../../support/tensors.ts";
import { useWorkspace } from "./use-workspace.ts";

const space = useWorkspace((space) => {
  space.write("base", model(1));
  space.write("tune", model(3));
});

function model(value: number): TestTensors {
  return { a: f32([40], numbers(value)), b: f32([40], numbers(value + 1)), c: f32([40], numbers(value + 2)) };
}

function numbers(value: number): readonly number[] {
  return Array.from({ length: 40 }, (_, index) => value * index);
}

/** Makes the record of a published output say that its tensor `a` had other bits. Returns what the record is then. */
function plantOtherBits(output: string): string {
  const name = readdirSync(space.path(".theta/outputs")).find((each) => each === `${sha256(space.path(output))}.json`)!;
  const path = space.path(".theta/outputs", name);
  const [content = ""] = readFileSync(path, "utf8").split("\n");
  const line = content.replace(/sha256:[0-9a-f]{4}(?=[0-9a-f]{60}","key")/, "sha256:0000");
  const planted = `${line}\n${sha256(line)}\n`;
  writeFileSync(path, planted);
  return planted;
}

describe("force", () => {
  test("runs every action again and leaves an output that was right alone", async () => {
    const first = await space.build({ outputs: ["dist/m"] });
    const { ino } = statSync(space.path("dist/m/model.safetensors"));
    const again = await space.build({ outputs: ["dist/m"] }, { force: true });
    expect(again.actions).toMatchObject({ run: 3, up_to_date: 0, local_hit: 0 });
    expect(again.ran.toSorted()).toEqual(["a", "b", "c"]);
    expect(again.outputs).toEqual(first.outputs);
    expect(statSync(space.path("dist/m/model.safetensors")).ino).toBe(ino);
    expect((await space.build({ outputs: ["dist/m"] })).actions).toMatchObject({ run: 0, up_to_date: 3 });
  });

  test("publishes what was edited in the output", async () => {
    const first = await space.build({ outputs: ["dist/m"] });
    writeFileSync(space.path("dist/m/README.md"), "edited");
    const again = await space.build({ outputs: ["dist/m"] }, { force: true });
    expect(again.published).toEqual(["dist/m"]);
    expect(again.outputs).toEqual(first.outputs);
    expect(readFileSync(space.path("dist/m/README.md"), "utf8")).not.toBe("edited");
  });

  test("does not take the tensors that a build left behind when it was cut off", async () => {
    const stop = new AbortController();
    const cut = space.build({ outputs: ["dist/m"] }, {}, stop.signal, { actionDone: () => stop.abort() });
    await expect(cut).rejects.toMatchObject({ name: "AbortError" });
    expect((await space.build({ outputs: ["dist/m"] }, { force: true })).actions.run).toBe(3);
  });

  test("ends with 3 and both digests when the bits differ; the record stays", async () => {
    await space.build({ outputs: ["dist/m"] });
    const planted = plantOtherBits("dist/m");
    const forced = space.build({ outputs: ["dist/m"] }, { force: true });
    await expect(forced).rejects.toMatchObject({
      exitCode: 3,
      details: {
        code: "other-bits",
        facts: expect.arrayContaining([
          expect.stringMatching(/^before {2}sha256:0000[0-9a-f]{60}$/),
          expect.stringMatching(/^now {5}sha256:[0-9a-f]{64}$/),
        ]) as readonly string[],
      },
    });
    const [name] = readdirSync(space.path(".theta/outputs"));
    expect(readFileSync(space.path(".theta/outputs", name!), "utf8")).toBe(planted);
  });
});

describe("keepGoing", () => {
  const RECIPE = { outputs: ["dist/l", "dist/m", "dist/n"], weights: { "dist/l": 0.1, "dist/m": 0.2, "dist/n": 0.3 } };

  beforeEach(() => {
    mkdirSync(space.path("dist/m"), { recursive: true });
    writeFileSync(space.path("dist/m/mine"), "not theta's");
  });

  test("without it the first failure ends the build", async () => {
    await expect(space.build(RECIPE)).rejects.toMatchObject({ exitCode: 73 });
    expect(existsSync(space.path("dist/l"))).toBe(false);
  });

  test("costs the output that fails, and tells its failure at the end", async () => {
    const result = await space.build(RECIPE, { keepGoing: true });
    expect(result).toMatchObject({ status: "failed", exitCode: 73, actions: { run: 6 } });
    expect(result.failures).toMatchObject([{ exitCode: 73 }]);
    expect(result.outputs.map(({ path }) => path)).toEqual(["dist/l", "dist/n"]);
    expect(readdirSync(space.path("dist/m"))).toEqual(["mine"]);
  });

  test("an input that changes while it is read fails only what reads it; the exit code is the first output's", async () => {
    space.write("other", model(7));
    const recipe = { ...RECIPE, modelsOf: { "dist/l": ["other"] } };
    let changed = false;
    const change = (phase: string): void => {
      if (phase === "compute" && !changed) appendFileSync(space.path("other/model.safetensors"), "more");
      changed ||= phase === "compute";
    };
    const result = await space.build(recipe, { keepGoing: true }, undefined, { phase: change });
    expect(result).toMatchObject({ status: "failed", exitCode: 66 });
    // Three tensors were hit by it, and it is told once.
    expect(result.failures).toMatchObject([{ details: { code: "input-changed" } }, { exitCode: 73 }]);
    expect(result.outputs.map(({ path }) => path)).toEqual(["dist/n"]);
  });

  test("a tensor that does not fit in memory costs no other one that has an input in common with it", async () => {
    const recipe = { outputs: ["dist/l", "dist/n"], modelsOf: { "dist/l": Array<string>(700).fill("tune") } };
    const engine = { threads: 1, memory: 2 ** 20, chunk: 2 ** 16 };
    const result = await space.build(recipe, { keepGoing: true, engine });
    expect(result).toMatchObject({ status: "failed", exitCode: 71 });
    expect(result.outputs.map(({ path }) => path)).toEqual(["dist/n"]);
  });

  test("keeps the tensors of an output whose other tensor failed", async () => {
    const recipe = { ...RECIPE, outputs: ["dist/l", "dist/n"] };
    await space.build(recipe);
    plantOtherBits("dist/l");
    const forced = await space.build(recipe, { keepGoing: true, force: true });
    expect(forced).toMatchObject({ status: "failed", exitCode: 3, actions: { run: 5 } });
    expect(forced.failures).toMatchObject([{ details: { code: "other-bits" } }]);
    expect(forced.outputs.map(({ path }) => path)).toEqual(["dist/n"]);
  });

  test("a verdict counts as 1, as it does without", async () => {
    space.write("other", { ...model(7), a: f32([40], Array<number>(40).fill(NaN)) });
    const recipe = { ...RECIPE, modelsOf: { "dist/l": ["other"] } };
    const result = await space.build(recipe, { keepGoing: true });
    expect(result.diagnostics).toMatchObject([{ code: "nan-in-input" }]);
    expect(result).toMatchObject({ status: "failed", exitCode: 1 });
    expect(result.outputs.map(({ path }) => path)).toEqual(["dist/n"]);
  });
});
