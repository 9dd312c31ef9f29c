// What the whole program reads of its inputs, counted by strace: a build with nothing to do reads headers, no payload.

import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { build } from "../../e2e/theta-process.ts";
import { makeModelDirectory, writeSafetensors } from "../../support/tensors.ts";
import { STRACE } from "../../support/system-tools.ts";
import { layeredModel, TENSORS } from "./layered-model.ts";

const THETA = fileURLToPath(new URL("../../../dist/theta.js", import.meta.url));
if (!STRACE) console.warn("strace is not installed: what a build reads is not counted here (CI does)");

const RECIPE = `theta 1
base  b = "models/b"
model x = "models/x"
model y = "models/y"
model z = "models/z"
merge m onto b using ties { each mask magnitude(density: 0.3)
  x
  y
  z
}
output "dist/m" = m { shard 20kB }
`;
const MODELS = ["b", "x", "y", "z"];

/** Bytes of one file that one call took. */
interface Read {
  readonly file: string;
  readonly offset: number;
  readonly bytes: number;
}

let root: string;
beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), "theta-traced-")));
  for (const [seed, name] of MODELS.entries()) makeModelDirectory(join(root, "models", name), layeredModel(seed));
  writeFileSync(join(root, "merge.theta"), RECIPE);
});
afterEach(() => rmSync(root, { recursive: true }));

/** Builds under strace; every call that takes bytes from a safetensors file or maps one. */
function tracedBuild(): readonly Read[] {
  const traces = join(root, "traces");
  mkdirSync(traces);
  const calls = "trace=read,readv,pread64,preadv,preadv2,mmap,sendfile,copy_file_range,splice,io_uring_enter";
  // -ff: a file a thread, so that no other thread's call stands in the middle of a line.
  const command = ["-ff", "-y", "-qq", "-e", calls, "-o", join(traces, "thread"), process.execPath, THETA, "build"];
  const { status, stderr } = spawnSync("strace", command, { cwd: root, encoding: "utf8" });
  if (status !== 0) throw new Error(stderr);
  const lines = readdirSync(traces).flatMap((name) => readFileSync(join(traces, name), "utf8").split("\n"));
  rmSync(traces, { recursive: true });
  return lines.filter((line) => line.includes(".safetensors>")).map(readOf);
}

/** Any call but a pread may take all of the file. */
function readOf(line: string): Read {
  const file = /<([^>]*\.safetensors)>/.exec(line)![1]!;
  const found = /^pread64\(.*, (\d+), (\d+)\) += \d+$/.exec(line);
  if (found === null) return { file, offset: 0, bytes: Infinity };
  return { file, offset: Number(found[2]), bytes: Number(found[1]) };
}

/** Bytes before the payload: the length and the header. */
function headerEnd(file: string): number {
  return 8 + Number(readFileSync(file).readBigUInt64LE(0));
}

function payloadReads(reads: readonly Read[]): readonly Read[] {
  return reads.filter(({ file, offset, bytes }) => offset + bytes > headerEnd(file));
}

describe.skipIf(!STRACE)("under strace", () => {
  test("the counter sees what a first build reads", () => {
    const files = new Set(payloadReads(tracedBuild()).map(({ file }) => file));
    for (const name of MODELS) expect(files).toContain(join(root, "models", name, "model.safetensors"));
  });

  test("the second build reads every header once, and no byte behind it", () => {
    build(root);
    const reads = tracedBuild();
    expect(payloadReads(reads)).toEqual([]);
    const inputs = reads.filter(({ file }) => file.startsWith(join(root, "models")));
    expect(new Set(inputs.map(({ file }) => file)).size).toBe(MODELS.length);
    expect(inputs.filter(({ offset }) => offset > 0).length).toBe(MODELS.length);
    // Neither the store nor the output is opened.
    expect(reads.length).toBe(inputs.length);
  });

  test("a deleted output comes back without a byte of payload read", () => {
    build(root);
    rmSync(join(root, "dist"), { recursive: true });
    const copies = tracedBuild().filter(({ file }) => file.startsWith(join(root, "models")));
    expect(payloadReads(copies)).toEqual([]);
  });

  test("after one tensor changed, the other inputs are read where that tensor lies, and the file that changed once", () => {
    build(root);
    const changed = "model.layers.7.mlp.up_proj.weight";
    const y = join(root, "models/y/model.safetensors");
    writeSafetensors(y, layeredModel(2, [changed]), { format: "pt" });
    const reads = payloadReads(tracedBuild()).filter(({ file }) => file.startsWith(join(root, "models")));
    const bytesOf = (name: string): number =>
      reads.filter(({ file }) => file.includes(`/${name}/`)).reduce((sum, { bytes }) => sum + bytes, 0);
    const tensor = 16 * 32 * 2;
    const payload = readFileSync(y).length - headerEnd(y);
    for (const name of ["b", "x", "z"]) expect(bytesOf(name)).toBeLessThanOrEqual(2 * tensor);
    expect(bytesOf("y")).toBeLessThanOrEqual(payload + 2 * tensor);
    expect(build(root).actions).toMatchObject({ run: 0, up_to_date: TENSORS });
  });
});
