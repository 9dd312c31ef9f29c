// What is recorded of an action's result.

import type { Action } from "../../compiler/tensor-graph.ts";
import type { ActionCounters, TensorRecord } from "../store/shard-record.ts";
import { operationsOf } from "./reason-to-run.ts";
import { weakKeyOf } from "./weak-key-of.ts";

/** Of the bytes, in the shard. */
export interface Place {
  readonly offset: number;
  readonly bytes: number;
}

export function recordOfRun(
  action: Action,
  { offset, bytes }: Place,
  result: {
    readonly digest: string;
    readonly key: string;
    readonly fed: string | undefined;
    readonly counters: ActionCounters;
  },
): TensorRecord {
  const { digest, key, fed, counters } = result;
  const keys = { key, weak: weakKeyOf(action), ...(fed !== undefined && { fed }) };
  const { tensor: name, dtype, shape } = action;
  const operations = operationsOf(action);
  return { name, dtype, shape, operations, roles: rolesOf(action), offset, bytes, digest, ...keys, counters };
}

/** `found`: of an action with the same key, hence the same operations, maybe of another tensor of another output. */
export function recordOfHit(action: Action, { offset, bytes }: Place, found: TensorRecord): TensorRecord {
  return { ...found, name: action.tensor, roles: rolesOf(action), offset, bytes };
}

function rolesOf({ inputs }: Action): readonly string[] {
  return inputs.map(({ role }) => role);
}
