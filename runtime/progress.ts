// What a build tells while it works. The views (listr2, plain lines, NDJSON) implement it; the build knows none of them.

import type { Progress } from "../native/addon-types.ts";
import type { Diagnostic } from "../dsl/diagnostic.ts";
import type { GateResult } from "./gates/judge-gates.ts";

/**
 * - `look-up`: inputs are compared with what is known of them, keys are made;
 * - `statistics`: vectors are read for where model-wide masks cut them, or for their sizes;
 * - `hash`: inputs whose digests decide about a hit are read;
 * - `compute`: actions run;
 * - `measure`: what the gates of an output need and nobody has measured yet is measured;
 * - `publish`: finished outputs are switched in.
 * A build that has nothing to do goes through `look-up` only.
 */
export type BuildPhase = "look-up" | "hash" | "statistics" | "compute" | "measure" | "publish";

export interface BuildObserver {
  phase(phase: BuildPhase): void;
  /** Once, when it is known how much there is to do: actions to run or copy, and the bytes that they write. */
  work(total: { readonly actions: number; readonly bytes: number }): void;
  /** One action ran, or its tensor was copied from the store. `output` as the recipe spells it. */
  actionDone(action: {
    readonly output: string;
    readonly tensor: string;
    readonly how: "run" | "copied";
    readonly bytes: number;
  }): void;
  /** Bytes so far, from the engine, a few times a second. */
  bytes(progress: Progress): void;
  /** One gate of an output whose tensors are all made; `diagnostic` hears why one failed. */
  gateJudged(result: GateResult): void;
  outputPublished(output: { readonly path: string; readonly tensors: number; readonly digest: string }): void;
  /** A warning, or why a node failed; the build goes on with what does not need that node. */
  diagnostic(diagnostic: Diagnostic): void;
}
