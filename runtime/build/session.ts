// What a build or a plan holds open: the addon, the store, the inputs, the outputs as they stand.

import type { TensorInfo } from "../../compiler/checkpoint.ts";
import type { TensorGraph } from "../../compiler/tensor-graph.ts";
import type { Addon } from "../../native/addon-types.ts";
import { loadAddon } from "../../native/index.ts";
import type { BuildContext } from "../build-context.ts";
import { PassingMeasurements } from "../gates/measure-in-passing.ts";
import { EXIT, Failure } from "../failure.ts";
import { Lease } from "../store/lease.ts";
import { withStore, withStoreToLook, type Store } from "../store/store.ts";
import { InputFiles } from "./input-files.ts";
import { Rankings } from "./statistics/rankings.ts";
import { wantOutput, type WantedOutput } from "./wanted-output.ts";

export interface Session {
  readonly context: BuildContext;
  readonly addon: Addon;
  readonly store: Store;
  /** What this build needs of the store's shards. */
  readonly lease: Lease;
  readonly inputs: InputFiles;
  /** What this build measures of results while it writes them. */
  readonly measurements: PassingMeasurements;
  /** Thresholds of masks over a model. */
  readonly rankings: Rankings;
  readonly outputs: readonly WantedOutput[];
  readonly signal: AbortSignal;
}

/** `prepare` runs when the store is open and before the outputs are looked at. */
export async function withSession<T>(
  tensors: TensorGraph,
  context: BuildContext,
  signal: AbortSignal,
  prepare: (addon: Addon, store: Store) => Promise<void>,
  work: (session: Session) => Promise<T>,
): Promise<T> {
  const addon = loadedAddon();
  const prepared = async (store: Store): Promise<T> => {
    await prepare(addon, store);
    return workIn(store, addon, tensors, context, signal, work);
  };
  return withStore(context.store, addon, prepared, signal);
}

/** One that leaves no trace in the project, and needs no right to write there. */
export async function withSessionToLook<T>(
  tensors: TensorGraph,
  context: BuildContext,
  signal: AbortSignal,
  work: (session: Session) => Promise<T>,
): Promise<T> {
  const addon = loadedAddon();
  return withStoreToLook(context.store, (store) => workIn(store, addon, tensors, context, signal, work));
}

async function workIn<T>(
  store: Store,
  addon: Addon,
  tensors: TensorGraph,
  context: BuildContext,
  signal: AbortSignal,
  work: (session: Session) => Promise<T>,
): Promise<T> {
  const outputs = tensors.outputs.map((graph) => wantOutput(store.paths, graph));
  const used = tensorsOf(tensors);
  const { opened, trustRemoteStat, locked } = context;
  const files = new Set([...used].map(({ file }) => file));
  const inputs = new InputFiles(
    files,
    opened,
    store.inputs,
    addon,
    { trustRemoteStat, recheck: context.force },
    signal,
    locked,
  );
  inputs.checkLocked(used);
  const lease = new Lease(addon, store.paths.locks);
  const measurements = new PassingMeasurements();
  const rankings = new Rankings(addon, inputs, store.paths);
  try {
    return await work({ context, addon, store, lease, inputs, measurements, rankings, outputs, signal });
  } finally {
    rankings.close();
    lease.release();
    await inputs.close();
  }
}

/** Every tensor that a digest may be wanted of. */
function tensorsOf({ outputs }: TensorGraph): ReadonlySet<TensorInfo> {
  const tensors = new Set<TensorInfo>();
  for (const { actions, base, gates, statistics, storedVectors = [] } of outputs) {
    for (const named of [base, ...storedVectors.map((vector) => vector.base)]) {
      for (const tensor of named?.tensors.values() ?? []) tensors.add(tensor);
    }
    for (const { inputs } of statistics.flatMap(({ members }) => members)) {
      for (const { tensor } of inputs) tensors.add(tensor);
    }
    const operands = gates.flatMap(({ operand }) => [...(operand?.tensors.values() ?? [])]);
    for (const { inputs, mustEqual = [] } of [...actions, ...operands]) {
      for (const { tensor } of inputs) tensors.add(tensor);
      for (const { tensor } of mustEqual) tensors.add(tensor);
    }
  }
  return tensors;
}

/** Throws a Failure: 64 THETA_ISA names what cannot run here, 70 the addon is not there. */
export function loadedAddon(): Addon {
  try {
    return loadAddon();
  } catch (error) {
    const { code, message } = error as Error & { readonly code?: string };
    if (code === "usage") throw new Failure(EXIT.usage, message, { code: "no-such-isa" }, error);
    if (code === "addon-missing") throw new Failure(EXIT.internal, message, { code }, error);
    throw error;
  }
}
