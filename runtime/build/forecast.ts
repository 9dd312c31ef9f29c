// What a build will do about every action, and what that reads, copies and writes: the rules by which make-shards.ts and
// place-shard.ts go, followed without doing anything. A test holds them together.

import { statSync } from "node:fs";
import { join } from "node:path";
import type { TensorInfo } from "../../compiler/checkpoint.ts";
import type { Action } from "../../compiler/tensor-graph.ts";
import type { MeasuringWork } from "../gates/look-up-measurements.ts";
import { isOursAlone } from "../output/place-shard.ts";
import type { HitReason, RunReason } from "../reasons.ts";
import { readJournal } from "../store/journal.ts";
import { existingParent } from "../store/make-folder.ts";
import { tensorsToHash } from "./hash-inputs.ts";
import type { Standings } from "./look-up.ts";
import { shardsToRecognise } from "./recognise-shards.ts";
import type { Session } from "./session.ts";
import { workOf, type ShardJob, type ShardPlan } from "./shard-job.ts";
import type { WantedOutput } from "./wanted-output.ts";

export type Fate =
  /** `wanted`: why the output's own result does not count, where it is not the one that is taken. */
  | { readonly state: "hit"; readonly reason: HitReason; readonly wanted?: RunReason }
  | { readonly state: "miss"; readonly reason: RunReason }
  /**
   * Whether it runs depends on inputs whose digests are not known, or on a stored result in a file that theta did not write,
   * as in a store that was restored: so many bytes would have to be hashed.
   */
  | { readonly state: "unknown"; readonly reason: RunReason; readonly hash: number };

/**
 * As in a build's summary, but that `read` leaves out what is read for `hash`. A tensor that does not fit in memory is read
 * more often than is said here, and what `della` writes for want of memory, and the thresholds and the sample of one `per: model`, are counted in neither; a file system that shares
 * blocks copies less. Upper bounds where fates are unknown.
 */
export interface ForecastBytes {
  /** Read for digests alone, before it is known what runs. */
  readonly hash: number;
  readonly read: number;
  /** The share of `read` that is for gates. */
  readonly measure: number;
  /** All that passes through SHA-256, `hash` included. */
  readonly hashed: number;
  readonly copy: number;
  readonly write: number;
}

export interface Forecast {
  readonly fates: ReadonlyMap<Action, Fate>;
  readonly bytes: ForecastBytes;
}

/** `published`: outputs whose directories have to change; `measuring`: for the gates of all outputs. */
export function forecast(
  session: Session,
  standings: Standings,
  plan: ShardPlan,
  published: readonly WantedOutput[],
  measuring: readonly MeasuringWork[],
): Forecast {
  const { inputs, outputs, store } = session;
  const toHash = new Map(
    tensorsToHash(outputs, standings, inputs).map((tensor) => [inputs.place(tensor), tensor.bytes]),
  );
  const unproven = shardsToRecognise(standings, store).flatMap(({ record }) =>
    record.tensors.map(({ bytes }) => bytes),
  );
  const hash = [...toHash.values(), ...unproven].reduce((sum, bytes) => sum + bytes, 0);
  const total = { hash, read: 0, measure: 0, hashed: hash, copy: 0, write: 0 };
  const fates = new Map<Action, Fate>();
  const learned = new Set(toHash.keys());
  /** Work that an action before does: the next one copies its result. */
  const made = new Set<string>();

  const read = (tensor: TensorInfo): void => {
    total.read += tensor.bytes;
    const place = inputs.place(tensor);
    if (inputs.isProven(tensor) && (inputs.digest(tensor) !== undefined || learned.has(place))) return;
    learned.add(place);
    total.hashed += tensor.bytes;
  };
  const copy = (bytes: number): void => {
    total.copy += bytes;
    total.hashed += bytes;
  };
  const make = (action: Action, bytes: number, resumed: ReadonlyMap<string, string>): Fate => {
    const standing = standings.get(action)!;
    const fate = fateOf(action, standings);
    const key =
      standing.state === "unknown" ? undefined : standing.state === "hit" ? standing.found.tensor.key : standing.key;
    const work = key ?? workOf(action, inputs);
    const isFirst = !made.has(work);
    made.add(work);
    if (isFirst && key !== undefined && resumed.get(action.tensor) === key) return foundFor(fate);
    if (!isFirst || fate.state === "hit") {
      copy(bytes);
      return isFirst ? fate : foundFor(fate);
    }
    for (const { tensor } of action.inputs) read(tensor);
    total.write += bytes;
    total.hashed += bytes;
    return fate;
  };

  for (const wanted of outputs) {
    for (const shard of wanted.shards) {
      const job = plan.jobs.get(shard);
      const isMade = job?.shard === shard;
      const resumed = isMade ? journaled(job, store.paths.partial) : new Map<string, string>();
      shard.actions.forEach((action, index) => {
        const { bytes } = shard.file.tensors[index]!;
        // A shard that two outputs want is made once.
        fates.set(action, isMade ? make(action, bytes, resumed) : foundFor(fateOf(action, standings)));
      });
    }
  }
  const before = total.read;
  for (const { again, computed, inputs: compared } of measuring) {
    total.read += again + computed;
    total.write += computed;
    total.hashed += computed;
    compared.forEach(read);
  }
  total.measure = total.read - before;
  total.copy += copiedByPublishing(session, plan, published);
  return { fates, bytes: total };
}

function fateOf(action: Action, standings: Standings): Fate {
  const standing = standings.get(action)!;
  if (standing.state === "hit") return { state: "hit", reason: standing.reason };
  const { reason } = standing;
  if (standing.state === "miss") {
    const { unproven } = standing;
    return unproven === undefined ? { state: "miss", reason } : { state: "unknown", reason, hash: unproven.bytes };
  }
  if (!standing.mayHit) return { state: "miss", reason };
  return { state: "unknown", reason, hash: standing.missing.reduce((sum, { bytes }) => sum + bytes, 0) };
}

/** It need not run because the same work is done elsewhere, or was before a build was cut off. */
function foundFor(fate: Fate): Fate {
  return fate.state === "miss" ? { state: "hit", reason: "local-hit", wanted: fate.reason } : fate;
}

/** Keys by name, of what a build that was cut off left in the shard's making. */
function journaled({ id, shard }: ShardJob, folder: string): ReadonlyMap<string, string> {
  const { header, tensors } = readJournal(join(folder, `${id}.journal`));
  if (header?.layout !== shard.layout) return new Map();
  return new Map([...tensors].map(([name, { key }]) => [name, key]));
}

/** A stored shard has one link; where that is taken, or the output lies elsewhere, its bytes are copied. */
function copiedByPublishing({ store }: Session, plan: ShardPlan, outputs: readonly WantedOutput[]): number {
  let bytes = 0;
  const linked = new Set<unknown>();
  for (const { shards, held, path } of outputs) {
    const isNear = deviceOf(path) === deviceOf(store.paths.root);
    for (const shard of shards) {
      const stored = plan.ready.get(shard);
      if (stored !== undefined && held.has(stored.record.digest)) continue;
      const file = stored?.path ?? plan.jobs.get(shard);
      const isFree = stored === undefined || isOursAlone(stored.path);
      if (isNear && isFree && !linked.has(file)) linked.add(file);
      else bytes += shard.file.size;
    }
  }
  return bytes;
}

function deviceOf(path: string): number {
  return statSync(existingParent(path)).dev;
}
