// What a build would do, without doing it: reads headers, records and time stamps, no payload (unless asked to hash).

import type { TensorGraph } from "../compiler/tensor-graph.ts";
import type { BuildContext } from "./build-context.ts";
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
}

export interface Plan {
  readonly outputs: readonly PlannedOutput[];
  /** Hits by kind; `run` counts the misses, `unknown` the nodes that may turn out either way. */
  readonly counts: ActionCounts & { readonly unknown: number };
  /** Upper bounds where nodes are unknown. */
  readonly bytes: { readonly hash: number; readonly read: number; readonly copy: number; readonly write: number };
  /** Bytes of tensor buffers at the most; at most the memory limit. */
  readonly peak: number;
}

export interface PlanOptions {
  /** Hash what is unknown instead of saying so. */
  readonly hash: boolean;
}

/**
 * Throws a Failure: 66 input missing, unreadable or changing; 73 store cannot be written; 71 out of resources.
 * Takes no lock of an output, so a build that runs at the same time may make it stale.
 */
export declare function planBuild(
  tensors: TensorGraph,
  context: BuildContext,
  options: PlanOptions,
  signal: AbortSignal,
): Promise<Plan>;
