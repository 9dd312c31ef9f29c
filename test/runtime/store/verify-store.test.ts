// Damage of every kind: it is found, the build beside it is right, and what a repair drops is made again.

import { execFileSync } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import Sqlite from "libsql";
import { describe, expect, test } from "vitest";
import { loadAddon } from "../../../native/index.ts";
import { encodeChecked, decodeChecked } from "../../../runtime/store/checked-json.ts";
import type { OutputRecord } from "../../../runtime/store/output-record.ts";
import { repairStore } from "../../../runtime/store/repair-store.ts";
import { shardDigest, type ShardRecord } from "../../../runtime/store/shard-record.ts";
import { storePaths } from "../../../runtime/store/store-paths.ts";
import { verifyStore, type Verification } from "../../../runtime/store/verify-store.ts";
import { f32 } from "../../support/tensors.ts";
import { useWorkspace } from "../build/use-workspace.ts";

const addon = loadAddon();
const never = new AbortController().signal;
const RECIPE = { outputs: ["dist/m"] };
let clean: Buffer;
const space = useWorkspace(async (space) => {
  for (const [name, value] of [
    ["base", 1],
    ["tune", 3],
  ] as const) {
    space.write(name, { a: f32([64, 64], new Array<number>(4096).fill(value)), b: f32([2], [value, -value]) });
  }
  await space.build(RECIPE);
  clean = weights();
});

async function verify(): Promise<Verification> {
  const engine = addon.createEngine({ threads: 2, memory: 64 * 2 ** 20, chunk: 2 ** 16 });
  try {
    return await verifyStore(addon, engine, storePaths(space.path(".theta")), { total: () => undefined }, never);
  } finally {
    engine.close();
  }
}

async function found(): Promise<readonly string[]> {
  return (await verify()).findings.map(({ code }) => code);
}

/** Then nothing is wrong with what the store says, and the build after it gives what a clean one gives. */
async function repairAndBuild(): Promise<void> {
  const { findings } = await verify();
  await repairStore(addon, storePaths(space.path(".theta")), findings, never);
  expect((await space.build(RECIPE)).status).toBe("done");
  expect(weights().equals(clean)).toBe(true);
  expect(await found()).toEqual([]);
  expect((await space.build(RECIPE)).phases).toEqual(["look-up"]);
}

function weights(): Buffer {
  return readFileSync(space.path("dist/m/model.safetensors"));
}

function only(folder: string, ending: string): string {
  const [name, ...more] = readdirSync(space.path(folder)).filter((file) => file.endsWith(ending));
  expect(more).toEqual([]);
  return space.path(folder, name!);
}
const shard = (): string => only(".theta/shards", ".safetensors");
const sidecar = (): string => only(".theta/shards", ".json");

/** As a disk does it: no time stamp shows it. */
function flip(path: string, at: number): void {
  const stamps = space.path("stamps");
  writeFileSync(stamps, "");
  execFileSync("touch", ["-r", path, stamps]);
  edit(path, at);
  execFileSync("touch", ["-r", stamps, path]);
}

/** As an editor does it, in place. */
function edit(path: string, at: number): void {
  chmodSync(path, 0o644);
  const bytes = readFileSync(path);
  const place = at < 0 ? bytes.length + at : at;
  bytes.writeUInt8(bytes.readUInt8(place) ^ 1, place);
  writeFileSync(path, bytes, { flag: "r+" });
}

/** The output keeps its bytes, the store keeps its own: no edit reaches both. */
function separate(): void {
  const path = space.path("dist/m/model.safetensors");
  copyFileSync(path, `${path}.copy`);
  execFileSync("touch", ["-r", path, `${path}.copy`]);
  renameSync(`${path}.copy`, path);
}

