// Makes a tensor graph true: looks up, runs what is missing, publishes. The order of the steps is the whole of this file.

import type { Program, TensorGraph } from "../compiler/tensor-graph.ts";
import type { Addon } from "../native/addon-types.ts";
import type { BuildContext } from "./build-context.ts";
import { claimShards } from "./build/claim-shards.ts";
import { FailedOutputs } from "./build/failed-outputs.ts";
import { OutputFinisher } from "./build/finish-outputs.ts";
import { refuseForeignContent } from "./build/foreign-content.ts";
import { judgeHits } from "./build/judge-output-tensors.ts";
import { LazyEngine } from "./build/lazy-engine.ts";
import { lockOutputs } from "./build/lock-outputs.ts";
import type { Standings } from "./build/look-up.ts";
import { makeAll } from "./build/make-all.ts";
import { withSession, type Session } from "./build/session.ts";
import { settleStandings } from "./build/settle-standings.ts";
import { isRanked } from "./build/statistics/rank-task.ts";
import { planShards } from "./build/shard-job.ts";
import { knowStatistics, type StatisticCounts } from "./build/statistics/know-statistics.ts";
import { tidyStore } from "./build/tidy-store.ts";
import { checkVectorBases } from "./build/vector-base.ts";
import type { WantedOutput } from "./build/wanted-output.ts";
import { EXIT, Failure } from "./failure.ts";
import type { GateResult } from "./gates/judge-gates.ts";
import { recordBuild, type BuildRecorder } from "./history/record-build.ts";
import type { BuildObserver } from "./progress.ts";
import type { ActionCounts } from "./reasons.ts";
import type { Lock } from "./store/lock.ts";
import { underMutationLock } from "./store/mutation-lock.ts";
import { ShardGone } from "./store/shard-store.ts";
import type { Store } from "./store/store.ts";

/** The last line of `build --json`, less its `type`. */
export interface BuildSummary {
  /** `failed`: a node (NaN, overflow …) or a gate failed, so its output kept its previous content; exit code 1. */
  readonly status: "done" | "failed";
  readonly actions: ActionCounts;
  /** Model-wide statistics: found by reading, or known from before. */
  readonly statistics: StatisticCounts;
  readonly bytes: { readonly read: number; readonly hashed: number; readonly written: number; readonly copied: number };
  readonly seconds: number;
  /** Of every output whose tensors were all made, in the order of the recipe. */
  readonly gates: readonly GateResult[];
  /** Those that are now true, published by this build or before; `path` as the recipe spells it. */
  readonly outputs: readonly { readonly path: string; readonly tensors: number; readonly digest: string }[];
}

export interface BuildResult extends BuildSummary {
  /** Of the first output, in the recipe's order, that could not be made. */
  readonly exitCode: number;
  /** Why others could not, under `keepGoing`; nobody has heard of them yet. Verdicts went to the observer. */
  readonly failures: readonly Failure[];
}

const PROGRESS_MS = 200;
const MOST_ATTEMPTS = 3;

/**
 * Resolves also when nodes failed. Throws a Failure for all that stops a build: 3 two runs of
 * one action gave other bits, 66 input, 71 memory or disk, 73 output or store, 75 lock; and `AbortError` when the
 * signal fired, with everything unwound and finished tensors kept.
 */
export async function build(
  tensors: TensorGraph,
  context: BuildContext,
  observer: BuildObserver,
  signal: AbortSignal,
): Promise<BuildResult> {
  const started = performance.now();
  const locks: Lock[] = [];
  const lock = async (addon: Addon, store: Store): Promise<void> => {
    if (locks.length > 0) return;
    await lockOutputs(addon, store.paths, tensors.outputs, context, observer, signal, locks);
  };
  try {
    const attempt = (): ReturnType<typeof makeTrue> =>
      withSession(tensors, context, signal, lock, (session) =>
        recordBuild(session, observer, (recorder) => makeTrue(session, recorder)),
      );
    const result = await lookAgainWhenShardsGo(attempt);
    return { ...result, seconds: (performance.now() - started) / 1000 };
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    for (const held of locks.reverse()) held.release();
  }
}

/** A stored shard that went away between look-up and use is a miss for the look-up that follows. */
async function lookAgainWhenShardsGo<T>(attempt: () => Promise<T>): Promise<T> {
  for (let left = MOST_ATTEMPTS; ; left--) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof ShardGone)) throw error;
      if (left > 1) continue;
      const help = "see who else writes to the store; theta cache verify says what is wrong with it";
      throw new Failure(EXIT.output, error.message, { code: "shard-gone", help }, error);
    }
  }
}

