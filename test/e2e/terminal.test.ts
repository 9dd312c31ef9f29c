// What people see: lines that are redrawn on a terminal, plain lines elsewhere, colour only where it is wanted. `script`
// (util-linux) lends a terminal.

import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { testEnvironment, THETA, theta } from "./theta-process.ts";

const REDRAWN = /\u001b\[\d*A/;
const COLOURED = /\u001b\[3\d?m/;
const OUTPUT = /dist\/mixed {2}20 tensors {2}sha256:[0-9a-f]{64}/;

let project: string;
beforeAll(() => {
  project = mkdtempSync(join(tmpdir(), "theta-terminal-"));
  expect(theta(project, ["init"])).toMatchObject({ code: 0 });
});
afterAll(() => rmSync(project, { recursive: true, force: true }));

/** A build from nothing in a terminal of this width; what it shows. */
function buildInTerminal(columns: number, variables: Readonly<Record<string, string>>, ...args: string[]): string {
  rmSync(join(project, ".theta"), { recursive: true, force: true });
  const environment = testEnvironment({ TERM: "xterm" });
  delete environment["NO_COLOR"];
  const command = `stty cols ${columns} rows 24; "${process.execPath}" "${THETA}" build ${args.join(" ")}`;
  const run = spawnSync("script", ["-qec", command, "/dev/null"], {
    cwd: project,
    encoding: "utf8",
    env: { ...environment, ...variables },
  });
  expect(run.status, run.stdout).toBe(0);
  expect(run.stdout).toMatch(OUTPUT);
  return run.stdout;
}

describe("build", () => {
  test("redraws on a terminal, in colour", () => {
    const shown = buildInTerminal(80, {});
    expect(shown).toMatch(REDRAWN);
    expect(shown).toMatch(COLOURED);
  });

  test.each<readonly [what: string, variables: Readonly<Record<string, string>>, args: readonly string[]]>([
    ["NO_COLOR", { NO_COLOR: "1" }, []],
    ["--color never", {}, ["--color", "never"]],
  ])("redraws without colour with %s", (_, variables, args) => {
    const shown = buildInTerminal(80, variables, ...args);
    expect(shown).toMatch(REDRAWN);
    expect(shown).not.toMatch(COLOURED);
  });

  test.each<readonly [what: string, columns: number, variables: Readonly<Record<string, string>>]>([
    ["in CI", 80, { CI: "true" }],
    ["on a dumb terminal", 80, { TERM: "dumb" }],
    ["on a terminal of no width", 0, {}],
  ])("prints plain lines %s", (_, columns, variables) => {
    const shown = buildInTerminal(columns, variables);
    expect(shown).not.toMatch(REDRAWN);
    expect(shown).toContain("Making 20 tensors");
  });

  test("prints nothing but errors with --quiet", () => {
    expect(theta(project, ["build", "--quiet", "-p", "strength=0.1"])).toEqual({ code: 0, stdout: "", stderr: "" });
  });
});

test("human text goes to standard error, data to standard output", () => {
  for (const [args, stdout] of [
    [["build"], ""],
    [["check"], ""],
    [["explain"], "output"],
    [["plan"], "Plan for merge.theta"],
    [["--version"], "0."],
    [["help"], "Usage: theta"],
    [["help", "plan"], "Usage: theta plan [recipe] [flags]"],
  ] as const) {
    const run = theta(project, args);
    expect(run.code).toBe(0);
    if (stdout === "") expect(run.stdout).toBe("");
    else expect(run.stdout).toMatch(new RegExp(`^${stdout.replace(/[[\].]/g, "\\$&")}`));
  }
});

test("colour for errors only where it is asked for", () => {
  const wrong = ["check", "-p", "strength=9"];
  expect(theta(project, wrong).stderr).not.toMatch(COLOURED);
  expect(theta(project, [...wrong, "--color", "always"]).stderr).toMatch(COLOURED);
});
