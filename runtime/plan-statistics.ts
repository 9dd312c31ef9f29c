// What a plan says of model-wide statistics, and what finding them reads.

import type { TensorInfo } from "../compiler/checkpoint.ts";
import { resolveStatistics } from "../compiler/resolve-statistics.ts";
import type { Action, ModelStatistic } from "../compiler/tensor-graph.ts";
import type { ForecastBytes } from "./build/forecast.ts";
import { tensorsToHash } from "./build/hash-inputs.ts";
import type { InputFiles } from "./build/input-files.ts";
import type { Standings } from "./build/look-up.ts";
import type { Session } from "./build/session.ts";
import type { StatisticStanding } from "./build/statistics/statistic-standings.ts";
import type { HitReason, RunReason } from "./reasons.ts";

/** A threshold over all tensors of a vector, or its size. */
export type PlannedStatistic = {
  readonly kind: ModelStatistic["kind"];
  readonly vector: string;
  readonly tensors: number;
  /** Bytes of the inputs that the tensors are made of. */
  readonly bytes: number;
} & (
  | { readonly state: "hit"; readonly reason: HitReason }
  | { readonly state: "miss"; readonly reason: RunReason }
  | { readonly state: "unknown"; readonly hash: number }
);

export function planStatistic(standing: StatisticStanding, inputs: InputFiles): PlannedStatistic {
  const { kind, vector, members } = standing.statistic;
  const read = members.flatMap((member) => member.inputs.map(({ tensor }) => tensor));
  const facts = { kind, vector, tensors: members.length, bytes: bytesOfAll(read, inputs) };
  if (standing.state === "known") return { ...facts, state: "hit", reason: "local-hit" };
  if (!standing.mayHit) return { ...facts, state: "miss", reason: standing.reason };
  return { ...facts, state: "unknown", hash: bytesOfAll(standing.missing, inputs) };
}

/** With what the statistics that are not known read and hash. */
export function withStatistics(
  bytes: ForecastBytes,
  { inputs, outputs }: Session,
  standings: Standings,
  statistics: readonly StatisticStanding[],
): ForecastBytes {
  const open = statistics.filter((standing) => standing.state === "open");
  const hashed = new Set(tensorsToHash(outputs, standings, inputs).map((tensor) => inputs.place(tensor)));
  const missing = open.flatMap((one) => (one.mayHit ? one.missing : []));
  const hash = bytesOfAll(
    missing.filter((tensor) => !hashed.has(inputs.place(tensor))),
    inputs,
  );
  // What statistics want of one tensor in one work type is one task, which reads each of its inputs once.
  const readings = new Map<string, number>();
  for (const { tensor: name, work, inputs: read } of open.flatMap(({ statistic }) => statistic.members)) {
    for (const { tensor } of read) readings.set(`${work} ${name} ${inputs.place(tensor)}`, tensor.bytes);
  }
  const read = [...readings.values()].reduce((sum, one) => sum + one, 0);
  return { ...bytes, hash: bytes.hash + hash, read: bytes.read + read };
}

/** Where the statistics are not known: what an action takes of memory does not depend on their values. */
export function withSomeValues(action: Action): Action {
  const nowhere = { key: 0n, tie: 0n };
  const cut = resolveStatistics(action.program, () => ({ outer: nowhere, inner: nowhere }));
  return { ...action, program: resolveStatistics(cut, () => 1) };
}

/** Each once. */
function bytesOfAll(tensors: readonly TensorInfo[], inputs: InputFiles): number {
  const places = new Map(tensors.map((tensor) => [inputs.place(tensor), tensor.bytes]));
  return [...places.values()].reduce((sum, bytes) => sum + bytes, 0);
}
