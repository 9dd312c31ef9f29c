// `theta cache` as its users see it: exit codes, text, JSON.

import {
  chmodSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  realpathSync,
  rmSync,
  statSync,
  truncateSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { build, theta, type ThetaRun } from "../../e2e/theta-process.ts";

let folder: string;
beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "theta-cache-")));
  theta(folder, ["init"]);
});
afterEach(() => rmSync(folder, { recursive: true }));

function cache(...args: readonly string[]): ThetaRun {
  return theta(folder, ["cache", ...args]);
}

function json(...args: readonly string[]): Record<string, unknown> {
  return JSON.parse(cache(...args, "--json").stdout) as Record<string, unknown>;
}

/** What differs from run to run and from disk to disk. */
function steady(text: string): string {
  return text
    .replaceAll(folder, "DIR")
    .replace(/at most .* stay/, "at most SIZE stay")
    .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, "TIME")
    .replace(/in [\d.]+ s:/, "in SECONDS:")
    .replace(/[\d.]+ KiB/g, "SIZE");
}

/** What the files of a folder in the store take on the disk. */
function sizes(name: string): number {
  const files = readdirSync(join(folder, ".theta", name)).map((file) => statSync(join(folder, ".theta", name, file)));
  return files.reduce((sum, { blocks }) => sum + blocks * 512, 0);
}

test("without a store there is nothing to do, and none is made", () => {
  for (const action of ["status", "gc", "verify"]) {
    expect(cache(action)).toEqual({
      code: 0,
      stdout: "",
      stderr: `There is no store at ${folder}/.theta; the first build makes it\n`,
    });
  }
  expect(json("status")).toEqual({ schema: "theta.cache-status/1", store: `${folder}/.theta`, exists: false });
  expect(readdirSync(folder)).not.toContain(".theta");
});

test("status says what lies there, who needs it and what gc would free", () => {
  build(folder);
  build(folder, ["-p", "strength=0.1"]);
  expect(steady(cache("status").stdout)).toMatchInlineSnapshot(`
    "Store DIR/.theta
      stored      2 shards, 40 tensors, SIZE
      in use      1 shard by 1 output, SIZE
      shared      SIZE with outputs or each other, which deleting here does not free
      history     1 shard, SIZE; at most SIZE stay
      last used   TIME (oldest) to TIME
      unfinished  nothing
      records     2 builds, SIZE; 1 output, SIZE
      index       in order; SIZE
      garbage     theta cache gc frees 0 B
    "
  `);
  expect(json("status")).toMatchObject({
    schema: "theta.cache-status/1",
    shards: 2,
    tensors: 40,
    in_use: { shards: 1 },
    history: { shards: 1 },
    outputs: [{ path: `${folder}/dist/mixed`, exists: true }],
    partials: [],
    builds: { files: 2, bytes: sizes("builds") },
    output_records: { files: 1, bytes: sizes("outputs") },
    index: "in-order",
    garbage_bytes: 0,
  });
});

test("gc deletes what its bounds say, and says so first when asked", () => {
  build(folder);
  build(folder, ["-p", "strength=0.1"]);
  const dry = json("gc", "--max-size", "0GB", "--dry-run");
  expect(json("status")).toMatchObject({ shards: 2 });
  expect(steady(cache("gc", "--max-size", "0GB", "--dry-run").stdout)).toMatchInlineSnapshot(`
    "Would free SIZE in DIR/.theta
      1 shard to keep history within 0 B
      0 B of history would stay
    "
  `);
  const done = json("gc", "--max-size", "0GB");
  expect({ ...done, dry_run: true }).toEqual(dry);
  expect(done).toMatchObject({ schema: "theta.cache-gc/1", shards: [{ because: "size" }], history: { bytes: 0 } });
  expect(json("status")).toMatchObject({ shards: 1, history: { shards: 0 } });
  expect(build(folder, ["-p", "strength=0.1"]).actions.up_to_date).toBe(20);
  expect(build(folder).actions.run).toBeGreaterThan(0);
});

test("verify says what is wrong and what to do, exit code 3, and with --repair does it", () => {
  build(folder);
  expect(steady(cache("verify").stderr)).toMatchInlineSnapshot(`
    "Reading SIZE in 2 files
    Verified 1 shard and 1 output, SIZE in SECONDS: all as recorded
    "
  `);
  const [name = ""] = readdirSync(join(folder, ".theta/shards")).filter((file) => file.endsWith(".safetensors"));
  const shard = join(folder, ".theta/shards", name);
  const clean = readFileSync(shard);
  chmodSync(shard, 0o644);
  truncateSync(shard, 100);
  const bad = cache("verify");
  expect(bad.code).toBe(3);
  expect(steady(bad.stderr).replace(name, "SHARD")).toMatchInlineSnapshot(`
    "Reading SIZE in 2 files
    error[shard-damaged]: DIR/.theta/shards/SHARD is cut off: 100 of 14464 bytes are left
       help: theta cache verify --repair drops the shard, and the next build makes it again
    error[output-damaged]: DIR/dist/mixed/model.safetensors is cut off: 100 of 14464 bytes are left
       help: theta cache verify --repair forgets it, and the next build publishes it again
    Verified 1 shard and 1 output, SIZE in SECONDS: 2 findings
    "
  `);
  expect(json("verify")).toMatchObject({
    schema: "theta.cache-verify/1",
    ok: false,
    repaired: false,
    findings: [{ code: "shard-damaged", path: shard }, { code: "output-damaged" }],
  });
  const repaired = cache("verify", "--repair");
  expect(repaired.code).toBe(0);
  expect(steady(repaired.stderr).replace(name, "SHARD")).toMatchInlineSnapshot(`
    "Reading SIZE in 2 files
    error[shard-damaged]: DIR/.theta/shards/SHARD is cut off: 100 of 14464 bytes are left
       dropped; the next build makes it again
    error[output-damaged]: DIR/dist/mixed/model.safetensors is cut off: 100 of 14464 bytes are left
       forgotten; the next build publishes it again
    Verified 1 shard and 1 output, SIZE in SECONDS: 2 findings, repaired
    "
  `);
  build(folder);
  expect(cache("verify").code).toBe(0);
  expect(readFileSync(join(folder, "dist/mixed/model.safetensors")).equals(clean)).toBe(true);
});

test("a store that is named needs no recipe beside it", () => {
  build(folder);
  const run = theta(tmpdir(), ["cache", "verify", "--store", join(folder, ".theta")]);
  expect(run.code).toBe(0);
});

test("what cannot be understood is exit code 64, and says what can", () => {
  const said = [[], ["stauts"], ["status", "--repair"], ["gc", "--max-size", "5"], ["gc", "--max-age", "3 days"]].map(
    (args) => {
      const { code, stderr } = cache(...args);
      return `${code} ${stderr}`;
    },
  );
  expect(said.join("")).toMatchInlineSnapshot(`
    "64 error[usage]: theta cache needs to know what to do
       help: write theta cache status, gc or verify
    64 error[usage]: theta cache cannot "stauts"
       help: did you mean status?
    64 error[usage]: theta cache status has no flag --repair
       help: --repair goes with theta cache verify
    64 error[usage]: --max-size must be a number and a unit, such as 512MiB or 2GB, not "5"
    64 error[usage]: --max-age must be a number and s, min, h, d or w, such as 12h or 30d, not "3 days"
    "
  `);
});
