import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { beforeEach, expect, test } from "vitest";
import { loadAddon } from "../../../native/index.ts";
import { placeShard } from "../../../runtime/output/place-shard.ts";
import { ownStampAt } from "../../../runtime/store/file-identity.ts";
import { ShardGone, type StoredShard } from "../../../runtime/store/shard-store.ts";
import { tensorRecord } from "../store/records.ts";
import { useScratch } from "../store/scratch.ts";

const scratch = useScratch();
const calls = loadAddon();

beforeEach(() => {
  mkdirSync(scratch("old"));
  mkdirSync(scratch("new"));
});

/** A shard file as the store, or an output's record, knows it. */
function shardAt(name: string, text = "bytes"): StoredShard {
  const path = scratch(name);
  writeFileSync(path, text);
  const stamp = ownStampAt(path)!;
  const tensors = [tensorRecord("a")];
  return { path, record: { digest: "d", layout: "l", bytes: text.length, stamp, tensors, more: [] } };
}

const place = (stored: StoredShard, held?: StoredShard): Promise<number> =>
  placeShard(calls, stored, held, scratch("new/shard"));

test("one name in one output is a link or shares blocks; a second output gets a copy of its own", async () => {
  const stored = shardAt("stored");
  expect(await place(stored)).toBe(0);
  expect(readFileSync(scratch("new/shard"), "utf8")).toBe("bytes");
  await placeShard(calls, stored, undefined, scratch("old/shard"));
  const inodes = ["new/shard", "old/shard"].map((name) => statSync(scratch(name)).ino);
  expect(new Set(inodes).size).toBe(2);
});

test("what the output holds already is handed on under the same inode", async () => {
  const held = shardAt("old/shard");
  expect(await place(shardAt("stored"), held)).toBe(0);
  expect(statSync(scratch("new/shard")).ino).toBe(statSync(held.path).ino);
});

test("what was edited in the output since the build looked at it is not handed on", async () => {
  const held = shardAt("old/shard");
  writeFileSync(held.path, "edited by somebody");
  await place(shardAt("stored"), held);
  expect(readFileSync(scratch("new/shard"), "utf8")).toBe("bytes");
});

test("a stored shard that was edited, or is gone, is not published", async () => {
  const edited = shardAt("stored");
  writeFileSync(edited.path, "edited by somebody");
  await expect(place(edited)).rejects.toBeInstanceOf(ShardGone);
  await expect(place({ ...edited, path: scratch("nowhere") })).rejects.toBeInstanceOf(ShardGone);
  expect(existsSync(scratch("new/shard"))).toBe(false);
});
