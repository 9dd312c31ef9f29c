import {
  appendFileSync,
  chmodSync,
  existsSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  utimesSync,
  writeFileSync,
  mkdirSync,
} from "node:fs";
import { beforeEach, afterEach, expect, test } from "vitest";
import { IndexDatabase } from "../../../runtime/store/index-database.ts";
import { shardDigest, type ShardRecord } from "../../../runtime/store/shard-record.ts";
import { ShardStore } from "../../../runtime/store/shard-store.ts";
import { tensorRecord } from "./records.ts";
import { useScratch } from "./scratch.ts";

const scratch = useScratch();
let index: IndexDatabase;
beforeEach(async () => {
  mkdirSync(scratch("shards"));
  index = await IndexDatabase.open(scratch("index.sqlite"), true);
});
afterEach(() => index.close());

function open(): ShardStore {
  return new ShardStore(scratch("shards"), index);
}

function add(store: ShardStore, names: readonly string[], keys: readonly string[] = names): ShardRecord {
  writeFileSync(scratch("x.partial"), names.join());
  const tensors = names.map((name, at) => tensorRecord(name, { key: keys[at]! }));
  const digest = shardDigest(
    "layout",
    tensors.map((tensor) => tensor.digest),
  );
  return store.add(scratch("x.partial"), { digest, layout: "layout", bytes: 3, tensors }).record;
}

test("finds an action's result by its key, in this process and in the next", () => {
  const { digest } = add(open(), ["a", "b"]);
  const found = open().lookUp(["b", "unheard of"]);
  expect([...found.keys()]).toEqual(["b"]);
  expect(found.get("b")!.tensor.name).toBe("b");
  expect(found.get("b")!.shard.path).toBe(scratch("shards", `${digest}.safetensors`));
});

test("knows weak keys that some record has", () => {
  add(open(), ["a"]);
  expect(index.knownWeak(["weak key of a", "weak key of z"])).toEqual(new Set(["weak key of a"]));
});

test("drops a shard that changed, whatever its sidecar says", () => {
  const { digest } = add(open(), ["a"]);
  const path = open().path(digest);
  chmodSync(path, 0o644);
  appendFileSync(path, "!");
  const store = open();
  expect(store.find(digest)).toBeUndefined();
  expect(store.lookUp(["a"]).size).toBe(0);
  expect(store.spoiled).toBe(true);
  store.dropSpoiled();
  expect(existsSync(path)).toBe(false);
});

test("does not drop what another process has made good since", () => {
  const { digest, stamp } = add(open(), ["a"]);
  const store = open();
  const path = store.path(digest);
  utimesSync(path, 1, 1);
  expect(store.find(digest)).toBeUndefined();
  rmSync(path);
  rmSync(scratch("shards", `${digest}.json`));
  const again = add(open(), ["a"]);
  store.dropSpoiled();
  expect(again.stamp).not.toBe(stamp);
  expect(store.find(digest)).toBeDefined();
});

test("a new time stamp is a change too", () => {
  const { digest } = add(open(), ["a"]);
  utimesSync(open().path(digest), 1, 1);
  expect(open().find(digest)).toBeUndefined();
});

test("does not believe a sidecar in which a digest was planted", () => {
  const { digest } = add(open(), ["a"]);
  const sidecar = scratch("shards", `${digest}.json`);
  writeFileSync(sidecar, readFileSync(sidecar, "utf8").replace("sha256:a", "sha256:b"));
  expect(open().find(digest)).toBeUndefined();
});

test("is restored from the folder when the index is gone", async () => {
  add(open(), ["a"]);
  index.close();
  for (const name of readdirSync(scratch())) if (name.startsWith("index")) rmSync(scratch(name));
  index = await IndexDatabase.open(scratch("index.sqlite"), true);
  expect(open().lookUp(["a"]).size).toBe(1);
});

test("the index forgets shards that were deleted", () => {
  const { digest } = add(open(), ["a"]);
  rmSync(scratch("shards", `${digest}.json`));
  expect(open().lookUp(["a"]).size).toBe(0);
  expect(index.shardDigests()).toEqual([]);
});

test("keeps the first of two equal shards, and learns the second's actions", () => {
  const store = open();
  const first = add(store, ["a"], ["one"]);
  const second = add(store, ["a"], ["two"]);
  expect(second.stamp).toBe(first.stamp);
  expect([...open().lookUp(["one", "two"]).keys()].sort()).toEqual(["one", "two"]);
});

test("finishes what was cut off between the shard's name and its sidecar's", () => {
  const { digest } = add(open(), ["a"]);
  const [path, sidecar, coming] = ["safetensors", "json", "coming"].map((end) => scratch("shards", `${digest}.${end}`));
  renameSync(sidecar!, coming!);
  const store = open();
  expect(store.lookUp(["a"]).size).toBe(0);
  expect(store.cutOff).toBe(true);
  store.finishAdding();
  expect(store.lookUp(["a"]).size).toBe(1);
  expect([existsSync(coming!), existsSync(sidecar!)]).toEqual([false, true]);
  // Before the shard has its name, or with another file under it, nothing is promised.
  renameSync(sidecar!, coming!);
  appendFileSync(path!, "!");
  open().finishAdding();
  rmSync(path!);
  open().finishAdding();
  writeFileSync(coming!, "{}");
  open().finishAdding();
  expect(open().find(digest)).toBeUndefined();
  expect(add(open(), ["a"]).digest).toBe(digest);
  expect(open().cutOff).toBe(false);
});

test("an index of another version, or a damaged one, is made anew", async () => {
  add(open(), ["a"]);
  index.close();
  for (const name of ["index.sqlite-wal", "index.sqlite-shm"]) rmSync(scratch(name), { force: true });
  writeFileSync(scratch("index.sqlite"), Buffer.alloc(8192, "not a database"));
  index = await IndexDatabase.open(scratch("index.sqlite"), true);
  expect(open().lookUp(["a"]).size).toBe(1);
});

/** It is made without waiting for the disk, which has nothing of its log until entries are brought from there into the file. */
test.each<[string, (file: Buffer) => Buffer]>([
  ["nothing", () => Buffer.alloc(0)],
  ["zeros", (file) => Buffer.alloc(file.length)],
  ["the file without its log", (file) => file],
])("an index of which a power cut left %s is made anew", async (_, left) => {
  add(open(), ["a"]);
  const file = readFileSync(scratch("index.sqlite"));
  index.close();
  for (const name of ["index.sqlite-wal", "index.sqlite-shm"]) rmSync(scratch(name), { force: true });
  writeFileSync(scratch("index.sqlite"), left(file));
  index = await IndexDatabase.open(scratch("index.sqlite"), true);
  expect(open().lookUp(["a"]).size).toBe(1);
});
