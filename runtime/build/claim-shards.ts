// Tells garbage collection which stored shards this build goes on to read, before it does. A build that has nothing to do
// needs none, takes no lock and leaves no trace.

import { underMutationLock } from "../store/mutation-lock.ts";
import { ShardGone, type StoredShard } from "../store/shard-store.ts";
import type { Standings } from "./look-up.ts";
import type { Session } from "./session.ts";
import type { ShardPlan } from "./shard-job.ts";
import type { WantedOutput } from "./wanted-output.ts";

/** Throws ShardGone when one that is to be published has been collected since it was looked up. */
export async function claimShards(
  { addon, lease, signal, store }: Session,
  outputs: readonly WantedOutput[],
  standings: Standings,
  plan: ShardPlan,
): Promise<void> {
  const { shards } = store;
  const isStored = (shard: StoredShard): boolean => shard.path === shards.path(shard.record.digest);
  const published = toPublish(outputs, plan).filter(isStored);
  const copied = toCopy(standings, plan).filter(isStored);
  const before = outputs.filter((output) => output.shards.some((shard) => plan.jobs.has(shard))).flatMap(heldShards);
  const digests = new Set([...published, ...copied].map(({ record }) => record.digest).concat(before));
  if (digests.size === 0) return;
  await underMutationLock(addon, store.paths, signal, () => {
    lease.pin([...digests]);
    // One that was to be copied and is gone is a miss when its turn comes.
    const gone = new Set([...digests].filter((digest) => !shards.use(digest)));
    const missed = published.find(({ record }) => gone.has(record.digest));
    if (missed !== undefined) throw new ShardGone(missed);
  });
}

/** Those that the output does not hold already. */
function toPublish(outputs: readonly WantedOutput[], plan: ShardPlan): readonly StoredShard[] {
  return outputs.flatMap(({ shards, held }) =>
    shards.flatMap((shard) => {
      const stored = plan.ready.get(shard);
      return stored === undefined || held.has(stored.record.digest) ? [] : [stored];
    }),
  );
}

function toCopy(standings: Standings, plan: ShardPlan): readonly StoredShard[] {
  return [...new Set(plan.jobs.values())].flatMap(({ shard, base }) => {
    const hits = shard.actions.flatMap((action) => {
      const standing = standings.get(action);
      return standing?.state === "hit" ? [standing.found.shard] : [];
    });
    return base === undefined ? hits : [...hits, base];
  });
}

/** What an output holds until this build replaces it: history from then on, not from the day on which it was made. */
function heldShards({ record }: WantedOutput): readonly string[] {
  return record?.shards.map((shard) => shard.record.digest) ?? [];
}
