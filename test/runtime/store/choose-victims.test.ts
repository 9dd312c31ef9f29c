import { expect, test } from "vitest";
import { chooseVictims, shareOfDisk } from "../../../runtime/store/choose-victims.ts";
import type { ShardUsage } from "../../../runtime/store/store-usage.ts";

const NOW = 1_000_000;
const WIDE = { maxSize: 1000, maxAge: NOW };

function shard(digest: string, lastUse: number, changes: Partial<ShardUsage> = {}): ShardUsage {
  return { digest, bytes: 100, frees: 100, shared: 0, lastUse, inOutput: false, ...changes };
}

function victims(shards: readonly ShardUsage[], bounds: Partial<typeof WIDE>, needed: readonly string[] = []): string {
  const choice = chooseVictims({ shards, free: 0 }, new Set(needed), { ...WIDE, ...bounds }, NOW);
  return `${choice.victims.map((victim) => `${victim.shard.digest} (${victim.because})`).join(" ")} leaves ${choice.history}`;
}

test("least recently used first, until history is within its size", () => {
  expect(victims([shard("new", 30), shard("old", 10), shard("mid", 20)], { maxSize: 150 })).toBe(
    "old (size) mid (size) leaves 100",
  );
});

test("age takes what nothing needed for longer, whatever its size", () => {
  expect(victims([shard("a", NOW - 11), shard("b", NOW - 10)], { maxAge: 10 })).toBe("a (age) leaves 100");
});

test("outputs and running builds keep what they need, and it does not count as history", () => {
  const shards = [shard("output", 1, { inOutput: true }), shard("build", 2), shard("history", 3)];
  expect(victims(shards, { maxSize: 100 }, ["build"])).toBe(" leaves 100");
  expect(victims(shards, { maxSize: 0, maxAge: 0 }, ["build"])).toBe("history (age) leaves 0");
});

test("a shard whose bytes have another name makes no room: only its age counts", () => {
  const shards = [shard("linked", 1, { frees: 0 }), shard("own", 2)];
  expect(victims(shards, { maxSize: 0 })).toBe("own (size) leaves 0");
  expect(victims(shards, { maxAge: NOW - 2 })).toBe("linked (age) leaves 100");
});

test("a time stamp of tomorrow counts as now", () => {
  expect(victims([shard("a", NOW + 500)], { maxAge: 0 })).toBe(" leaves 100");
});

test("by itself, history takes as much as it leaves free", () => {
  expect(shareOfDisk(300, 100)).toBe(200);
  const choice = chooseVictims(
    { shards: [shard("a", 1), shard("b", 2)], free: 40 },
    new Set(),
    { maxSize: undefined, maxAge: NOW },
    NOW,
  );
  expect(choice.victims.map((victim) => victim.shard.digest)).toEqual(["a"]);
  expect(choice.maxSize).toBe(120);
});
