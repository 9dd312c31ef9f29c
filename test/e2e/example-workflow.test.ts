// The example workflow does what it says: its commands work on a project, and a store that its cache step restores serves.

import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { theta } from "./theta-process.ts";

const EXAMPLES = fileURLToPath(new URL("../../examples/", import.meta.url));
const workflow = readFileSync(join(EXAMPLES, "github-actions/merge.yml"), "utf8");
const commands = [...workflow.matchAll(/run: npx theta (.*)/g)].map(([, args]) => args!.split(" "));

let space: string;
beforeAll(() => void (space = mkdtempSync(join(tmpdir(), "theta-workflow-"))));
afterAll(() => rmSync(space, { recursive: true, force: true }));

/** What checkout gives: files that nobody has seen before. */
function checkout(name: string, from = join(EXAMPLES, "tiny-llama")): string {
  const folder = join(space, name);
  const skipped = new Set([".theta", "dist", ".venv"]);
  cpSync(from, folder, { recursive: true, filter: (path) => !skipped.has(path.slice(from.length + 1)) });
  return folder;
}

test("its commands build, and on the next machine its cache serves: nothing is merged again", () => {
  expect(commands).toHaveLength(2);
  const first = checkout("first");
  const github = { CI: "true", GITHUB_ACTIONS: "true", GITHUB_WORKSPACE: first };
  expect(theta(first, ["lock"]).code).toBe(0);
  for (const args of commands) expect(theta(first, args, github)).toMatchObject({ code: 0 });
  const next = checkout("next", first);
  execFileSync("tar", ["cf", join(space, "cache.tar"), ".theta"], { cwd: first });
  // Files as old as the last run.
  execFileSync("sleep", ["2.1"]);
  execFileSync("tar", ["xf", join(space, "cache.tar")], { cwd: next });
  const [build = []] = commands;
  const run = theta(next, build, { ...github, GITHUB_WORKSPACE: next });
  expect(run.code, run.stderr).toBe(0);
  expect(run.stderr).toContain("nothing to merge, 78 tensors up to date");
});

test("pins what it uses to a major version, and gives a pull request no more than reading", () => {
  const uses = [...workflow.matchAll(/uses: (\S+)/g)].map(([, action]) => action!);
  expect(uses.length).toBeGreaterThan(0);
  for (const action of uses) expect(action).toMatch(/^actions\/[a-z/-]+@v\d+$/);
  expect(workflow).toMatch(/^permissions:\n {2}contents: read\n\n/m);
  expect(workflow).not.toMatch(/pull_request_target|secrets\.|: write/);
});
