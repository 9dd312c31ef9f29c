// A process that somebody else prepared: another library changed the floating-point mode, the C library is told to use other
// instructions, memory is limited to less than a model, few files may be open. The bits are the same.

import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { f32, makeModelDirectory, raw, type TestTensors } from "../support/tensors.ts";
import { digests } from "./read-output.ts";
import { refusal } from "./refusal.ts";
import { build, testEnvironment, THETA, theta } from "./theta-process.ts";

const root = mkdtempSync(join(tmpdir(), "theta-surroundings-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** Every merge whose scalars come from logarithms and angles, masks that divide and draw, and sums of denormals. */
const RECIPE = `theta 1
base b = "base"
model m = "maths"
model c = "code"
vector dm = m - b
vector dc = c - b
output "dist/linear" = linear(m, c, weight: [0.3, 0.7])
output "dist/slerp" = slerp(m, c, t: 0.3)
output "dist/karcher" = karcher(b, m, c)
output "dist/fusion" = b + arcee_fusion(dm)
output "dist/stock" = b + model_stock(dm, dc)
output "dist/dare" = b + 0.5 * (dm & random(density: 0.5, seed: 7))
output "dist/della" = b + (dm & della(density: 0.5, epsilon: 0.25, seed: 7))
merge t onto b using ties { each mask magnitude(density: 0.4)
  dm weight 0.4
  dc }
output "dist/ties" = t
`;
const OUTPUTS = ["linear", "slerp", "karcher", "fusion", "stock", "dare", "della", "ties"];

function model(seed: number): TestTensors {
  const near = (scale: number) =>
    Array.from({ length: 24 * 16 }, (_, at) => Math.sin(at * (seed + 1.618)) * scale * 2 ** (at % 8));
  return { "normal.weight": f32([24, 16], near(1)), "denormal.weight": f32([24, 16], near(2 ** -140)) };
}

function merged(variables: Readonly<Record<string, string>>): readonly unknown[] {
  for (const name of ["dist", ".theta"]) rmSync(join(root, name), { recursive: true, force: true });
  build(root, ["--threads", "2"], variables);
  return OUTPUTS.map((name) => digests(join(root, "dist", name)));
}

let undisturbed: readonly unknown[];
beforeAll(() => {
  for (const [seed, name] of ["base", "maths", "code"].entries()) makeModelDirectory(join(root, name), model(seed));
  writeFileSync(join(root, "merge.theta"), RECIPE);
  undisturbed = merged({});
});

test("a library built with -ffast-math is loaded first, and flushes denormals in every thread", () => {
  const [source, library] = [join(root, "fast.c"), join(root, "fast.so")];
  writeFileSync(source, "int theta_test_fast_math;\n");
  execFileSync(process.env["CC"] ?? "cc", ["-shared", "-fPIC", "-ffast-math", "-o", library, source]);
  const variables = { LD_PRELOAD: library };
  const flushed = spawnSync(process.execPath, ["-p", "2 ** -1030 / 2 ** 10"], {
    env: testEnvironment(variables),
    encoding: "utf8",
  });
  // Elsewhere the compiler's start-up code leaves the mode alone.
  if (process.arch === "x64") expect(flushed.stdout).toBe("0\n");
  expect(merged(variables)).toEqual(undisturbed);
});

test("the C library is told to use neither FMA nor AVX2", () => {
  const tunables = "glibc.cpu.hwcaps=-FMA,-AVX2,-FMA_Usable,-AVX2_Usable,-AVX512F";
  expect(merged({ GLIBC_TUNABLES: tunables })).toEqual(undisturbed);
});

test("few files may be open: refused by name or served, never a mistake of ours", () => {
  const limited = (limit: number, args: readonly string[]) =>
    spawnSync("sh", ["-c", `ulimit -n ${limit} && exec "$@"`, "sh", process.execPath, THETA, ...args], {
      cwd: root,
      env: testEnvironment({}),
      encoding: "utf8",
    });
  let limit = 8;
  while (limited(limit, ["--version"]).status !== 0) limit += 2;
  const attempt = () => {
    for (const name of ["dist", ".theta"]) rmSync(join(root, name), { recursive: true, force: true });
    return limited(limit, ["build"]);
  };
  let refused = 0;
  for (let run = attempt(); run.status !== 0; run = attempt()) {
    expect(run.status).toBe(71);
    expect(run.stderr).toMatch(/too many files are open\n.*ulimit -n/);
    refused++;
    limit += 4;
  }
  expect(refused).toBeGreaterThan(0);
  expect(OUTPUTS.map((name) => digests(join(root, "dist", name)))).toEqual(undisturbed);
});

test("a full disk behind a stream costs what was to be written there, and standard output is reported", () => {
  const into = (stream: 1 | 2, args: readonly string[]) =>
    spawnSync("sh", ["-c", `exec "$@" ${stream}>/dev/full`, "sh", process.execPath, THETA, ...args], {
      cwd: root,
      env: testEnvironment({}),
      encoding: "utf8",
    });
  for (const args of [["plan"], ["build", "--json"], ["explain", "--level", "tensor", "--format", "json"]]) {
    const run = into(1, args);
    expect(run.stderr).toMatch(/^error\[stdout-not-writable\]: standard output cannot be written: ENOSPC/m);
    expect(run.status).toBe(73);
  }
  expect(into(1, ["bild", "--json"]).status).toBe(64);
  expect(into(2, ["build"]).status).toBe(0);
});

test("a plan says that it has no place for temporary files, and a build needs none", () => {
  const nowhere = { TMPDIR: join(root, "nowhere") };
  const run = theta(root, ["plan"], nowhere);
  expect(refusal(run, 73)).toBe("no-temporary-directory");
  expect(theta(root, ["build"], nowhere).code).toBe(0);
});

/** A memory cgroup of version 1 or 2 that holds `bytes`, with its file of processes; undefined where none can be made. */
function memoryGroup(bytes: number): { readonly directory: string; readonly processes: string } | undefined {
  for (const [parent, limit] of [
    ["/sys/fs/cgroup/memory", "memory.limit_in_bytes"],
    ["/sys/fs/cgroup", "memory.max"],
  ] as const) {
    const directory = join(parent, `theta-test-${process.pid}`);
    try {
      mkdirSync(directory);
    } catch {
      continue;
    }
    if (existsSync(join(directory, limit))) {
      writeFileSync(join(directory, limit), String(bytes));
      return { directory, processes: join(directory, "cgroup.procs") };
    }
    rmdirSync(directory);
  }
  return undefined;
}

test("a memory limit smaller than each of the models", ({ skip }) => {
  const group = memoryGroup(224e6);
  if (group === undefined) return skip("no memory cgroup can be made here (only root can)");
  const place = join(root, "limited");
  const size = 240e6;
  for (const name of ["base", "maths"]) {
    const data = Buffer.alloc(size, name === "base" ? "\x00\x3f" : "\x80\x3f\xc0\x3f", "latin1");
    makeModelDirectory(join(place, name), { "embed.weight": raw("BF16", [1000, size / 2000], data) });
  }
  const recipe = `theta 1
base b = "base"
model m = "maths"
output "out" = b + ((m - b) & magnitude(density: 0.5))
`;
  writeFileSync(join(place, "merge.theta"), recipe);
  const inGroup = `echo $$ > "$0" && exec "$@"`;
  const command = [group.processes, process.execPath, THETA, "build", "--memory", "64MiB"];
  const run = spawnSync("sh", ["-c", inGroup, ...command], {
    cwd: place,
    env: testEnvironment({}),
    encoding: "utf8",
  });
  rmdirSync(group.directory);
  expect(run.stderr).toContain("out");
  expect(run.status).toBe(0);
  const limited = digests(join(place, "out"));
  for (const name of ["out", ".theta"]) rmSync(join(place, name), { recursive: true });
  build(place);
  expect(digests(join(place, "out"))).toEqual(limited);
});
