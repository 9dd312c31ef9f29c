// What a build would do, without doing it: reads headers, records and time stamps, no payload, and writes nothing. Asked to
// hash, it reads payloads and remembers their digests in the store, which it then makes.

import type { Action, TensorGraph } from "../compiler/tensor-graph.ts";
import type { Engine } from "../native/addon-types.ts";
import type { BuildContext } from "./build-context.ts";
import { finishOutput, readyShard, staleBecause } from "./build/finished-output.ts";
import { hashInputs, tensorsToHash } from "./build/hash-inputs.ts";
import { lookUp, type Standings } from "./build/look-up.ts";
import { computeTask } from "./build/native-task.ts";
import { withSession, withSessionToLook, type Session } from "./build/session.ts";
import { planShards, type ShardPlan } from "./build/shard-job.ts";
import { checkVectorBases } from "./build/vector-base.ts";
import { planGates, type PlannedGate } from "./gates/plan-gates.ts";
import { tensorBytes } from "./checkpoint/safetensors-writer.ts";
import type { ActionCounts, HitReason, RunReason } from "./reasons.ts";

export type PlannedNode = {
  /** Stored name in the output. */
  readonly tensor: string;
  /** Bytes of the inputs and of the result. */
  readonly bytes: { readonly inputs: number; readonly output: number };
} & (
  | { readonly state: "hit"; readonly reason: HitReason }
  | { readonly state: "miss"; readonly reason: RunReason }
  /** Whether it runs depends on inputs whose digests are not known: so many bytes would have to be hashed. */
  | { readonly state: "unknown"; readonly hash: number }
);

export interface PlannedOutput {
  /** As the recipe spells it. */
  readonly display: string;
  readonly path: string;
  /** `current`: nothing to do; `publish`: from the store, no action runs; `build`: actions run, or may. */
  readonly state: "current" | "publish" | "build";
  /** Why it is not current, when no node says it: "no such directory", "config.json was edited". */
  readonly because?: string;
  readonly nodes: readonly PlannedNode[];
  readonly gates: readonly PlannedGate[];
}

export interface Plan {
  readonly outputs: readonly PlannedOutput[];
  /** Hits by kind; `run` counts the misses, `unknown` the nodes that may turn out either way. */
  readonly counts: ActionCounts & { readonly unknown: number };
  /** Upper bounds where nodes are unknown. */
  readonly bytes: {
    readonly hash: number;
    /** Of inputs, and of what gates measure. */
    readonly read: number;
    /** The share of `read` that is for gates. */
    readonly measure: number;
    readonly copy: number;
    readonly write: number;
  };
  /** Bytes of tensor buffers at the most; at most the memory limit. */
  readonly peak: number;
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
    let engine: Engine | undefined;
    const startEngine = (): Engine => (engine ??= addon.createEngine(context.engine));
    const cancel = (): void => engine?.cancel();
    signal.addEventListener("abort", cancel);
    try {
      let standings = lookUp(outputs, inputs, store);
      const unknown = tensorsToHash(outputs, standings, inputs);
      if (options.hash && unknown.length > 0) {
        await hashInputs(startEngine(), inputs, unknown, store.paths.root, false);
        standings = lookUp(outputs, inputs, store);
      }
      for (const wanted of outputs) checkVectorBases(wanted, inputs);
      signal.throwIfAborted();
      return describe(session, standings, startEngine);
    } finally {
      signal.removeEventListener("abort", cancel);
      engine?.close();
    }
  };
  const nothingToPrepare = (): Promise<void> => Promise.resolve();
  return options.hash
    ? withSession(tensors, context, signal, nothingToPrepare, look)
    : withSessionToLook(tensors, context, signal, look);
}

