// Makes a tensor graph true: looks up, runs what is missing, publishes. The order of the steps is the whole of this file.

import type { TensorGraph } from "../compiler/tensor-graph.ts";
import type { Addon, Engine } from "../native/addon-types.ts";
import type { BuildContext } from "./build-context.ts";
import { claimShards } from "./build/claim-shards.ts";
import { outputFailure } from "./build/engine-failure.ts";
import { FailedOutputs } from "./build/failed-outputs.ts";
import { finishOutput, publish, recordAgain, recordedFiles, staleBecause } from "./build/finished-output.ts";
import type { FinishedShard } from "./build/finished-output.ts";
import { hashInputs, tensorsToHash } from "./build/hash-inputs.ts";
import { judge } from "./build/judge.ts";
import { lockOutputs } from "./build/lock-outputs.ts";
import { forcedToRun, lookUp, type Standings } from "./build/look-up.ts";
import { makeAll } from "./build/make-all.ts";
import { shardRecogniser } from "./build/recognise-shards.ts";
import { withSession, type Session } from "./build/session.ts";
import { knowStatistics, type StatisticCounts } from "./build/statistics/know-statistics.ts";
import { planShards } from "./build/shard-job.ts";
import { tidyStore } from "./build/tidy-store.ts";
import { checkVectorBases } from "./build/vector-base.ts";
import type { WantedOutput } from "./build/wanted-output.ts";
import { EXIT, Failure } from "./failure.ts";
import type { GateResult } from "./gates/judge-gates.ts";
import { judgeOutput } from "./gates/judge-output.ts";
import { existingParent } from "./output/output-paths.ts";
import { ownFiles } from "./output/own-files.ts";
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
  for (const wanted of session.outputs) failed.attempt(wanted, () => refuseForeignDirectory(wanted, context));
  let engine: Engine | undefined;
  const startEngine = (): Engine => (engine ??= addon.createEngine(context.engine));
  const cancel = (): void => engine?.cancel();
  signal.addEventListener("abort", cancel);
  const ticking = setInterval(() => engine && observer.bytes(engine.progress()), PROGRESS_MS);
  try {
    const { outputs, counts: statistics } = await knowStatistics(session, startEngine, observer, failed);
    session.outputs.forEach((wanted, index) => failed.carryOver(wanted, outputs[index]!));
    session.measurements.expect(outputs.map(({ graph }) => graph));
    let standings = lookUp(outputs, inputs, store);
    const recogniseShards = shardRecogniser(session, startEngine);
    const recognise = async (): Promise<void> => {
      if (store.shards.spoiled && !context.force && (await recogniseShards()))
        standings = lookUp(outputs, inputs, store);
    };
    await recognise();
    const toHash = tensorsToHash(outputs, standings, inputs);
    if (toHash.length > 0) {
      observer.phase("hash");
      const unread = await hashInputs(startEngine(), inputs, toHash, store.paths.root, context.keepGoing);
      for (const wanted of unread.size > 0 ? outputs : []) {
        const missed = tensorsToHash([wanted], standings, inputs).flatMap(
          (tensor) => unread.get(inputs.place(tensor)) ?? [],
        );
        if (missed.length > 0) failed.add(wanted, missed);
      }
      standings = lookUp(outputs, inputs, store);
    }
    await recognise();
    if (context.force) standings = forcedToRun(standings);
    recorder.lookedUp(outputs, standings);
    for (const wanted of outputs.filter((output) => !failed.has(output))) {
      const fits = failed.attempt(wanted, () => checkVectorBases(wanted, inputs));
      if (fits && !judgeHits(wanted, standings, session, observer)) failed.condemn(wanted);
    }
    const going = outputs.filter((wanted) => !failed.has(wanted));
    const plan = planShards(going, standings, inputs, store.shards);
    if (store.shards.spoiled) await underMutationLock(addon, store.paths, signal, () => store.shards.dropSpoiled());
    await claimShards(session, going, standings, plan);
    if (plan.jobs.size > 0) {
      observer.phase("compute");
      startEngine();
    }
    signal.throwIfAborted();
    const done = new Map<WantedOutput, string>();
    const gates = new Map<WantedOutput, readonly GateResult[]>();
    let copied = 0;
    const finished = async (wanted: WantedOutput, shards: readonly FinishedShard[]): Promise<void> => {
      signal.throwIfAborted();
      checkVectorBases(wanted, inputs);
      if (!judgeRuns(wanted, shards, standings, session, observer)) {
        failed.condemn(wanted);
        return;
      }
      const judged = await judgeOutput(session, startEngine, wanted, shards, observer);
      gates.set(wanted, judged);
      if (!judged.every(({ passed }) => passed)) {
        failed.condemn(wanted);
        return;
      }
      signal.throwIfAborted();
      const output = finishOutput(wanted, shards, context, inputs);
      const because = staleBecause(output);
      if (because === undefined) {
        const isNews = recordAgain(store.paths, context, output, recorder.id);
        recorder.finished(output, isNews ? "relearned" : "current");
      } else {
        observer.phase("publish");
        const { output: node, actions } = wanted.graph;
        copied += await publish(addon, store.paths, context, output, recorder.id).catch((error: unknown) => {
          throw outputFailure(error, node.display, existingParent(wanted.path));
        });
        recorder.finished(output, "published", because);
        observer.outputPublished({ path: node.display, tensors: actions.length, digest: output.digest });
      }
      done.set(wanted, output.digest);
    };
    const made = await makeAll(session, engine, going, standings, plan, observer, failed, finished);
    if (made.ran > 0) await tidyStore(session, observer);
    const progress = engine?.progress() ?? { read: 0, hashed: 0, written: 0, copied: 0 };
    return {
      status: failed.any ? "failed" : "done",
      exitCode: failed.exitCode(outputs),
      failures: failed.causes(outputs),
      actions: countActions(going, standings, made),
      statistics,
      bytes: { ...progress, copied: progress.copied + copied },
      gates: outputs.flatMap((wanted) => gates.get(wanted) ?? []),
      outputs: outputs.flatMap((wanted) => {
        const digest = done.get(wanted);
        const { output, actions } = wanted.graph;
        return digest === undefined ? [] : [{ path: output.display, tensors: actions.length, digest }];
      }),
    };
  } finally {
    clearInterval(ticking);
    signal.removeEventListener("abort", cancel);
    engine?.close();
  }
}

