// Which shards garbage collection takes: a decision about numbers, without a file.
//
// What outputs hold and what running builds need stays. The rest is history: what an earlier variant of an output held,
// kept because going back to it then costs nothing. It is bounded by age and by the bytes that deleting it would free.

import type { ShardUsage, StoreUsage } from "./store-usage.ts";

export interface Bounds {
  /** Bytes that history may take; undefined: `shareOfDisk`. */
  readonly maxSize: number | undefined;
  /** Milliseconds for which a shard that nothing needs is kept. */
  readonly maxAge: number;
}

export interface Victim {
  readonly shard: ShardUsage;
  readonly because: "age" | "size";
}

export interface Choice {
  /** Least recently used first. */
  readonly victims: readonly Victim[];
  /** What history takes when they are gone. */
  readonly history: number;
  /** The bound that `history` was held to. */
  readonly maxSize: number;
}

/** Long enough to come back to a variant after a holiday; old enough that nobody waits for it. */
export const DEFAULT_MAX_AGE = 30 * 24 * 3600 * 1000;

/**
 * As much as is left free beside it. A fixed size would be one checkpoint of a large model or a thousand of a small one,
 * a share of the whole disk could be more than is left of it; this gives way as the disk fills, and leaves room for as
 * much new work as there is history.
 */
export function shareOfDisk(free: number, history: number): number {
  return Math.floor((free + history) / 2);
}

/** `needed`: digests that running builds need. */
export function chooseVictims(
  { shards, free }: Pick<StoreUsage, "shards" | "free">,
  needed: ReadonlySet<string>,
  bounds: Bounds,
  now: number,
): Choice {
  const unneeded = shards
    .filter(({ digest, inOutput }) => !inOutput && !needed.has(digest))
    .sort((a, b) => a.lastUse - b.lastUse || (a.digest < b.digest ? -1 : 1));
  let history = unneeded.reduce((sum, { frees }) => sum + frees, 0);
  const maxSize = bounds.maxSize ?? shareOfDisk(free, history);
  const victims: Victim[] = [];
  for (const shard of unneeded) {
    const because = now - shard.lastUse > bounds.maxAge ? "age" : history > maxSize ? "size" : undefined;
    // One that frees nothing makes no room, so only its age counts against it.
    if (because === undefined || (because === "size" && shard.frees === 0)) continue;
    victims.push({ shard, because });
    history -= shard.frees;
  }
  return { victims, history, maxSize };
}