async function makeTrue(session: Session, recorder: BuildRecorder): Promise<Omit<BuildResult, "seconds">> {
  const { observer } = recorder;
  const { addon, context, store, inputs, signal } = session;
  const failed = new FailedOutputs(context.keepGoing);
  observer.phase("look-up");
  for (const wanted of session.outputs) failed.attempt(wanted, () => refuseForeignContent(wanted, context));
  const engine = new LazyEngine(addon, { ...context.engine, scratch: store.paths.partial }, signal);
  const ticking = setInterval(() => engine.started && observer.bytes(engine.progress), PROGRESS_MS);
  try {
    const { outputs, counts: statistics } = await knowStatistics(session, engine.start, observer, failed);
    session.outputs.forEach((wanted, index) => failed.carryOver(wanted, outputs[index]!));
    session.measurements.expect(outputs.map(({ graph }) => graph));
    const standings = await settleStandings(session, outputs, engine.start, observer, failed);
    recorder.lookedUp(outputs, standings);
    session.rankings.expect([...programsToRun(outputs, standings), ...programsOfOperands(outputs)]);
    for (const wanted of outputs.filter((output) => !failed.has(output))) {
      const fits = failed.attempt(wanted, () => checkVectorBases(wanted, inputs));
      if (fits && !judgeHits(wanted, standings, session, observer)) failed.condemn(wanted);
    }
    const going = outputs.filter((wanted) => !failed.has(wanted));
    const plan = planShards(going, standings, inputs, store.shards);
    if (store.shards.spoiled) await underMutationLock(addon, store.paths, signal, () => store.shards.dropSpoiled());
    await claimShards(session, going, standings, plan);
    if (plan.jobs.size > 0) {
      const ranked = programsToRun(going, standings).filter(({ operations }) => operations.some(isRanked));
      if (ranked.length > 0) {
        observer.phase("statistics");
        await session.rankings.prepare(ranked, engine.start());
        signal.throwIfAborted();
      }
      observer.phase("compute");
      engine.start();
    }
    signal.throwIfAborted();
    const finisher = new OutputFinisher(session, recorder, engine.start, standings, failed);
    const made = await makeAll(session, engine.started, going, standings, plan, observer, failed, (wanted, shards) =>
      finisher.finish(wanted, shards),
    );
    if (made.ran > 0) await tidyStore(session, observer);
    const { ran: ranked } = session.rankings;
    const { progress } = engine;
    return {
      status: failed.any ? "failed" : "done",
      exitCode: failed.exitCode(outputs),
      failures: failed.causes(outputs),
      actions: countActions(going, standings, made),
      statistics: { run: statistics.run + ranked, reused: Math.max(0, statistics.reused - ranked) },
      bytes: { ...progress, copied: progress.copied + finisher.copied },
      gates: outputs.flatMap((wanted) => finisher.gatesOf(wanted)),
      outputs: outputs.flatMap((wanted) => {
        const digest = finisher.digestOf(wanted);
        const { output, actions } = wanted.graph;
        return digest === undefined ? [] : [{ path: output.display, tensors: actions.length, digest }];
      }),
    };
  } finally {
    clearInterval(ticking);
    engine.close();
  }
}

function programsToRun(outputs: readonly WantedOutput[], standings: Standings): readonly Program[] {
  const running = outputs.flatMap(({ graph }) => graph.actions).filter((one) => standings.get(one)?.state !== "hit");
  return running.map(({ program }) => program);
}

/** Of what gates compare with; most need not run. */
function programsOfOperands(outputs: readonly WantedOutput[]): readonly Program[] {
  const gates = outputs.flatMap(({ graph }) => graph.gates);
  return gates.flatMap(({ operand }) => [...(operand?.tensors.values() ?? [])]).map(({ program }) => program);
}

function countActions(
  outputs: readonly WantedOutput[],
  standings: Standings,
  { ran, failed }: { readonly ran: number; readonly failed: number },
): ActionCounts {
  let total = 0;
  let upToDate = 0;
  for (const { graph } of outputs) {
    for (const action of graph.actions) {
      total++;
      const standing = standings.get(action);
      if (standing?.state === "hit" && standing.reason === "up-to-date") upToDate++;
    }
  }
  // What neither ran nor was there before was found in the store, resumed, or copied from an equal action.
  const found = Math.max(0, total - upToDate - ran - failed);
  return { run: ran, up_to_date: upToDate, cutoff: 0, local_hit: found, remote_hit: 0 };
}
