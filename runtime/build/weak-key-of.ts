// The weak key of an action, made once: it is asked for when looking up, when naming a shard in the making, and when
// recording.

import { weakKey } from "../../compiler/action-key.ts";
import type { Action } from "../../compiler/tensor-graph.ts";

const made = new WeakMap<Action, string>();

export function weakKeyOf(action: Action): string {
  let key = made.get(action);
  if (key === undefined) {
    key = weakKey(action);
    made.set(action, key);
  }
  return key;
}
