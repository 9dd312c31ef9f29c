// Gates that compare with a merge which nobody stores write it to a file without a name. A full disk, or the end of the
// process, leaves nothing of that behind, changes no output, and the next build measures what a clean one measures.

import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { f32, writeSafetensors, type TestTensors } from "../support/tensors.ts";
import { STRACE } from "../support/system-tools.ts";
import { testEnvironment, THETA, theta } from "./theta-process.ts";

const RECIPE = `theta 1
param share: number = 0.5
base llama = "base"
model maths = "maths"
model code = "code"
merge part = linear(maths, code, weight: [share, 1])
merge m onto llama using sum {
  maths
  code
}
output "dist/m" = m
expect m {
  distance(part) < 1000
}
`;

let folder: string;
beforeAll(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "theta-gates-cut-off-")));
  for (const [name, seed] of [
    ["base", 1],
    ["maths", 2],
    ["code", 3],
  ] as const) {
    writeSafetensors(join(folder, name, "model.safetensors"), model(seed));
  }
  writeFileSync(join(folder, "merge.theta"), RECIPE);
  expect(theta(folder, ["build"]).code).toBe(0);
});
afterAll(() => rmSync(folder, { recursive: true }));

function model(seed: number): TestTensors {
  const values = (at: number): number[] => Array.from({ length: 4096 }, (_, i) => Math.sin(seed * 1000 + at * 100 + i));
  return Object.fromEntries(["a", "b", "c"].map((name, at) => [name, f32([64, 64], values(at))]));
}

/** With another share the output is as it was, and the gate has to be measured anew. */
function build(share: number, ...args: readonly string[]): readonly string[] {
  return ["build", "--json", "-p", `share=${share}`, ...args];
}

/** Null when it was killed. */
function cutOff(call: string, fault: string, when: number, share: number): number | null {
  const rules = [`trace=${call}`, `inject=${call}:${fault}:when=${when}`].flatMap((rule) => ["-e", rule]);
  const log = join(folder, "trace");
  const args = ["-f", "-qq", "-o", log, ...rules, process.execPath, THETA, ...build(share)];
  const { status } = spawnSync("strace", args, { cwd: folder, env: testEnvironment({}), timeout: 60_000 });
  if (fault !== "signal=KILL") expect(readFileSync(log, "utf8")).toContain("INJECTED");
  return status;
}

function valueOfGate(...args: readonly string[]): unknown {
  const { code, stdout, stderr } = theta(folder, args);
  expect(code, stderr).toBe(0);
  const summary = JSON.parse(stdout.trimEnd().split("\n").at(-1)!) as { readonly gates: readonly { value: unknown }[] };
  return summary.gates[0]!.value;
}

const FAULTS = [
  ["fallocate", "error=ENOSPC", 1],
  ["fallocate", "error=ENOSPC", 3],
  ["fallocate", "signal=KILL", 2],
  ["pwrite64", "error=ENOSPC", 1],
  ["pwrite64", "error=EIO", 2],
  ["pwrite64", "signal=KILL", 1],
  ["pwrite64", "signal=KILL", 3],
] as const;

describe.skipIf(!STRACE)("a build that only measures survives", () => {
  test.each(FAULTS)("%s, %s, the call number %i", (call, fault, when) => {
    const share = 1 + FAULTS.findIndex((one) => one[0] === call && one[1] === fault && one[2] === when);
    const shard = readFileSync(join(folder, "dist/m/model.safetensors"));
    const status = cutOff(call, fault, when, share);
    if (fault === "signal=KILL") expect([null, 137]).toContain(status);
    else expect([0, 71, 73]).toContain(status);
    expect(readdirSync(join(folder, ".theta/partial"))).toEqual([]);
    const value = valueOfGate(...build(share));
    expect(value).toBe(valueOfGate(...build(share, "--store", join(folder, `clean-${share}`), "--adopt")));
    expect(valueOfGate(...build(share))).toBe(value);
    expect(readFileSync(join(folder, "dist/m/model.safetensors")).equals(shard)).toBe(true);
    expect(theta(folder, ["cache", "verify"]).code).toBe(0);
  });
});
