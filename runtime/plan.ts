// What a build would do, without doing it: reads headers, records and time stamps, no payload, and writes nothing. Asked to
// hash, it reads payloads, of the store's shards too where their stamps prove nothing, and remembers what it learned in a
// store that is there.

import type { Action, TensorGraph } from "../compiler/tensor-graph.ts";
import type { Diagnostic } from "../dsl/diagnostic.ts";
import type { Engine } from "../native/addon-types.ts";
import type { BuildContext } from "./build-context.ts";
import { finishOutput, readyShard, staleBecause } from "./build/finished-output.ts";
import { forecast, type Fate, type ForecastBytes } from "./build/forecast.ts";
import { hashInputs, tensorsToHash } from "./build/hash-inputs.ts";
import { lookUp, type Standings } from "./build/look-up.ts";
import type { InputFiles } from "./build/input-files.ts";
import { LazyEngine } from "./build/lazy-engine.ts";
import { shardRecogniser } from "./build/recognise-shards.ts";
import { withSession, withSessionToLook, type Session } from "./build/session.ts";
import { planShards, type ShardPlan } from "./build/shard-job.ts";
import { needsOf } from "./build/action-needs.ts";
import { lookUpStatistics, resolveOutput, type StatisticStanding } from "./build/statistics/statistic-standings.ts";
import { checkVectorBases } from "./build/vector-base.ts";
import { needsOfFinding, needsOfRanks, withSomeValues } from "./plan-needs.ts";
import { neededRanks, planStatistic, withStatistics, type PlannedStatistic, type RankNeed } from "./plan-statistics.ts";
import { condemnedBecause, planRefusals, planVerdicts } from "./plan-verdicts.ts";
import { planGates, type PlannedGate } from "./gates/plan-gates.ts";
import { tensorBytes } from "./checkpoint/safetensors-writer.ts";
import type { WantedOutput } from "./build/wanted-output.ts";
import { changedParameters, changesBetween, type Change, type ParameterChange } from "./history/changes.ts";
import { describeAction } from "./history/described-action.ts";
import { EarlierRuns } from "./history/earlier-runs.ts";
import type { Failure } from "./failure.ts";
import { existingStore } from "./store/store-paths.ts";
import type { ActionCounts, HitReason } from "./reasons.ts";

export type PlannedNode = Fate & {
  /** Stored name in the output. */
  readonly tensor: string;
  /** Bytes of the inputs and of the result. */
  readonly bytes: { readonly inputs: number; readonly output: number };
  /** Since the output was last published, where its record tells; of inputs without a digest, nothing. */
  readonly changes: readonly Change[];
};

export interface PlannedOutput {
  /** As the recipe spells it. */
  readonly display: string;
  readonly path: string;
  /**
   * `current`: nothing to do; `publish`: from the store, no action runs; `build`: actions run, or may; `refused`: a build
   * would make nothing of it, so there are no nodes and no gates.
   */
  readonly state: "current" | "publish" | "build" | "refused";
  /** Why it is not current, when no node says it: "no such directory", "config.json was edited". */
  readonly because?: string;
  /** The failure with which a build would refuse it, before it looks anything up. */
  readonly refusal?: Failure;
  /** What it would say of tensors that are stored. */
  readonly verdicts: readonly Diagnostic[];
  /** Parameters of the recipe that had other values when it was last published. */
  readonly parameters: readonly ParameterChange[];
  readonly statistics: readonly PlannedStatistic[];
  readonly nodes: readonly PlannedNode[];
  readonly gates: readonly PlannedGate[];
}

export interface Plan {
  readonly outputs: readonly PlannedOutput[];
  /** Hits by kind; `run` counts the misses, `unknown` the nodes that may turn out either way. */
  readonly counts: ActionCounts & { readonly unknown: number };
  readonly bytes: ForecastBytes;
  /** Bytes of tensor buffers at the most; at most the memory limit. */
  readonly peak: number;
  /** Bytes of scratch files in the store at a time, at the most. */
  readonly scratch: number;
}

export interface PlanOptions {
  /** Hash what is unknown instead of saying so. */
  readonly hash: boolean;
}

/**
 * Throws a Failure: 66 input missing, unreadable or changing; 73 store cannot be read, or written to hash; 71 out of resources.
 * Takes no lock of an output, so a build that runs at the same time may make it stale.
 */
