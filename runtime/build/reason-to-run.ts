// Why an action has to run, by comparing it with what its output held before.

import { join } from "node:path";
import { OPERATION_REVISION } from "../../compiler/operation-revision.ts";
import type { Action } from "../../compiler/tensor-graph.ts";
import type { RunReason } from "../reasons.ts";
import { ownStampAt } from "../store/file-identity.ts";
import type { OutputRecord } from "../store/output-record.ts";
import { sha256 } from "../store/sha256.ts";
import type { InputFiles } from "./input-files.ts";
import type { WantedOutput } from "./wanted-output.ts";
import { weakKeyOf } from "./weak-key-of.ts";

/** The operations' names and revisions, "load/1 ties/1": tell another program or formula from another parameter. */
export function operationsOf(action: Action): string {
  return action.program.operations.map(({ op }) => `${op}/${OPERATION_REVISION[op]}`).join(" ");
}

/** `key` where the inputs' digests are known, with what `fedOf` then gives. */
export function reasonToRun(action: Action, output: WantedOutput, key?: string, fed?: string): RunReason {
  const before = output.recordByName.get(action.tensor);
  if (before === undefined) return "no-record";
  if (key === before.key) return reasonOfLoss(action.tensor, output);
  if (fed !== undefined && fed === before.fed) return "derived";
  if (before.weak === weakKeyOf(action)) return "input-changed";
  if (before.dtype !== action.dtype) return "dtype-changed";
  if (before.roles.length < action.inputs.length) return "input-added";
  if (before.roles.length > action.inputs.length) return "input-removed";
  const now = operationsOf(action);
  if (before.operations === now) return "param-changed";
  return namesOf(before.operations) === namesOf(now) ? "op-revision-changed" : "program-changed";
}

/** As things stood when it was first asked about: a build makes them right again, and tells why behind that. */
const losses = new WeakMap<OutputRecord, ReadonlyMap<string, RunReason>>();

/** The output held it, and neither the output nor the store has it any more. */
function reasonOfLoss(tensor: string, { path, record }: WantedOutput): RunReason {
  if (record === undefined) return "evicted";
  const known = losses.get(record) ?? reasonsOfLosses(path, record);
  losses.set(record, known);
  return known.get(tensor)!;
}

/** By tensor of the record. */
function reasonsOfLosses(path: string, { shards, sideFiles }: OutputRecord): ReadonlyMap<string, RunReason> {
  const files = [...shards.map(({ file }) => file), ...sideFiles].map(({ name }) => name);
  const there = new Set(files.filter((name) => ownStampAt(join(path, name)) !== undefined));
  // Who deletes a whole output counts on the store.
  const otherwise = there.size > 0 ? "output-missing" : "evicted";
  return new Map(
    shards.flatMap(({ file, record }) => {
      const reason = there.has(file.name) ? "output-corrupt" : otherwise;
      return record.tensors.map(({ name }) => [name, reason] as const);
    }),
  );
}

/** All that the key is made of but the values of statistics; undefined for an action without any. */
export function fedOf(action: Action, inputs: InputFiles): string | undefined {
  if (!action.program.operations.some(({ op }) => op === "model-cut" || op === "model-della")) return undefined;
  return sha256([weakKeyOf(action), ...action.inputs.map(({ tensor }) => inputs.digest(tensor))].join("\n"));
}

function namesOf(operations: string): string {
  return operations.replace(/\/\d+/g, "");
}
