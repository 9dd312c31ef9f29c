// Where every action stands before anything runs: its result is stored, or it must run, or that depends on digests
// which are not known yet. Plan and build share it, so a plan says what a build does.

import { actionKey } from "../../compiler/action-key.ts";
import type { TensorInfo } from "../../compiler/checkpoint.ts";
import { isResolved } from "../../compiler/resolve-statistics.ts";
import type { Action } from "../../compiler/tensor-graph.ts";
import type { RunReason } from "../reasons.ts";
import { journaledWeakKeys } from "../store/journal.ts";
import type { TensorRecord } from "../store/shard-record.ts";
import type { StoredShard, StoredTensor } from "../store/shard-store.ts";
import type { Store } from "../store/store.ts";
import type { InputFiles } from "./input-files.ts";
import { fedOf, reasonToRun } from "./reason-to-run.ts";
import type { WantedOutput } from "./wanted-output.ts";
import { weakKeyOf } from "./weak-key-of.ts";

export type Standing =
  /** `up-to-date`: the output held it when it was last published. */
  | { readonly state: "hit"; readonly reason: "up-to-date" | "local-hit"; readonly found: StoredTensor }
  | {
      readonly state: "miss";
      readonly key: string;
      readonly reason: RunReason;
      /** What an earlier run of the same action gave, whose bytes are gone: this run must give the same. */
      readonly lost?: TensorRecord;
      /** By its sidecar a shard has the result, but its file is not the one that was stored: reading tells. */
      readonly unproven?: TensorRecord;
    }
  | {
      readonly state: "unknown";
      /** Inputs without a digest; none where it is the value of a statistic that is not known. */
      readonly missing: readonly TensorInfo[];
      /** Some record has the same weak key, so hashing may spare the run; else it runs for this reason. */
      readonly mayHit: boolean;
      readonly reason: RunReason;
    };

export type Standings = ReadonlyMap<Action, Standing>;

export function lookUp(outputs: readonly WantedOutput[], inputs: InputFiles, store: Store): Standings {
  const standings = new Map<Action, Standing>();
  const absent: { readonly output: WantedOutput; readonly action: Action; readonly key: string }[] = [];
  const unknown: { readonly output: WantedOutput; readonly action: Action; readonly missing: readonly TensorInfo[] }[] =
    [];
  for (const output of outputs) {
    for (const action of output.graph.actions) {
      const missing = unknownInputs(action, inputs);
      if (missing.length > 0 || !isResolved(action.program)) {
        unknown.push({ output, action, missing });
        continue;
      }
      const key = keyOf(action, inputs);
      const found = output.heldByKey.get(key);
      if (found !== undefined) standings.set(action, { state: "hit", reason: "up-to-date", found });
      else absent.push({ output, action, key });
    }
  }
  const stored =
    absent.length > 0 ? store.shards.lookUp(absent.map(({ key }) => key)) : new Map<string, StoredTensor>();
  const unproven =
    stored.size < absent.length && store.shards.spoiled ? resultsOf(store.shards.otherwiseStamped()) : NONE;
  for (const { output, action, key } of absent) {
    const found = stored.get(key);
    const before = output.recordByName.get(action.tensor);
    if (found !== undefined) {
      standings.set(action, { state: "hit", reason: before?.key === key ? "up-to-date" : "local-hit", found });
    } else {
      const reason = reasonToRun(action, output, key, fedOf(action, inputs));
      standings.set(action, {
        state: "miss",
        key,
        reason,
        ...(before?.key === key && { lost: before }),
        ...(unproven.has(key) && { unproven: unproven.get(key)! }),
      });
    }
  }
  if (unknown.length > 0) {
    const weak = new Map(unknown.map(({ action }) => [action, weakKeyOf(action)]));
    const known = store.index.knownWeak([...weak.values()]);
    const journaled = journaledWeakKeys(store.paths.partial);
    for (const { output, action, missing } of unknown) {
      const mayHit = known.has(weak.get(action)!) || journaled.has(weak.get(action)!);
      standings.set(action, { state: "unknown", missing, mayHit, reason: reasonToRun(action, output) });
    }
  }
  return standings;
}

const NONE: ReadonlyMap<string, TensorRecord> = new Map();

/** By action key. */
function resultsOf(shards: readonly StoredShard[]): ReadonlyMap<string, TensorRecord> {
  return new Map(
    shards.flatMap(({ record }) => [...record.tensors, ...record.more].map((tensor) => [tensor.key, tensor] as const)),
  );
}

/** As if nothing were stored; what is stored already, the runs must give again. */
export function forcedToRun(standings: Standings): Standings {
  const forced = (standing: Standing): Standing => {
    switch (standing.state) {
      case "hit": {
        const { tensor } = standing.found;
        return { state: "miss", key: tensor.key, reason: "forced", lost: tensor };
      }
      case "miss":
        return { ...standing, reason: "forced" };
      case "unknown":
        return { ...standing, reason: "forced", mayHit: false };
    }
  };
  return new Map([...standings].map(([action, standing]) => [action, forced(standing)]));
}

/** The action's key; all its inputs' digests must be known. */
export function keyOf(action: Action, inputs: InputFiles): string {
  return actionKey(
    action,
    action.inputs.map(({ tensor }) => inputs.digest(tensor)!),
  );
}

/** Inputs without a digest, and tensors to compare with that have none. */
function unknownInputs(action: Action, inputs: InputFiles): readonly TensorInfo[] {
  return action.inputs.map(({ tensor }) => tensor).filter((tensor) => inputs.digest(tensor) === undefined);
}
