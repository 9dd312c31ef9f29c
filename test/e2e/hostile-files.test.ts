// Every hostile source in a recipe, through the command line: exit code 66, the source's own code, no trace, no output.

import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { HostileSource } from "../hostile-files/hostile-source.ts";
import { HOSTILE_SOURCES } from "../hostile-files/hostile-sources.ts";
import { f32, makeModelDirectory } from "../support/tensors.ts";
import { jsonRefusal, refusal } from "./refusal.ts";
import { theta } from "./theta-process.ts";
import { useSession } from "./theta-session.ts";

const INPUT_IS_BAD = 66;
/** As a fine-tune, and in the place of the base. */
const RECIPES: Readonly<Record<HostileSource["kind"], readonly string[]>> = {
  model: [
    `base good = "good"\nmodel bad = "case/bad"\nmerge it = linear(good, bad)`,
    `model good = "good"\nbase bad = "case/bad"\nmerge it onto bad using sum { good }`,
  ],
  adapter: [
    `base good = "good"\nadapter bad = "case/bad" on good\nmerge it onto good using sum { bad }`,
    `base good = "good"\nadapter bad = "case/bad" on good\nvector half = 0.5 * bad\nmerge it = good + half`,
  ],
  vector: [
    `base good = "good"\nvector bad = "case/bad" on good\nmerge it onto good using sum { bad }`,
    `base good = "good"\nvector bad = "case/bad" on good\nmerge it = good + bad`,
  ],
};

const session = useSession();
let space: string;
beforeAll(() => void (space = mkdtempSync(join(tmpdir(), "theta-hostile-cli-"))));
afterAll(() => rmSync(space, { recursive: true, force: true }));

/** A project with the source in it and a recipe a use. */
function projectWith(source: HostileSource): string {
  const project = mkdtempSync(join(space, "project-"));
  makeModelDirectory(join(project, "good"), { "model.layers.0.mlp.weight": f32([2, 2], [1, 2, 3, 4]) });
  mkdirSync(join(project, "case"));
  source.make(join(project, "case/bad"));
  for (const [at, body] of RECIPES[source.kind].entries()) {
    writeFileSync(join(project, `${at}.theta`), `theta 1\n${body}\noutput "out" = it\n`);
  }
  return project;
}

test.for(HOSTILE_SOURCES)("$kind: $name", async (source) => {
  const project = projectWith(source);
  for (const verb of ["check", "plan", "build"]) {
    expect(refusal(await session(project, [verb, "0.theta"]), INPUT_IS_BAD)).toBe(source.code);
  }
  const { codes } = jsonRefusal(await session(project, ["build", "--json", "1.theta"]), INPUT_IS_BAD);
  expect(codes).toEqual([source.code]);
  expect(existsSync(join(project, "out"))).toBe(false);
});

test.for(HOSTILE_SOURCES.filter((_, at) => at % 24 === 0))("in a process of its own, $kind: $name", (source) => {
  expect(refusal(theta(projectWith(source), ["build", "0.theta"]), INPUT_IS_BAD)).toBe(source.code);
});
