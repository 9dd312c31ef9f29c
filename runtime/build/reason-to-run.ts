// Why an action has to run, by comparing it with what its output held before.

import type { Action } from "../../compiler/tensor-graph.ts";
import type { RunReason } from "../reasons.ts";
import type { WantedOutput } from "./wanted-output.ts";
import { weakKeyOf } from "./weak-key-of.ts";

/** The operations' names: tells another program from another parameter. */
export function operationNames(action: Action): string {
  return action.program.operations.map(({ op }) => op).join(" ");
}

/** `key` where the inputs' digests are known. */
export function reasonToRun(action: Action, output: WantedOutput, key: string | undefined): RunReason {
  const before = output.recordByName.get(action.tensor);
  if (before === undefined) return "no-record";
  if (key === before.key) return output.held.size > 0 || output.record === undefined ? "output-corrupt" : "evicted";
  if (before.weak === weakKeyOf(action)) return "input-changed";
  if (before.dtype !== action.dtype) return "dtype-changed";
  if (before.roles.length < action.inputs.length) return "input-added";
  if (before.roles.length > action.inputs.length) return "input-removed";
  return before.operations === operationNames(action) ? "param-changed" : "program-changed";
}
