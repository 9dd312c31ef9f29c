// What a build puts into a file without a name for want of memory: the ranks of della over large groups. The bits are the
// same with and without it, it leaves nothing behind, and a disk that takes it not, or does not give it back, ends the
// build in words.

import { readFileSync, readdirSync, rmSync, statfsSync } from "node:fs";
import { beforeEach, describe, expect, test } from "vitest";
import { checkDiskSpace } from "../../../runtime/store/disk-space.ts";
import { STRACE } from "../../support/system-tools.ts";
import { f32, type TestTensor, type TestTensors } from "../../support/tensors.ts";
import { useChildren } from "./child.ts";
import { filesOf } from "./constant-model.ts";
import { useWorkspace } from "./use-workspace.ts";

const RECIPE = { outputs: ["dist/m"], models: ["a", "b"], ranked: true };
/** Too little for the records of the larger tensors, so that some lie in memory and some do not. */
const LITTLE = { engine: { threads: 1, memory: 7 * 2 ** 19, chunk: 2 ** 16 } };

const spawnBuild = useChildren();
const space = useWorkspace((space) => {
  for (const [seed, name] of ["base", "a", "b"].entries()) space.write(name, model(seed));
});

/** Many sizes that are equal, and many that are not; one tensor whose differences are all alike. */
function model(seed: number): TestTensors {
  const numbers = (count: number, of: (random: number) => number): number[] =>
    Array.from({ length: count }, (_, at) => of(Math.imul(at + 1, 2654435761 + 40503 * seed) >>> 0));
  return {
    spread: f32(
      [300, 1000],
      numbers(300_000, (random) => (random % 7 < 3 ? random % 5 : random / 2 ** 33)),
    ),
    alike: f32(
      [200_000],
      numbers(200_000, () => seed),
    ),
    small: f32(
      [3, 5],
      numbers(15, (random) => random % 9),
    ),
  };
}

const published = (): Buffer => filesOf(space.path("dist/m")).get("model.safetensors")!;
/** Of files in the making, where scratch files would lie. */
const left = (): readonly string[] => readdirSync(space.path(".theta/partial")).filter((name) => /scratch/.test(name));

let whole: Buffer;
beforeEach(async () => {
  await space.build(RECIPE, { store: space.path("whole") });
  whole = published();
});

test.each([2 ** 12, 2 ** 14, 2 ** 16])("what has no room gives the same bits, in chunks of %i bytes", async (chunk) => {
  await space.build(RECIPE, { engine: { ...LITTLE.engine, chunk } });
  expect(published().equals(whole)).toBe(true);
  expect(left()).toEqual([]);
});

test("a plan tells of what has no room, and where all has none", async () => {
  expect((await space.plan(RECIPE)).scratch).toBe(0);
  expect((await space.plan(RECIPE, false, LITTLE)).scratch).toBeGreaterThan(2 ** 20);
  await space.build(RECIPE, LITTLE);
  expect((await space.plan(RECIPE, false, LITTLE)).scratch).toBe(0);
});

test("a plan tells of the bytes of all actions that run at a time, however many threads are asked for", async () => {
  space.write("base", { ...model(0), again: model(3)["spread"]! });
  for (const [seed, name] of ["a", "b"].entries())
    space.write(name, { ...model(seed + 1), again: model(seed + 4)["spread"]! });
  const recipe = { ...RECIPE, models: ["a", "b", "a", "b", "a", "b", "a", "b", "a", "b", "a", "b"] };
  const planned = async (threads: number): Promise<readonly number[]> => {
    const { peak, scratch } = await space.plan(recipe, false, { engine: { threads, memory: 2 ** 25, chunk: 2 ** 16 } });
    return [peak, scratch];
  };
  const [peak, scratch] = await planned(2);
  expect(scratch).toBeGreaterThan(0);
  expect(peak).toBeGreaterThan(2 ** 24);
  expect(peak).toBeLessThanOrEqual(2 ** 25);
  // So little memory is for two.
  expect(await planned(16)).toEqual([peak, scratch]);
});

test("a disk without room for it is told of before anything is read", () => {
  const { bavail, bsize } = statfsSync(space.root);
  const free = bavail * bsize;
  const check = (scratch: number) => checkDiskSpace(space.root, 2 ** 20, 1, scratch);
  expect(() => check(free / 2)).not.toThrow();
  expect(() => check(2 * free)).toThrow(/ are needed \(.* at most for scratch files\), .* more than are free/);
});

