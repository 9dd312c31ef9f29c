// What every refusal looks like, whatever was refused: a sentence for people, an exit code, never a stack trace.

import { expect } from "vitest";
import type { ThetaRun } from "./theta-process.ts";

/** The first line says where, which code and what is wrong. */
const FIRST_ERROR = /^(?:[^\n]+: )?error\[([a-z0-9-]+)\]: [^\n]{8,}$/m;
const TRACE = /^ +at .*(?:\(|:\d+:\d+)|node:internal|\bundefined\b|\[object |\bNaN is\b|\u001b/m;

/** Holds a failed run to the contract; returns the code of its first error. */
export function refusal(run: ThetaRun, exitCode: number): string {
  const shown = `exit code ${run.code}\n${run.stdout}\n${run.stderr}`;
  expect(run.code, shown).toBe(exitCode);
  expect(run.stderr, shown).not.toMatch(TRACE);
  const code = FIRST_ERROR.exec(run.stderr)?.[1];
  expect(code, shown).toBeDefined();
  expect(code, shown).not.toBe("internal");
  expect(run.stderr, shown).not.toMatch(/[^\P{Cc}\n]/u);
  return code!;
}

/** The same under --json: what is on standard output is JSON whose first line names its schema; the codes in it. */
export function jsonRefusal(run: ThetaRun, exitCode: number): { readonly codes: readonly string[] } {
  refusal(run, exitCode);
  const lines = run.stdout.trimEnd().split("\n");
  const objects = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(objects[0]!["schema"]).toMatch(/^theta\.[a-z]+\/\d+$/);
  const codes = objects.flatMap(codesOf);
  expect(codes.length, run.stdout).toBeGreaterThan(0);
  return { codes };
}

function codesOf(object: Record<string, unknown>): string[] {
  const listed = (object["diagnostics"] ?? []) as readonly { readonly code: string }[];
  const own = object["type"] === "diagnostic" || object["type"] === "error" ? [object["code"] as string] : [];
  return [...own, ...listed.map(({ code }) => code)];
}