export async function planBuild(
  tensors: TensorGraph,
  context: BuildContext,
  options: PlanOptions,
  signal: AbortSignal,
): Promise<Plan> {
  const look = async (session: Session): Promise<Plan> => {
    const { addon, inputs, outputs, store } = session;
    const engine = new LazyEngine(addon, context.engine, signal);
    try {
      const lookAtAll = (): Looked => {
        const statistics = outputs.map((wanted) =>
          lookUpStatistics(wanted, inputs, store.statistics, (key) => store.statistics.value(key)),
        );
        const resolved = outputs.map((wanted, index) => resolveOutput(wanted, statistics[index]!));
        return { statistics, session: { ...session, outputs: resolved }, standings: lookUp(resolved, inputs, store) };
      };
      let looked = lookAtAll();
      const recogniseShards = shardRecogniser(session, engine.start);
      const recognise = async (): Promise<void> => {
        if (store.shards.spoiled && (await recogniseShards())) looked = lookAtAll();
      };
      if (options.hash) await recognise();
      const unknown = [
        ...tensorsToHash(looked.session.outputs, looked.standings, inputs),
        ...looked.statistics.flat().flatMap((one) => (one.state === "open" && one.mayHit ? one.missing : [])),
      ];
      if (options.hash && unknown.length > 0) {
        await hashInputs(engine.start(), inputs, unknown, store.paths.root, false);
        looked = lookAtAll();
        await recognise();
      }
      signal.throwIfAborted();
      return describe(looked, engine.start);
    } finally {
      engine.close();
    }
  };
  const nothingToPrepare = (): Promise<void> => Promise.resolve();
  // Where nothing was built, no digest could make a hit: there is nothing to hash, and nothing to remember.
  return options.hash && existingStore(context.store) !== undefined
    ? withSession(tensors, context, signal, nothingToPrepare, look)
    : withSessionToLook(tensors, context, signal, look);
}

interface Looked {
  /** By output and number. */
  readonly statistics: readonly (readonly StatisticStanding[])[];
  /** Its outputs have resolved actions, as far as statistics are known. */
  readonly session: Session;
  readonly standings: Standings;
}

function describe(looked: Looked, startEngine: () => Engine): Plan {
  const { inputs, context, outputs } = looked.session;
  const refusals = planRefusals(outputs, context);
  const isAttempted = (_: unknown, index: number): boolean => !refusals.has(outputs[index]!);
  const session = { ...looked.session, outputs: outputs.filter(isAttempted) };
  for (const wanted of session.outputs) checkVectorBases(wanted, inputs);
  const plan = describeAttempted(
    { session, statistics: looked.statistics.filter(isAttempted), standings: looked.standings },
    startEngine,
  );
  const attempted = plan.outputs.values();
  const planned = outputs.map((wanted): PlannedOutput => {
    const refused = refusals.get(wanted);
    return refused === undefined ? attempted.next().value! : notMade(wanted, refused);
  });
  return { ...plan, outputs: planned };
}

function notMade({ graph: { output } }: WantedOutput, why: Pick<PlannedOutput, "because" | "refusal">): PlannedOutput {
  return {
    display: output.display,
    path: output.path,
    state: "refused",
    ...why,
    verdicts: [],
    parameters: [],
    statistics: [],
    nodes: [],
    gates: [],
  };
}

