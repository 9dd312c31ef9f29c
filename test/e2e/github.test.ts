// In a step of GitHub Actions: annotations on the recipe's line, and a summary on the run's page. Neither may cost a build.

import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { f16, f32, makeModelDirectory } from "../support/tensors.ts";
import { theta, type ThetaRun } from "./theta-process.ts";

let space: string;
/** The checkout; the recipe lies in a folder of it. */
let workspace: string;
let summary: string;
beforeAll(() => void (space = mkdtempSync(join(tmpdir(), "theta-github-"))));
afterAll(() => rmSync(space, { recursive: true, force: true }));
beforeEach(() => {
  workspace = mkdtempSync(join(space, "workspace-"));
  summary = `${workspace}.md`;
  makeModelDirectory(join(workspace, "merges/a"), { "x.weight": f32([2], [60000, 1]) });
  makeModelDirectory(join(workspace, "merges/b"), { "x.weight": f32([2], [60000, 2]) });
});

const GOOD = `theta 1
base a = "a"
model b = "b"
merge it = linear(a, b, weight: [0.5, 0.5])
output "out" = it
`;

function write(recipe: string): void {
  writeFileSync(join(workspace, "merges/merge.theta"), recipe);
}

function onGitHub(args: readonly string[], variables: Readonly<Record<string, string>> = {}): ThetaRun {
  const github = { GITHUB_ACTIONS: "true", GITHUB_WORKSPACE: workspace, GITHUB_STEP_SUMMARY: summary, CI: "true" };
  return theta(join(workspace, "merges"), args, { ...github, ...variables });
}

function commands({ stderr }: ThetaRun): readonly string[] {
  return stderr.split("\n").filter((line) => line.startsWith("::"));
}

test("an error is an annotation on its line, beside the text for people", () => {
  write(GOOD.replace("linear(a, b,", "linear(a, b, bb,"));
  const run = onGitHub(["build"]);
  expect(run.code).toBe(65);
  expect(run.stderr).toContain("merge.theta:4:25: error[unknown-name]: nothing is named bb\n");
  expect(commands(run)).toEqual([
    "::error file=merges/merge.theta,line=4,col=25,endLine=4,endColumn=27,title=theta%3A unknown-name::" +
      "nothing is named bb%0Ahelp: did you mean b?",
  ]);
  expect(readFileSync(summary, "utf8")).toContain(
    "### theta build `merge.theta`: failed\n\n#### 1 error\n\n```text\nmerge.theta:4:25: error[unknown-name]: nothing is named bb\n",
  );
});

test("a warning is one, too, unless --quiet leaves it out", () => {
  write(`${GOOD}mask unused = magnitude(density: 0.5)\n`);
  const [warning, ...more] = commands(onGitHub(["check"]));
  expect(more).toEqual([]);
  expect(warning).toMatch(
    /^::warning file=merges\/merge\.theta,line=6,col=6,endLine=6,endColumn=12,title=theta%3A unused/,
  );
  expect(commands(onGitHub(["check", "--quiet"]))).toEqual([]);
});

test("what has no place in the recipe has none in the annotation", () => {
  write(GOOD);
  rmSync(join(workspace, "merges/b"), { recursive: true });
  expect(commands(onGitHub(["build", "-p", "k=1"]))[0]).toBe(
    "::error title=theta%3A unknown-parameter::the recipe has no parameter k%0Ahelp: it declares no parameters",
  );
  const locked = commands(onGitHub(["lock", "nowhere.theta"]));
  expect(locked).toHaveLength(1);
  expect(locked[0]).toMatch(/^::error title=theta%3A recipe-missing::there is no recipe at nowhere\.theta%0Ahelp: /);
  expect(commands(onGitHub(["build"], { GITHUB_WORKSPACE: join(space, "other") }))[0]).toMatch(
    /^::error title=theta%3A source-missing::/,
  );
});

test("percent signs, colons and commas of names are escaped, and no name can begin a command of its own", () => {
  const odd = "100%, c:d";
  mkdirSync(join(workspace, "merges", odd));
  writeFileSync(join(workspace, "merges", odd, "merge.theta"), GOOD.replace('"b"', '"::set-output %25"'));
  makeModelDirectory(join(workspace, "merges", odd, "a"), { "x.weight": f32([2], [1, 1]) });
  const [command, ...more] = commands(onGitHub(["check", odd]));
  expect(more).toEqual([]);
  expect(command).toMatch(/^::error file=merges\/100%25%2C c%3Ad\/merge\.theta,line=3,/);
  expect(command).toContain("::set-output %2525 does not exist");
});

