// Which shards of the wanted outputs are stored already and which have to be made. Two outputs that want the same
// tensors in the same layout share one job.

import type { Action } from "../../compiler/tensor-graph.ts";
import { sha256 } from "../store/sha256.ts";
import { shardDigest } from "../store/shard-record.ts";
import type { ShardStore, StoredShard } from "../store/shard-store.ts";
import type { InputFiles } from "./input-files.ts";
import type { Standings } from "./look-up.ts";
import type { WantedOutput, WantedShard } from "./wanted-output.ts";
import { weakKeyOf } from "./weak-key-of.ts";

/** One shard to be made. */
export interface ShardJob {
  /** Equal for equal work: see `PartialLayout.id`. */
  readonly id: string;
  readonly shard: WantedShard;
  /** The first output that wants it, for messages. */
  readonly output: WantedOutput;
  /** A shard of the same layout, most of whose tensors may be unchanged. */
  readonly base: StoredShard | undefined;
}

export interface ShardPlan {
  /** Stored, or still published. */
  readonly ready: ReadonlyMap<WantedShard, StoredShard>;
  readonly jobs: ReadonlyMap<WantedShard, ShardJob>;
}

export function planShards(
  outputs: readonly WantedOutput[],
  standings: Standings,
  inputs: InputFiles,
  store: ShardStore,
): ShardPlan {
  const ready = new Map<WantedShard, StoredShard>();
  const jobs = new Map<WantedShard, ShardJob>();
  const byId = new Map<string, ShardJob>();
  for (const output of outputs) {
    for (const shard of output.shards) {
      const stored = readyShard(output, shard, standings, store);
      if (stored !== undefined) {
        ready.set(shard, stored);
        continue;
      }
      const id = sha256([shard.layout, ...shard.actions.map((action) => workOf(action, inputs))].join("\n"));
      const job = byId.get(id) ?? { id, shard, output, base: baseOf(output, shard, store) };
      byId.set(id, job);
      jobs.set(shard, job);
    }
  }
  return { ready, jobs };
}

/** Equal for actions that are sure to give the same bytes, known before any digest is. */
export function workOf(action: Action, inputs: InputFiles): string {
  const values = action.program.operations.flatMap((operation): readonly (bigint | number | string | undefined)[] => {
    if (operation.op === "lines") return [operation.ratio];
    if (operation.op === "model-della") return [operation.ranking, operation.place];
    const cuts = operation.op === "model-cut" ? operation.cuts : undefined;
    return cuts === undefined ? [] : [cuts.outer, cuts.inner].flatMap(({ key, tie }) => [key, tie]);
  });
  return [weakKeyOf(action), ...values, ...action.inputs.map(({ tensor }) => inputs.place(tensor))].join(" ");
}

function readyShard(
  output: WantedOutput,
  shard: WantedShard,
  standings: Standings,
  store: ShardStore,
): StoredShard | undefined {
  const payloads: string[] = [];
  for (const action of shard.actions) {
    const standing = standings.get(action);
    if (standing?.state !== "hit") return undefined;
    payloads.push(standing.found.tensor.digest);
  }
  const digest = shardDigest(shard.layout, payloads);
  // What the output holds needs no look into the store, whose sidecars are long.
  return output.held.get(digest) ?? store.find(digest);
}

function baseOf(output: WantedOutput, shard: WantedShard, store: ShardStore): StoredShard | undefined {
  const before = output.record?.shards.find(({ record }) => record.layout === shard.layout);
  return before && (store.find(before.record.digest) ?? output.held.get(before.record.digest));
}