/** Verdicts on what is stored come before any work. False when one is an error. */
function judgeHits(wanted: WantedOutput, standings: Standings, session: Session, observer: BuildObserver): boolean {
  let good = true;
  for (const action of wanted.graph.actions) {
    const standing = standings.get(action);
    if (standing?.state !== "hit") continue;
    const verdicts = judge(wanted.graph.output.display, action, standing.found.tensor.counters, (tensor) =>
      session.inputs.digest(tensor),
    );
    for (const verdict of verdicts) observer.diagnostic(verdict);
    good &&= verdicts.every(({ severity }) => severity !== "error");
  }
  return good;
}

/** The same for what ran in this build. */
function judgeRuns(
  wanted: WantedOutput,
  shards: readonly FinishedShard[],
  standings: Standings,
  session: Session,
  observer: BuildObserver,
): boolean {
  let good = true;
  for (const shard of shards) {
    for (const [index, action] of shard.wanted.actions.entries()) {
      if (standings.get(action)?.state === "hit") continue;
      const { counters } = shard.records[index]!;
      const verdicts = judge(wanted.graph.output.display, action, counters, (tensor) => session.inputs.digest(tensor));
      for (const verdict of verdicts) observer.diagnostic(verdict);
      good &&= verdicts.every(({ severity }) => severity !== "error");
    }
  }
  return good;
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

function refuseForeignDirectory(wanted: WantedOutput, context: BuildContext): void {
  const { display } = wanted.graph.output;
  try {
    ownFiles(wanted.path, display, recordedFiles(wanted), context.adopt);
  } catch (error) {
    throw outputFailure(error, display, existingParent(wanted.path));
  }
}
