// In which order shards are made: one behind the other, so that each is synced and stored while the next are computed, and
// all threads have work until the end.

import type { ShardJob } from "./shard-job.ts";

export interface OrderedJob {
  readonly job: ShardJob;
  /** The engine takes tasks of a lower group first. */
  readonly group: number;
}

/** Of its largest tensor a thread should have so much to do behind it that it is not the one that all wait for. */
const WORK_BEHIND_LARGEST = 2;

/**
 * Those with the largest tensors first, for a large one at the end would leave the other threads idle; equal ones in the order
 * given. The last shards are one group, whose small tensors fill up what its large ones leave: as few as have enough
 * for all threads.
 */
export function orderShards(jobs: Iterable<ShardJob>, threads: number): readonly OrderedJob[] {
  const sized = [...jobs].map((job) => {
    const sizes = job.shard.file.tensors.map(({ bytes }) => bytes);
    return { job, largest: Math.max(0, ...sizes), bytes: sizes.reduce((sum, bytes) => sum + bytes, 0) };
  });
  sized.sort((a, b) => b.largest - a.largest);
  let last = sized.length;
  let bytes = 0;
  do {
    last--;
    bytes += sized[last]?.bytes ?? 0;
  } while (last > 0 && bytes < WORK_BEHIND_LARGEST * threads * sized[last]!.largest);
  return sized.map(({ job }, index) => ({ job, group: Math.min(index, Math.max(0, last)) }));
}