function describe(session: Session, standings: Standings, startEngine: () => Engine): Plan {
  const { inputs, outputs, store, context } = session;
  const shards = planShards(outputs, standings, inputs, store.shards);
  const judged = new Map(outputs.map((wanted) => [wanted, planGates(session, wanted, standings)]));
  const planned = outputs.map((wanted): PlannedOutput => {
    const { gates } = judged.get(wanted)!;
    const nodes = wanted.graph.actions.map((action) => plannedNode(action, standings));
    const { display, path } = wanted.graph.output;
    if (nodes.some(({ state }) => state !== "hit")) return { display, path, state: "build", nodes, gates };
    const ready = wanted.shards.every((shard) => shards.ready.has(shard));
    const because = ready
      ? staleBecause(
          finishOutput(
            wanted,
            wanted.shards.map((shard) => readyShard(shard, shards, standings)),
            context,
            inputs,
          ),
        )
      : "its shards are cut otherwise";
    return because === undefined
      ? { display, path, state: "current", nodes, gates }
      : { display, path, state: "publish", because, nodes, gates };
  });
  return {
    outputs: planned,
    counts: count(planned),
    bytes: bytesOf(session, standings, shards, sum([...judged.values()].map(({ read }) => read))),
    peak: peakOf(
      standings,
      [...judged.values()].flatMap(({ computed }) => computed),
      startEngine,
    ),
  };
}

function plannedNode(action: Action, standings: Standings): PlannedNode {
  const standing = standings.get(action)!;
  const tensor = action.tensor;
  const bytes = {
    inputs: sum(action.inputs.map((input) => input.tensor.bytes)),
    output: tensorBytes({ name: tensor, dtype: action.dtype, shape: action.shape }),
  };
  if (standing.state === "hit") return { tensor, bytes, state: "hit", reason: standing.reason };
  if (standing.state === "miss") return { tensor, bytes, state: "miss", reason: standing.reason };
  if (!standing.mayHit) return { tensor, bytes, state: "miss", reason: standing.reason };
  return { tensor, bytes, state: "unknown", hash: sum(standing.missing.map((missing) => missing.bytes)) };
}

function count(outputs: readonly PlannedOutput[]): Plan["counts"] {
  const nodes = outputs.flatMap((output) => output.nodes);
  const hits = (reason: HitReason): number =>
    nodes.filter((node) => node.state === "hit" && node.reason === reason).length;
  return {
    run: nodes.filter((node) => node.state === "miss").length,
    up_to_date: hits("up-to-date"),
    cutoff: hits("cutoff"),
    local_hit: hits("local-hit"),
    remote_hit: hits("remote-hit"),
    unknown: nodes.filter((node) => node.state === "unknown").length,
  };
}

function bytesOf(
  { inputs, outputs }: Session,
  standings: Standings,
  shards: ShardPlan,
  measure: number,
): Plan["bytes"] {
  const toHash = new Map(
    tensorsToHash(outputs, standings, inputs).map((tensor) => [inputs.place(tensor), tensor.bytes]),
  );
  const total = { hash: sum([...toHash.values()]), read: measure, measure, copy: 0, write: 0 };
  for (const { shard } of new Set(shards.jobs.values())) {
    for (const [index, action] of shard.actions.entries()) {
      const { bytes } = shard.file.tensors[index]!;
      if (standings.get(action)?.state === "hit") {
        total.copy += bytes;
      } else {
        total.read += sum(action.inputs.map(({ tensor }) => tensor.bytes));
        total.write += bytes;
      }
    }
  }
  return total;
}

/** `computed`: for gates alone. */
function peakOf(standings: Standings, computed: readonly Action[], startEngine: () => Engine): number {
  const running = [...standings].filter(([, { state }]) => state !== "hit").map(([action]) => action);
  let peak = 0;
  for (const action of [...running, ...computed]) {
    // The sizes decide; no file is touched.
    const nowhere = {
      inputs: action.inputs.map(() => 0),
      digests: action.inputs.map(() => true),
      output: 0,
      offset: 0,
    };
    peak = Math.max(peak, startEngine().peak(computeTask(action, nowhere)));
  }
  return peak;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
