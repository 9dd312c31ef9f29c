// Inputs that change in ways which a time stamp or a path does not show, and inputs that only seem to.

import { spawn, spawnSync } from "node:child_process";
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { f32, writeSafetensors, type TestTensors } from "../../support/tensors.ts";
import { useWorkspace } from "./use-workspace.ts";

const space = useWorkspace((space) => {
  space.write("base", model(1));
  space.write("tune", model(3));
});

const PYTHON = spawnSync("python3", ["--version"]).status === 0;
if (!PYTHON) console.warn("python3 is not installed: inputs that change through a mapping are not tested here");

/** Maps a file and writes to it what is there; when told, writes the bytes of another. No time stamp shows the latter. */
const MAPPED_WRITER = `
import mmap, os, sys, time
source, target, folder = sys.argv[1:]
with open(target, "r+b") as file, mmap.mmap(file.fileno(), 0) as mapped:
    mapped[:] = mapped[:]
    open(os.path.join(folder, "ready"), "w").close()
    while not os.path.exists(os.path.join(folder, "go")): time.sleep(0.002)
    mapped[:] = open(source, "rb").read()
open(os.path.join(folder, "done"), "w").close()
`;

const RECIPE = { outputs: ["dist/m"] };
const BYTES = 2 * 600 * 4;

function model(value: number): TestTensors {
  const values = Array.from({ length: 600 }, () => value);
  return { a: f32([20, 30], values), b: f32([600], values) };
}

/** Every element of the output: all have one value in these models. */
function valueOf(output: string): number {
  const bytes = readFileSync(space.path(output, "model.safetensors"));
  const start = 8 + Number(bytes.readBigUInt64LE(0));
  const first = bytes.readFloatLE(start);
  for (let at = start; at < bytes.length; at += 4) expect(bytes.readFloatLE(at)).toBe(first);
  return first;
}

/** Writes other values of the same size over the file, in place, and dates it as it was. */
function overwrite(file: string, value: number): void {
  const { atime, mtime } = statSync(file);
  writeSafetensors(space.path("other"), model(value));
  const fd = openSync(file, "r+");
  writeSync(fd, readFileSync(space.path("other")), 0, undefined, 0);
  closeSync(fd);
  utimesSync(file, atime, mtime);
  expect(statSync(file).mtime).toEqual(mtime);
}

test("overwritten in place with the same size and the same date: found", async () => {
  await space.build(RECIPE);
  expect(valueOf("dist/m")).toBe(2);
  overwrite(space.path("tune/model.safetensors"), 5);
  expect((await space.build(RECIPE)).actions.run).toBe(2);
  expect(valueOf("dist/m")).toBe(3);
});

test("overwritten right behind the build, again and again: found each time", async () => {
  for (const value of [5, 7, 9, 11]) {
    overwrite(space.path("tune/model.safetensors"), value);
    await space.build(RECIPE);
    expect(valueOf("dist/m")).toBe((1 + value) / 2);
  }
});

test("dated next year or before there were computers: read once", async () => {
  const year = 365 * 86_400;
  for (const seconds of [Date.now() / 1000 + year, 0]) {
    utimesSync(space.path("tune/model.safetensors"), seconds, seconds);
    await space.build(RECIPE);
    expect((await space.build(RECIPE)).bytes).toEqual({ read: 0, hashed: 0, written: 0, copied: 0 });
  }
});

describe("a snapshot of the hub: links to blobs", () => {
  const REVISIONS = { first: 3, second: 5 };

  beforeEach(() => {
    for (const [revision, value] of Object.entries(REVISIONS)) {
      writeSafetensors(space.path("hub/blobs", revision), model(value));
      utimesSync(space.path("hub/blobs", revision), 1e9, 1e9);
      mkdirSync(space.path("hub/snapshots", revision), { recursive: true });
      symlinkSync(`../../blobs/${revision}`, space.path("hub/snapshots", revision, "model.safetensors"));
    }
    rmSync(space.path("tune"), { recursive: true });
    symlinkSync("hub/snapshots/first", space.path("tune"));
  });

  /** Links are replaced by renaming, as the hub's tools do. */
  function retarget(link: string, target: string): void {
    symlinkSync(target, space.path("new"));
    renameSync(space.path("new"), space.path(link));
  }

  test("is read through them", async () => {
    await space.build(RECIPE);
    expect(valueOf("dist/m")).toBe(2);
    expect((await space.build(RECIPE)).actions.run).toBe(0);
  });

  test("whose file leads to another blob of the same size and date is another input", async () => {
    await space.build(RECIPE);
    retarget("hub/snapshots/first/model.safetensors", "../../blobs/second");
    await space.build(RECIPE);
    expect(valueOf("dist/m")).toBe(3);
  });

  test("another revision is another input, and going back runs nothing and reads nothing", async () => {
    await space.build(RECIPE);
    retarget("tune", "hub/snapshots/second");
    await space.build(RECIPE);
    expect(valueOf("dist/m")).toBe(3);
    retarget("tune", "hub/snapshots/first");
    const back = await space.build(RECIPE);
    expect(valueOf("dist/m")).toBe(2);
    expect(back).toMatchObject({ actions: { run: 0 }, bytes: { read: 0, hashed: 0 } });
  });

  test("retargeted while it is read: either all of one revision, or exit code 66", async () => {
    const work = (): void => retarget("hub/snapshots/first/model.safetensors", "../../blobs/second");
    const outcome = await space.build(RECIPE, {}, undefined, { work }).then(
      () => valueOf("dist/m"),
      (error: unknown) => (error as { readonly exitCode: number }).exitCode,
    );
    expect([2, 66]).toContain(outcome);
    await space.build(RECIPE);
    expect(valueOf("dist/m")).toBe(3);
  });
});

