// Makes a tensor graph true: looks up, runs what is missing, publishes. The order of the steps is the whole of this file.

import type { TensorGraph } from "../compiler/tensor-graph.ts";
import type { BuildContext } from "./build-context.ts";
import type { BuildObserver } from "./progress.ts";
import type { ActionCounts } from "./reasons.ts";

/** The last line of `build --json`, less its `type`. */
export interface BuildSummary {
  /** `failed`: a node failed (NaN, overflow …), so its output kept its previous content; exit code 1. */
  readonly status: "done" | "failed";
  readonly actions: ActionCounts;
  readonly bytes: { readonly read: number; readonly hashed: number; readonly written: number; readonly copied: number };
  readonly seconds: number;
  /** Those that are now true, published by this build or before; `path` as the recipe spells it. */
  readonly outputs: readonly { readonly path: string; readonly tensors: number; readonly digest: string }[];
}

/**
 * Resolves also when nodes failed; the observer heard why. Throws a Failure for all that stops a build: 3 two runs of
 * one action gave other bits, 66 input, 71 memory or disk, 73 output or store, 75 lock; and `AbortError` when the
 * signal fired, with everything unwound and finished tensors kept.
 */
export declare function build(
  tensors: TensorGraph,
  context: BuildContext,
  observer: BuildObserver,
  signal: AbortSignal,
): Promise<BuildSummary>;