test("an intact store has no findings, and a file with two names is read once", async () => {
  const engine = addon.createEngine({ threads: 2, memory: 64 * 2 ** 20, chunk: 2 ** 16 });
  const seen: number[] = [];
  const observer = { total: (...numbers: number[]): void => void seen.push(...numbers) };
  const result = await verifyStore(addon, engine, storePaths(space.path(".theta")), observer, never);
  expect(result).toMatchObject({ findings: [], shards: 1, outputs: 1 });
  expect(seen).toEqual([2, 2 * clean.length]);
  expect(engine.progress().hashed).toBe(4096 * 4 + 8);
  engine.close();
});

test("a bit that flipped below the file system, in a file that store and output share", async () => {
  flip(shard(), -1);
  const { findings } = await verify();
  expect(findings.map(({ code, path, tensors }) => [code, path, tensors])).toEqual([
    ["shard-damaged", shard(), ["b"]],
    ["output-damaged", space.path("dist/m/model.safetensors"), ["b"]],
  ]);
  expect(findings[0]!.message).toBe("does not hold what its record says: the bytes of b have another digest");
  // Nothing tells the build; that is what verifying is for.
  expect((await space.build(RECIPE)).phases).toEqual(["look-up"]);
  await repairAndBuild();
});

test("a bit that flipped in a header", async () => {
  flip(shard(), 12);
  expect(await found()).toEqual(["shard-damaged", "output-damaged"]);
  await repairAndBuild();
});

test("a bit that flipped in an output with bytes of its own comes back from the store", async () => {
  // The second output of a shard is a copy.
  await space.build({ outputs: ["dist/n"] });
  flip(space.path("dist/n/model.safetensors"), -1);
  const { findings } = await verify();
  expect(findings.map(({ code, path }) => [code, path])).toEqual([
    ["output-damaged", space.path("dist/n/model.safetensors")],
  ]);
  await repairStore(addon, storePaths(space.path(".theta")), findings, never);
  const again = await space.build({ outputs: ["dist/n"] });
  expect(again.actions.run).toBe(0);
  expect(readFileSync(space.path("dist/n/model.safetensors")).equals(clean)).toBe(true);
  expect(await found()).toEqual([]);
});

test("a bit that flipped in a side file is found, and the file written again", async () => {
  const path = space.path("dist/m/README.md");
  const readme = readFileSync(path);
  flip(path, 5);
  const { findings } = await verify();
  expect(findings.map((finding) => [finding.code, finding.path])).toEqual([["output-damaged", path]]);
  // Nothing tells the build.
  expect((await space.build(RECIPE)).published).toEqual([]);
  await repairAndBuild();
  expect(readFileSync(path).equals(readme)).toBe(true);
});

test("a side file that was only touched, or written again, is right", async () => {
  execFileSync("touch", [space.path("dist/m/README.md")]);
  expect(await found()).toEqual([]);
});