test("standard output stays data under --json, and nothing is told twice", () => {
  write(GOOD.replace("[0.5, 0.5]", "[1, 1], normalize: false").replace("= it\n", "= it { dtype f16 }\n"));
  const run = onGitHub(["build", "--json"]);
  expect(run.code).toBe(1);
  for (const line of run.stdout.trimEnd().split("\n")) expect(() => JSON.parse(line) as unknown).not.toThrow();
  expect(commands(run)).toHaveLength(1);
  expect(run.stdout).not.toContain("::error");
  const text = readFileSync(summary, "utf8");
  expect(text).toContain("### theta build `merge.theta`: failed in ");
  expect(text).toContain("#### 1 error");
  expect(text).toContain("1 tensor merged, 0 from the cache; ");
});

test("the summary has outputs, counts and time, and each build of the step adds its own", () => {
  write(GOOD);
  const first = onGitHub(["build"]);
  expect(first.code, first.stderr).toBe(0);
  expect(commands(first)).toEqual([]);
  expect(onGitHub(["build", "--json"]).code).toBe(0);
  const text = readFileSync(summary, "utf8");
  expect(text).toMatch(
    /^### theta build `merge\.theta`: done in [\d.]+ s\n\n\| output \| tensors \| digest \|\n\| --- \| ---: \| --- \|\n\| `out` \| 1 \| `sha256:[0-9a-f]{64}` \|\n\n1 tensor merged, 0 from the cache; 16 B read, /,
  );
  expect(text).toContain("0 tensors merged, 1 from the cache; 0 B read, 0 B hashed, 0 B written");
});

test("a failure without a place stands in the summary, under --json, too", () => {
  write(GOOD);
  for (const args of [
    ["build", "--locked"],
    ["build", "--locked", "--json"],
  ]) {
    rmSync(summary, { force: true });
    const run = onGitHub(args);
    expect(run.code).toBe(66);
    expect(commands(run)).toHaveLength(1);
    expect(readFileSync(summary, "utf8")).toContain(
      "#### 1 error\n\n```text\nerror[lock-file-missing]: there is no merge.lock to hold to\n",
    );
  }
});

test("Markdown in names stays text", () => {
  makeModelDirectory(join(workspace, "merges/a"), { "```\n# no": f16([2], [1, 1]) });
  write(GOOD.replace('"out"', '"out|`x`"'));
  expect(onGitHub(["build", "--only", "out|`x`"]).code).toBe(65);
  expect(readFileSync(summary, "utf8")).toMatch(/\n````text\n[^]*\n````\n/);
  makeModelDirectory(join(workspace, "merges/a"), { "x.weight": f32([2], [1, 1]) });
  expect(onGitHub(["build"]).code).toBe(0);
  expect(readFileSync(summary, "utf8")).toContain("| `` out\\|`x` `` | 1 |");
});

test("a summary that cannot be written, or would be too large for GitHub, costs a sentence", () => {
  write(GOOD);
  const lost = onGitHub(["build"], { GITHUB_STEP_SUMMARY: join(space, "no/such/folder/file") });
  expect(lost.code).toBe(0);
  expect(lost.stderr).toMatch(/The step summary \S+ is not written: ENOENT/);
  writeFileSync(summary, "x".repeat(2 ** 20 - 10));
  const full = onGitHub(["build"]);
  expect(full.code).toBe(0);
  expect(full.stderr).toContain("is not written: it would grow beyond 1 MiB");
  expect(statSync(summary).size).toBe(2 ** 20 - 10);
  expect(onGitHub(["build"], { GITHUB_STEP_SUMMARY: "" }).stderr).not.toContain("summary");
});

test("elsewhere there are neither annotations nor summaries", () => {
  write(GOOD.replace("linear(a, b,", "linear(a, b, bb,"));
  for (const value of ["", "false", "1"]) {
    const run = onGitHub(["build"], { GITHUB_ACTIONS: value });
    expect(run.code).toBe(65);
    expect(commands(run)).toEqual([]);
  }
  expect(() => statSync(summary)).toThrow("ENOENT");
});

test("a gate that fails is an annotation on its line, and all gates stand in the summary", () => {
  write(`${GOOD}expect it {\n  finite\n  cosine(a) < 0\n}\n`);
  const run = onGitHub(["build"]);
  expect(run.code).toBe(1);
  expect(commands(run)).toHaveLength(1);
  expect(commands(run)[0]).toMatch(
    /^::error file=merges\/merge\.theta,line=8,col=3,endLine=8,endColumn=16,title=theta%3A gate-failed::cosine\(a\) of "out" is 1, not below 0/,
  );
  const text = readFileSync(summary, "utf8");
  expect(text).toContain("| `finite` | `out` | 0 | holds |\n| `cosine(a) < 0` | `out` | ");
  expect(text).toMatch(/\| \*\*fails\*\* \|$/m);
});