function describeAttempted({ session, standings, statistics }: Looked, startEngine: () => Engine): Plan {
  const { inputs, outputs, store, context } = session;
  const verdicts = new Map(outputs.map((wanted) => [wanted, planVerdicts(session, wanted, standings)]));
  const going = outputs.filter((wanted) => condemnedBecause(verdicts.get(wanted)!) === undefined);
  const shards = planShards(going, standings, inputs, store.shards);
  const stale = new Map(going.map((wanted) => [wanted, staleness(session, wanted, standings, shards)]));
  const toPublish = going.filter((wanted) => stale.get(wanted) !== undefined);
  const judged = new Map(going.map((wanted) => [wanted, planGates(session, wanted, standings)]));
  const measuring = [...judged.values()].map(({ work }) => work);
  const { fates, bytes } = forecast(session, standings, shards, toPublish, measuring);
  const ranks = outputs.map((wanted, index) => {
    const gates = judged.get(wanted);
    return gates === undefined
      ? new Map<number, RankNeed>()
      : neededRanks(wanted, statistics[index]!, fates, gates.computed);
  });
  const earlier = new EarlierRuns(store.paths);
  const planned = outputs.map((wanted, index): PlannedOutput => {
    const { output, actions } = wanted.graph;
    const found = statistics[index]!.map((standing, number) =>
      planStatistic(standing, inputs, ranks[index]!.get(number)),
    );
    const told = verdicts.get(wanted)!;
    const condemned = condemnedBecause(told);
    // Its statistics are found all the same, and its inputs hashed.
    if (condemned !== undefined) {
      return { ...notMade(wanted, { because: condemned }), verdicts: told, statistics: found };
    }
    const { state, because } = stale.get(wanted) ?? { state: "current" };
    return {
      display: output.display,
      path: output.path,
      state,
      ...(because !== undefined && { because }),
      verdicts: told,
      parameters: changedParameters(wanted.record?.parameters ?? {}, context.parameters),
      statistics: found,
      nodes: actions.map((action) => plannedNode(action, fates.get(action)!, wanted, inputs, earlier)),
      gates: judged.get(wanted)!.gates,
    };
  });
  const running = going.flatMap(({ graph }) => graph.actions).filter((action) => fates.get(action)!.state !== "hit");
  const computed = [...judged.values()].flatMap((gates) => gates.computed);
  const needs = needsOf([...running, ...computed].map(withSomeValues), startEngine);
  const finding = needsOfFinding(statistics, session, startEngine);
  const ranking = needsOfRanks(statistics, ranks, inputs, startEngine);
  return {
    outputs: planned,
    counts: count(planned),
    bytes: withStatistics(bytes, session, standings, statistics, ranks),
    peak: Math.max(needs.memory, finding.memory, ranking.memory),
    scratch: ranking.kept + Math.max(needs.scratch, finding.scratch, ranking.scratch),
  };
}

/** Undefined for an output that is as it should be. */
function staleness(
  { context, inputs }: Session,
  wanted: WantedOutput,
  standings: Standings,
  shards: ShardPlan,
): (Pick<PlannedOutput, "because"> & { readonly state: "publish" | "build" }) | undefined {
  if (wanted.graph.actions.some((action) => standings.get(action)?.state !== "hit")) return { state: "build" };
  if (!wanted.shards.every((shard) => shards.ready.has(shard))) {
    return { state: "publish", because: "its shards are cut otherwise" };
  }
  const ready = wanted.shards.map((shard) => readyShard(shard, shards, standings));
  const because = staleBecause(finishOutput(wanted, ready, context, inputs));
  return because === undefined ? undefined : { state: "publish", because };
}

function plannedNode(
  action: Action,
  fate: Fate,
  wanted: WantedOutput,
  inputs: InputFiles,
  earlier: EarlierRuns,
): PlannedNode {
  const { tensor, dtype, shape } = action;
  const bytes = {
    inputs: action.inputs.reduce((sum, input) => sum + input.tensor.bytes, 0),
    output: tensorBytes({ name: tensor, dtype, shape }),
  };
  const isSame = fate.state === "hit" && fate.reason === "up-to-date";
  const before = isSame ? undefined : earlier.actionOf(wanted, tensor);
  const changes =
    before === undefined
      ? []
      : changesBetween(
          before,
          describeAction(action, (input) => inputs.digest(input)),
        );
  return { ...fate, tensor, bytes, changes };
}

function count(outputs: readonly PlannedOutput[]): Plan["counts"] {
  const counts = { run: 0, up_to_date: 0, cutoff: 0, local_hit: 0, remote_hit: 0, unknown: 0 };
  for (const node of outputs.flatMap((output) => output.nodes)) {
    if (node.state === "miss") counts.run++;
    else if (node.state === "unknown") counts.unknown++;
    else counts[COUNTED_AS[node.reason]]++;
  }
  return counts;
}

const COUNTED_AS = {
  "up-to-date": "up_to_date",
  "local-hit": "local_hit",
  "remote-hit": "remote_hit",
  cutoff: "cutoff",
} as const satisfies Record<HitReason, keyof ActionCounts>;
