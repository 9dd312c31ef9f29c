// What is recorded of an action's result.

import { weakKey } from "../../compiler/action-key.ts";
import type { Action } from "../../compiler/tensor-graph.ts";
import type { ActionCounters, TensorRecord } from "../store/shard-record.ts";
import { operationNames } from "./reason-to-run.ts";

/** `place`: of the bytes, in the shard. */
export function recordOf(
  action: Action,
  place: { readonly offset: number; readonly bytes: number },
  digest: string,
  key: string,
  counters: ActionCounters,
): TensorRecord {
  return {
    name: action.tensor,
    dtype: action.dtype,
    shape: action.shape,
    offset: place.offset,
    bytes: place.bytes,
    digest,
    key,
    weak: weakKey(action),
    operations: operationNames(action),
    roles: action.inputs.map(({ role }) => role),
    counters,
  };
}
