// What fuzzing found once, and a few fresh inputs of each kind; `npm run fuzz` makes as many as one has time for.

import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { fuzz, replay } from "./fuzz-kind.ts";
import { KINDS } from "./fuzzers.ts";

const CORPUS = fileURLToPath(new URL("./corpus/", import.meta.url));

test.each(KINDS)("%s that were wrong once", async (kind) => {
  await replay(kind, `${CORPUS}${kind}.json`);
});

test.each(KINDS.filter((kind) => kind !== "tasks"))("fresh %s", async (kind) => {
  expect(await fuzz(kind, 100, 1)).toBeUndefined();
});

test("fresh tasks, in a process that may crash", () => {
  const script = fileURLToPath(new URL("./run.mjs", import.meta.url));
  const args = [script, "--only", "tasks", "--runs", "300", "--seed", "1"];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
  expect(stderr).toBe("");
  expect(stdout).toMatch(/tasks: 300 inputs/);
  expect(status).toBe(0);
});

test("the corpus holds nothing else", () => {
  expect(readdirSync(CORPUS).sort()).toEqual(KINDS.map((kind) => `${kind}.json`).sort());
});