describe.skipIf(!existsMemoryFileSystem())("in a memory file system, whose time stamps prove nothing", () => {
  let memory: string;
  beforeEach(() => {
    memory = mkdtempSync("/dev/shm/theta-inputs-");
    writeSafetensors(join(memory, "model.safetensors"), model(3));
    rmSync(space.path("tune"), { recursive: true });
    symlinkSync(memory, space.path("tune"));
  });
  afterEach(() => rmSync(memory, { recursive: true }));

  test("inputs are hashed by every build, and nothing runs", async () => {
    await space.build(RECIPE);
    const again = await space.build(RECIPE);
    expect(again.actions).toMatchObject({ run: 0, up_to_date: 2 });
    expect(again.bytes).toMatchObject({ hashed: BYTES, written: 0 });
  });

  test("unless they are trusted, and that trust is not inherited", async () => {
    await space.build(RECIPE, { trustRemoteStat: true });
    expect((await space.build(RECIPE, { trustRemoteStat: true })).bytes.hashed).toBe(0);
    expect((await space.build(RECIPE)).bytes.hashed).toBe(BYTES);
  });

  test("a plan says what it does not know", async () => {
    await space.build(RECIPE);
    const plan = await space.plan(RECIPE);
    expect(plan.counts).toMatchObject({ unknown: 2, run: 0 });
    expect(plan.bytes.hash).toBe(BYTES);
    expect((await space.plan(RECIPE, true)).counts).toMatchObject({ unknown: 0, up_to_date: 2 });
  });

  test.skipIf(!PYTHON)("one that is changed through a mapping behind its hashing is exit code 66", async () => {
    await space.build(RECIPE);
    const file = join(memory, "model.safetensors");
    overwrite(file, 5);
    writeSafetensors(space.path("other"), model(7));
    spawn("python3", ["-c", MAPPED_WRITER, space.path("other"), file, space.root], { stdio: "ignore" });
    waitFor(space.path("ready"));
    // The look-up hashes 5, then the file says 7 when the work begins.
    const work = (): void => {
      const before = statSync(file, { bigint: true });
      writeFileSync(space.path("go"), "");
      waitFor(space.path("done"));
      const { mtimeNs, ctimeNs } = statSync(file, { bigint: true });
      expect({ mtimeNs, ctimeNs }).toEqual({ mtimeNs: before.mtimeNs, ctimeNs: before.ctimeNs });
    };
    await expect(space.build(RECIPE, {}, undefined, { work })).rejects.toMatchObject({ exitCode: 66 });
    expect(valueOf("dist/m")).toBe(2);
    await space.build(RECIPE);
    expect(valueOf("dist/m")).toBe(4);
  });

  test("a store there works as any other", async () => {
    const store = join(memory, "store");
    await space.build(RECIPE, { store });
    expect(valueOf("dist/m")).toBe(2);
    expect((await space.build(RECIPE, { store })).actions.run).toBe(0);
    expect(statSync(space.path("dist/m/model.safetensors")).nlink).toBe(1);
  });
});

/** Blocks, since what it waits for happens in the middle of a synchronous call. */
function waitFor(file: string): void {
  const clock = new Int32Array(new SharedArrayBuffer(4));
  for (let tries = 0; !existsSync(file); tries++) {
    if (tries > 4000) throw new Error(`${file} does not appear`);
    Atomics.wait(clock, 0, 0, 5);
  }
}

function existsMemoryFileSystem(): boolean {
  try {
    writeFileSync("/dev/shm/theta-test", "");
    rmSync("/dev/shm/theta-test");
    return true;
  } catch {
    console.warn("/dev/shm cannot be written: inputs in memory file systems are not tested here");
    return false;
  }
}