describe.skipIf(!STRACE)("a scratch file", () => {
  /** A child's calls, one a line: the thread's number, the call, and what descriptors are. */
  async function traced(calls: string, ...more: readonly string[]): Promise<Traced> {
    rmSync(space.path(".theta"), { recursive: true, force: true });
    const log = space.path("trace");
    const flags = ["-f", "-y", "-qq", "-o", log, "-e", `trace=${calls}`, ...more];
    const { code, error } = await spawnBuild(space, RECIPE, LITTLE, ["strace", ...flags]).done;
    return { code, error, lines: readFileSync(log, "utf8").split("\n") };
  }

  /**
   * The call about the file that comes when this share of all such calls is through: which of its thread it is. No other thread
   * makes so many.
   */
  async function ordinal(call: string, share: number): Promise<number> {
    const calls = new Map<string, string[]>();
    for (const line of (await traced(call, "--seccomp-bpf")).lines) {
      const [, thread = "", name] = /^(\d+) +(\w+)\(/.exec(line) ?? [];
      if (name === call) calls.set(thread, [...(calls.get(thread) ?? []), line]);
    }
    const [most = [], next = []] = [...calls.values()].sort((a, b) => b.length - a.length);
    const ours = most.flatMap((line, at) => (at > next.length && NAMELESS.test(line) ? [at + 1] : []));
    expect(ours.length, `${call} of a scratch file`).toBeGreaterThan(20);
    return ours[Math.floor(share * ours.length)]!;
  }

  async function expectSound(): Promise<void> {
    expect(left()).toEqual([]);
    await space.build(RECIPE, LITTLE);
    expect(published().equals(whole)).toBe(true);
  }

  const NAMELESS = /\/#\d+|\(deleted\)/;

  test.each([
    ["pwrite64", "error=ENOSPC", 0, 71, "disk"],
    ["pwrite64", "error=EDQUOT", 0.5, 71, "disk"],
    ["pwrite64", "error=EIO", 0.9, 73, "cannot be written"],
    ["pread64", "error=EIO", 0.6, 73, "cannot be read again"],
  ] as const)("that meets %s, %s ends the build in words", async (call, fault, share, expected, words) => {
    const when = await ordinal(call, share);
    const { code, error, lines } = await traced(call, "--seccomp-bpf", "-e", `inject=${call}:${fault}:when=${when}`);
    expect(lines.filter((line) => line.includes("INJECTED")).join("\n")).toMatch(NAMELESS);
    expect(code, error).toBe(expected);
    expect(error).toContain(words);
    await expectSound();
  });

  test("is no larger than the plan says, and not much smaller", async () => {
    const { scratch } = await space.plan(RECIPE, false, LITTLE);
    const { lines } = await traced("pwrite64", "--seccomp-bpf");
    const ends = lines
      .filter((line) => NAMELESS.test(line))
      .map((line) => /, (\d+), (\d+)(?:\)| <)/.exec(line) ?? [])
      .map(([, count, offset]) => Number(count) + Number(offset));
    const largest = Math.max(...ends.filter(Number.isFinite));
    expect(largest).toBeLessThanOrEqual(scratch);
    expect(largest).toBeGreaterThan(scratch / 2);
  });

  test("has a name for a moment where the file system knows none without", async () => {
    const spread = (seed: number): TestTensor => model(seed)["spread"]!;
    for (const [seed, name] of ["base", "a", "b"].entries()) {
      space.write(name, Object.fromEntries([0, 1, 2, 3, 4].map((at) => [`t${at}`, spread(seed + 3 * at)])));
    }
    await space.build(RECIPE, { store: space.path("whole") });
    whole = published();
    // Of a thread's calls about the folder itself. The main one reads it three times, and passes; a worker wants a file a tensor.
    const flags = ["-P", space.path(".theta/partial"), "-e", "inject=openat:error=EOPNOTSUPP:when=4+"];
    const { code, error, lines } = await traced("openat", ...flags);
    expect(code, error).toBe(0);
    const refused = lines.filter((line) => line.includes("INJECTED"));
    expect(refused.length).toBe(2);
    expect(refused.filter((line) => !line.includes("O_TMPFILE"))).toEqual([]);
    expect(published().equals(whole)).toBe(true);
    expect(left()).toEqual([]);
  });

  test("goes with a build that is killed", async () => {
    const when = await ordinal("pwrite64", 0.4);
    expect((await traced("pwrite64", "-e", `inject=pwrite64:signal=KILL:when=${when}`)).code).not.toBe(0);
    await expectSound();
  });
});

interface Traced {
  readonly code: number | null;
  readonly error: string;
  readonly lines: readonly string[];
}
