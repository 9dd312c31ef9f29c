// The file without a name in which the thresholds of a della `per: model` lie while a build runs: a disk that takes it not, or
// does not give it back, ends the build in words, and nothing is left of it, also by a build that is killed.

import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { STRACE } from "../support/system-tools.ts";
import { f32, makeModelDirectory, type TestTensors } from "../support/tensors.ts";
import { testEnvironment, THETA } from "./theta-process.ts";

/** So many that no other thread writes as often as the one that ranks. */
const TENSORS = 700;
const LENGTH = 24;

function model(seed: number): TestTensors {
  const tensor = (at: number) =>
    f32(
      [LENGTH],
      Array.from({ length: LENGTH }, (_, i) => (Math.imul(at * LENGTH + i + 1, 2654435761 + seed) >>> 8) / 2 ** 24),
    );
  return Object.fromEntries(Array.from({ length: TENSORS }, (_, at) => [`layers.${at}.w`, tensor(at)]));
}

const RECIPE = `theta 1
base b = "b"
model x = "x"
output "out" = b + ((x - b) & della(density: 0.5, per: model, seed: 7))
`;

let directory: string;
const published = (): Buffer => readFileSync(join(directory, "out", "model.safetensors"));
let whole: Buffer;
const clean = (): void => {
  for (const name of [".theta", "out"]) rmSync(join(directory, name), { recursive: true, force: true });
};
const build = (under: readonly string[] = []): { readonly status: number | null; readonly stderr: string } => {
  const command = [...under, process.execPath, THETA, "build", "-C", directory, "--threads", "1"];
  return spawnSync(command[0]!, command.slice(1), { encoding: "utf8", env: testEnvironment({}) });
};
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "theta-ranks-"));
  makeModelDirectory(join(directory, "b"), model(0));
  makeModelDirectory(join(directory, "x"), model(40503));
  writeFileSync(join(directory, "merge.theta"), RECIPE);
  expect(build().status).toBe(0);
  whole = published();
});
afterAll(() => rmSync(directory, { recursive: true }));
beforeEach(clean);

describe.skipIf(!STRACE)("the file of ranks", () => {
  const traced = (
    calls: string,
    ...more: readonly string[]
  ): ReturnType<typeof build> & { readonly lines: readonly string[] } => {
    const log = join(directory, "trace");
    const result = build(["strace", "-f", "-y", "-qq", "-o", log, "-e", `trace=${calls}`, ...more]);
    return { ...result, lines: readFileSync(log, "utf8").split("\n") };
  };

  /** Which of its thread's calls this one of those about the file is, counted from its last. */
  const ordinal = (call: string, fromLast: number): number => {
    const counts = new Map<string, number>();
    const ours: number[] = [];
    for (const line of traced(call, "--seccomp-bpf").lines) {
      const [, thread = "", name] = /^(\d+) +(\w+)\(/.exec(line) ?? [];
      if (name !== call) continue;
      const count = (counts.get(thread) ?? 0) + 1;
      counts.set(thread, count);
      if (line.includes("/ranks-")) ours.push(count);
    }
    clean();
    return ours.at(-fromLast)!;
  };

  const expectSound = (): void => {
    expect(readdirSync(join(directory, ".theta", "partial")).filter((name) => name.startsWith("ranks"))).toEqual([]);
    expect(build().status).toBe(0);
    expect(published().equals(whole)).toBe(true);
  };

  test.each([
    ["pwrite64", "ENOSPC", 71, "disk is full"],
    ["pwrite64", "EDQUOT", 71, "quota"],
    ["pwrite64", "EIO", 73, "cannot be written"],
    ["pread64", "EIO", 73, "cannot be read again"],
  ] as const)("that meets %s, %s ends the build in words", (call, error, expected, words) => {
    const when = ordinal(call, 20);
    const { status, stderr, lines } = traced(call, "--seccomp-bpf", "-e", `inject=${call}:error=${error}:when=${when}`);
    expect(lines.filter((line) => line.includes("INJECTED")).join("\n")).toContain("/ranks-");
    expect(status, stderr).toBe(expected);
    expect(stderr).toContain(words);
    expectSound();
  });

  test("goes with a build that is killed", () => {
    const when = ordinal("pwrite64", 20);
    expect(traced("pwrite64", "-e", `inject=pwrite64:signal=KILL:when=${when}`).status).not.toBe(0);
    expectSound();
  });
});