describe("what a build sees by itself", () => {
  const cases: Record<string, readonly [damage: () => void, codes: readonly string[]]> = {
    "a shard that was cut off": [() => truncateSync(shard(), 1000), ["shard-damaged", "output-damaged"]],
    "a shard that was edited": [() => edit(shard(), -1), ["shard-damaged", "output-damaged"]],
    "a shard with another time stamp": [() => execFileSync("touch", [shard()]), ["shard-changed"]],
    "a shard that is gone": [() => rmSync(shard()), ["shard-missing"]],
    "a sidecar that is gone": [() => rmSync(sidecar()), ["sidecar-missing"]],
    "a sidecar that was edited": [() => edit(sidecar(), 40), ["sidecar-damaged"]],
    "an output that was edited": [
      () => {
        separate();
        edit(space.path("dist/m/model.safetensors"), -1);
      },
      ["output-damaged"],
    ],
    "an output's shard that is gone, and a side file that was edited": [
      () => {
        rmSync(space.path("dist/m/model.safetensors"));
        edit(space.path("dist/m/README.md"), 5);
      },
      [],
    ],
    "a side file that was edited": [() => edit(space.path("dist/m/README.md"), 5), ["output-edited"]],
    "a side file that is gone": [() => rmSync(space.path("dist/m/README.md")), ["output-missing-file"]],
    "a record that was edited": [() => edit(only(".theta/outputs", ".json"), 30), ["record-damaged"]],
    "an index that is no database": [
      () => writeFileSync(space.path(".theta/index.sqlite"), Buffer.alloc(8192, "not a database")),
      ["index-damaged"],
    ],
    "an index that is gone": [() => rmSync(space.path(".theta/index.sqlite")), []],
    "an index without the shard": [() => sql("DELETE FROM action; DELETE FROM shard"), []],
    "an index without an action": [
      () => sql("DELETE FROM action WHERE key = (SELECT min(key) FROM action)"),
      ["index-disagrees"],
    ],
    "an index with a planted key": [() => sql("UPDATE action SET key = 'planted' || key"), ["index-disagrees"]],
    "an index with a shard that there is not": [() => sql("INSERT INTO shard (digest) VALUES ('0000')"), []],
  };
  for (const [name, [damage, codes]] of Object.entries(cases)) {
    test(`${name}: found, and the next build is right`, async () => {
      damage();
      expect(await found()).toEqual(codes);
      expect((await space.build(RECIPE)).status).toBe("done");
      expect(weights().equals(clean)).toBe(true);
      expect(readdirSync(space.path("dist"))).toEqual(["m"]);
    });
    test(`${name}: repaired`, async () => {
      damage();
      await repairAndBuild();
    });
  }
});

test("a shard that was touched long enough ago keeps its bytes and gets its new time stamp", async () => {
  execFileSync("touch", ["-d", "1 hour ago", shard()]);
  const { ino } = statSync(shard());
  await repairAndBuild();
  expect(statSync(shard()).ino).toBe(ino);
});

function sql(statement: string): void {
  const db = new Sqlite(space.path(".theta/index.sqlite"));
  db.exec(statement);
  db.close();
}

test("a false digest, planted in every record with all checksums right", async () => {
  const wrong = `sha256:${"0".repeat(64)}`;
  const plant = <R extends ShardRecord>(record: R): R => {
    const tensors = record.tensors.map((tensor) => (tensor.name === "b" ? { ...tensor, digest: wrong } : tensor));
    const digests = tensors.map((tensor) => tensor.digest);
    return { ...record, tensors, digest: shardDigest(record.layout, digests) };
  };
  const { schema, ...record } = decodeChecked(readFileSync(sidecar(), "utf8")) as ShardRecord & { schema: string };
  const planted = plant(record);
  rmSync(sidecar());
  renameSync(shard(), space.path(".theta/shards", `${planted.digest}.safetensors`));
  writeFileSync(space.path(".theta/shards", `${planted.digest}.json`), encodeChecked({ schema, ...planted }));
  const file = only(".theta/outputs", ".json");
  const output = decodeChecked(readFileSync(file, "utf8")) as OutputRecord;
  const shards = output.shards.map((entry) => ({ ...entry, record: plant(entry.record) }));
  writeFileSync(file, encodeChecked({ ...output, shards }));
  expect([...(await found())].sort()).toEqual(["output-damaged", "shard-damaged"]);
  await repairAndBuild();
});

test("nothing is expected of an output that was deleted", async () => {
  rmSync(space.path("dist"), { recursive: true });
  expect(await verify()).toMatchObject({ findings: [], shards: 1, outputs: 0 });
});

test("cancelled, it stops", async () => {
  const engine = addon.createEngine({ threads: 1, memory: 64 * 2 ** 20, chunk: 2 ** 16 });
  const stop = new AbortController();
  const observer = { total: (): void => stop.abort() };
  const cancelled = verifyStore(addon, engine, storePaths(space.path(".theta")), observer, stop.signal);
  await expect(cancelled).rejects.toMatchObject({ name: "AbortError" });
  engine.close();
  expect(existsSync(shard())).toBe(true);
});
