// What a plan says of model-wide statistics, and what finding them reads.

import type { TensorInfo } from "../compiler/checkpoint.ts";
import type { Action, ModelStatistic, Program } from "../compiler/tensor-graph.ts";
import type { Fate, ForecastBytes } from "./build/forecast.ts";
import { tensorsToHash } from "./build/hash-inputs.ts";
import type { InputFiles } from "./build/input-files.ts";
import type { Standings } from "./build/look-up.ts";
import type { Session } from "./build/session.ts";
import { isRanked, ruleOf, textOf, type ModelDella, type WantedThresholds } from "./build/statistics/rank-task.ts";
import type { StatisticStanding } from "./build/statistics/statistic-standings.ts";
import type { WantedOutput } from "./build/wanted-output.ts";
import type { HitReason, RunReason } from "./reasons.ts";
import { sha256 } from "./store/sha256.ts";

/** A threshold over all tensors of a vector, the ranks of its elements, or its size. */
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

/** Why the elements of a vector have to be ranked, or may have to be, and for what. */
export interface RankNeed {
  readonly state: "miss" | "unknown";
  readonly reason: RunReason;
  /** Each once, by its text. */
  readonly wanted: ReadonlyMap<string, WantedThresholds>;
}

/**
 * Of one output, by the number of the statistic: ranks that something needs which runs, or may. Nobody keeps ranks.
 * `computed`: actions of what gates compare with.
 */
export function neededRanks(
  { graph: { actions, gates } }: WantedOutput,
  standings: readonly StatisticStanding[],
  fates: ReadonlyMap<Action, Fate>,
  computed: readonly Action[],
): ReadonlyMap<number, RankNeed> {
  const found = new Map<number, { readonly wanted: Map<string, WantedThresholds> } & RankNeed>();
  const places = standings.map(({ statistic: { members } }) => new Map(members.map(({ tensor }, at) => [tensor, at])));
  const want = (operation: ModelDella, tensor: string, wanted: Map<string, WantedThresholds>): void => {
    const { statistic: number, member = tensor } = operation;
    const one = { place: places[number]!.get(member)!, rule: ruleOf(operation) };
    wanted.set(textOf(one), one);
  };
  const look = (tensor: string, program: Program, { state, reason }: Omit<RankNeed, "wanted">): void => {
    for (const operation of program.operations.filter(isRanked)) {
      const { statistic: number } = operation;
      const known = found.get(number);
      const wanted = known?.wanted ?? new Map<string, WantedThresholds>();
      want(operation, tensor, wanted);
      if (known?.state === "miss" || known?.state === state) continue;
      found.set(number, { state, reason, wanted });
      for (const each of standings[number]!.statistic.members) look(each.tensor, each.program, { state, reason });
    }
  };
  for (const action of actions) {
    const fate = fates.get(action)!;
    if (fate.state !== "hit") look(action.tensor, action.program, fate);
  }
  for (const { tensor, program } of computed) look(tensor, program, { state: "miss", reason: "no-record" });
  for (const standing of standings) {
    if (standing.statistic.kind === "ranks" || standing.state === "known") continue;
    const need = { state: standing.mayHit ? "unknown" : "miss", reason: standing.reason } as const;
    for (const { tensor, program } of standing.statistic.members) look(tensor, program, need);
  }
  // What a gate may ask of a vector that is ranked anyway is found together with the rest.
  for (const { operand } of gates) {
    for (const { tensor, program } of operand?.tensors.values() ?? []) {
      for (const operation of program.operations.filter(isRanked)) {
        const wanted = found.get(operation.statistic)?.wanted;
        if (wanted !== undefined) want(operation, tensor, wanted);
      }
    }
  }
  return found;
}

/** `ranks`: of those, whether they are needed. */
export function planStatistic(
  standing: StatisticStanding,
  inputs: InputFiles,
  ranks: RankNeed | undefined,
): PlannedStatistic {
  const { kind, vector, members } = standing.statistic;
  const read = members.flatMap((member) => member.inputs.map(({ tensor }) => tensor));
  const facts = { kind, vector, tensors: members.length, bytes: bytesOfAll(read, inputs) };
  if (kind === "ranks" && ranks?.state === "miss") return { ...facts, state: "miss", reason: ranks.reason };
  if (kind === "ranks" && ranks === undefined) return { ...facts, state: "hit", reason: "up-to-date" };
  if (kind !== "ranks" && standing.state === "known") return { ...facts, state: "hit", reason: "local-hit" };
  if (standing.state === "open" && !standing.mayHit) return { ...facts, state: "miss", reason: standing.reason };
  const missing = standing.state === "open" ? standing.missing : [];
  return { ...facts, state: "unknown", hash: bytesOfAll(missing, inputs) };
}

/** With what the statistics that are not known read and hash; `ranks`: by output and number. */
export function withStatistics(
  bytes: ForecastBytes,
  { inputs, outputs }: Session,
  standings: Standings,
  statistics: readonly (readonly StatisticStanding[])[],
  ranks: readonly ReadonlyMap<number, unknown>[],
): ForecastBytes {
  const open = statistics.flat().filter((standing) => standing.state === "open");
  const hashed = new Set(tensorsToHash(outputs, standings, inputs).map((tensor) => inputs.place(tensor)));
  const missing = open.flatMap((one) => (one.mayHit ? one.missing : []));
  const hash = bytesOfAll(
    missing.filter((tensor) => !hashed.has(inputs.place(tensor))),
    inputs,
  );
  // What cuts and sizes want of one tensor in one work type is one task, which reads each of its inputs once; ranks of a
  // vector are a task of their own.
  const readings = new Map<string, number>();
  const read = ({ kind, members }: ModelStatistic): void => {
    const alone =
      kind === "ranks" ? members.flatMap((one) => one.inputs.map(({ tensor }) => inputs.place(tensor))) : [];
    const task = sha256(JSON.stringify(alone));
    for (const { tensor: name, work, inputs: tensors } of members) {
      for (const { tensor } of tensors) {
        readings.set(JSON.stringify([task, work, name, inputs.place(tensor)]), tensor.bytes);
      }
    }
  };
  for (const { statistic } of open) if (statistic.kind !== "ranks") read(statistic);
  ranks.forEach((needed, output) => {
    for (const number of needed.keys()) read(statistics[output]![number]!.statistic);
  });
  const total = [...readings.values()].reduce((sum, one) => sum + one, 0);
  return { ...bytes, hash: bytes.hash + hash, read: bytes.read + total };
}

/** Each once. */
function bytesOfAll(tensors: readonly TensorInfo[], inputs: InputFiles): number {
  const places = new Map(tensors.map((tensor) => [inputs.place(tensor), tensor.bytes]));
  return [...places.values()].reduce((sum, bytes) => sum + bytes, 0);
}
