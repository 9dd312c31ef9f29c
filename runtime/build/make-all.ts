// Runs what is missing for all outputs on one engine, and tells each output as soon as its shards are stored.

import type { Action } from "../../compiler/tensor-graph.ts";
import type { Engine } from "../../native/addon-types.ts";
import type { BuildObserver } from "../progress.ts";
import { makeRoom } from "../store/collect-garbage.ts";
import { checkDiskSpace } from "../store/disk-space.ts";
import { scratchOf } from "./action-needs.ts";
import { engineFailure } from "./engine-failure.ts";
import type { FailedOutputs } from "./failed-outputs.ts";
import { readyShard, type FinishedShard } from "./finished-output.ts";
import type { Standings } from "./look-up.ts";
import { ShardMaker, type FailedTensor, type MadeShard } from "./make-shards.ts";
import type { Session } from "./session.ts";
import type { ShardJob, ShardPlan } from "./shard-job.ts";
import { orderShards } from "./shard-order.ts";
import type { WantedOutput, WantedShard } from "./wanted-output.ts";

/**
 * Calls `finished` for each output when its last shard is stored, while others are still being made. Returns how many
 * actions ran and how many failed. What fails goes to `failed`, or the first cause of it is thrown when everything has
 * come to rest; finished tensors are kept.
 */
export async function makeAll(
  session: Session,
  engine: Engine | undefined,
  outputs: readonly WantedOutput[],
  standings: Standings,
  plan: ShardPlan,
  observer: BuildObserver,
  failed: FailedOutputs,
  finished: (output: WantedOutput, shards: readonly FinishedShard[]) => Promise<void>,
): Promise<{ readonly ran: number; readonly failed: number }> {
  const jobs = new Set(plan.jobs.values());
  const ready = (shard: WantedShard): FinishedShard => readyShard(shard, plan, standings);
  if (engine === undefined || jobs.size === 0) {
    for (const output of outputs) {
      await finished(output, output.shards.map(ready)).catch((error: unknown) => failed.add(output, [error]));
    }
    return { ran: 0, failed: 0 };
  }
  const { store, addon: calls, lease, inputs, measurements, rankings, signal, context } = session;
  const bytes = bytesToWrite(jobs, standings);
  const running = actionsToRun(jobs, standings);
  const scratch = scratchOf(running, engine);
  await makeRoom(calls, store, bytes + scratch, signal);
  checkDiskSpace(store.paths.root, bytes, jobs.size * 4, scratch);
  const { keepGoing } = context;
  const maker = new ShardMaker({
    store,
    engine,
    calls,
    lease,
    inputs,
    measurements,
    rankings,
    standings,
    observer,
    signal,
    keepGoing,
  });
  const explained = ({ error, action }: FailedTensor): unknown => engineFailure(error, action.tensor, store.paths.root);
  try {
    // What their writers left unwritten has to reach the disk first: it does while files are made for the shards.
    inputs.openSoon(running.flatMap((action) => action.inputs.map(({ tensor }) => tensor)));
    maker.open(jobs);
    observer.work({ actions: [...jobs].reduce((sum, job) => sum + job.shard.actions.length, 0), bytes });
    const ordered = orderShards(jobs, context.engine.threads);
    const made = new Map<ShardJob, Promise<MadeShard>>(ordered.map((next) => [next.job, maker.make(next)]));
    const settled = await Promise.allSettled(
      outputs.map(async (output) => {
        // All of them, so that no promise is left without somebody who hears of its failure.
        const shards = await Promise.allSettled(
          output.shards.map(async (shard): Promise<FinishedShard> => {
            const job = plan.jobs.get(shard);
            if (job === undefined) return ready(shard);
            const { stored, records } = await made.get(job)!;
            return { wanted: shard, stored, records };
          }),
        );
        await finished(output, shards.map(valueOf));
      }),
    );
    for (const [index, outcome] of settled.entries()) {
      if (outcome.status === "fulfilled") continue;
      const output = outputs[index]!;
      const own = new Set(output.shards.flatMap((shard) => plan.jobs.get(shard) ?? []));
      const causes = [...own].flatMap((job) => maker.failuresOf(job)).map(explained);
      failed.add(output, causes.length > 0 ? causes : [outcome.reason]);
    }
  } catch (error) {
    engine.cancel();
    const failure = maker.cause ? explained(maker.cause) : engineFailure(error, context.recipe, store.paths.root);
    try {
      maker.close();
      inputs.save();
    } catch {
      // What went wrong first is what has to be told.
    }
    throw failure;
  }
  maker.close();
  inputs.save();
  return { ran: maker.ran, failed: maker.failed };
}

function valueOf<T>(outcome: PromiseSettledResult<T>): T {
  if (outcome.status === "rejected") throw outcome.reason;
  return outcome.value;
}

function actionsToRun(jobs: ReadonlySet<ShardJob>, standings: Standings): readonly Action[] {
  return [...jobs].flatMap(({ shard }) => shard.actions.filter((action) => standings.get(action)?.state !== "hit"));
}

/** Of shards with an unchanged layout only what changes, should the file system clone; what it needs is reserved later. */
function bytesToWrite(jobs: ReadonlySet<ShardJob>, standings: Standings): number {
  let bytes = 0;
  for (const { shard, base } of jobs) {
    for (const [index, action] of shard.actions.entries()) {
      if (base === undefined || standings.get(action)?.state !== "hit") bytes += shard.file.tensors[index]!.bytes;
    }
  }
  return bytes;
}
