// Where each model-wide statistic stands before anything runs: its value is stored, or it has to be found, or that depends
// on digests, or on another statistic. Plan and build share it, as they share look-up.ts.

import { memberKey, statisticKey } from "../../../compiler/action-key.ts";
import type { TensorInfo } from "../../../compiler/checkpoint.ts";
import {
  isResolved,
  resolveStatistics,
  type StatisticValue,
  type StatisticValues,
} from "../../../compiler/resolve-statistics.ts";
import type {
  Action,
  CutStatistic,
  Gate,
  ModelStatistic,
  RankStatistic,
  StatisticMember,
} from "../../../compiler/tensor-graph.ts";
import type { RunReason } from "../../reasons.ts";
import type { StatisticStore, StoredValue } from "../../store/statistic-store.ts";
import type { InputFiles } from "../input-files.ts";
import type { WantedOutput } from "../wanted-output.ts";
import { knownCut, wantedCuts } from "./cut-search.ts";

export interface OpenStatistic {
  readonly state: "open";
  /** Its members' programs as far as other statistics are known. */
  readonly statistic: ModelStatistic;
  /** Every statistic that its members read is known. */
  readonly isReady: boolean;
  /** Inputs without a digest. */
  readonly missing: readonly TensorInfo[];
  /** Hashing those may spare work. */
  readonly mayHit: boolean;
  readonly reason: RunReason;
}

export type StatisticStanding =
  { readonly state: "known"; readonly statistic: ModelStatistic; readonly value: KnownValue } | OpenStatistic;

/** Of a cut by member, else for all tensors. */
type KnownValue = ReadonlyMap<string, StatisticValue> | number;

/** By the number of the statistic. `values`: by the statistic's key. */
export function lookUpStatistics(
  { graph }: WantedOutput,
  inputs: InputFiles,
  store: StatisticStore,
  values: (key: string) => StoredValue | undefined,
): readonly StatisticStanding[] {
  const found: (StatisticStanding | undefined)[] = graph.statistics.map(() => undefined);
  const standingOf = (number: number): StatisticStanding => (found[number] ??= look(graph.statistics[number]!));
  const look = (statistic: ModelStatistic): StatisticStanding => {
    const members = statistic.members.map((member): StatisticMember => {
      const program = resolveStatistics(member.program, valuesAt(member, standingOf));
      return program === member.program ? member : { ...member, program };
    });
    const resolved = { ...statistic, members };
    const asRuled = resolved.kind === "cut" ? cutsByRule(resolved) : undefined;
    if (asRuled !== undefined) return { state: "known", statistic: resolved, value: asRuled };
    const isReady = members.every(({ program }) => isResolved(program));
    const missing = members.flatMap((member) => missingOf(member, inputs));
    if (resolved.kind === "ranks") return ranksOf(resolved, isReady, missing, inputs);
    const known = isReady && missing.length === 0 ? values(keyOf(resolved, inputs)) : undefined;
    if (known !== undefined) {
      const value =
        typeof known === "number" ? known : new Map(members.map(({ tensor }, index) => [tensor, known[index]!]));
      return { state: "known", statistic: resolved, value };
    }
    const hasParts = members.some((member) => store.knowsWeak(memberKey(resolved, member, "unknown")));
    const mayHit = missing.length > 0 && hasParts;
    return {
      state: "open",
      statistic: resolved,
      isReady,
      missing,
      mayHit,
      reason: hasParts ? "input-changed" : "no-record",
    };
  };
  return graph.statistics.map((_, number) => standingOf(number));
}

/** Known as soon as what they follow from is: they are found where something that runs needs them. */
function ranksOf(
  statistic: RankStatistic,
  isReady: boolean,
  missing: readonly TensorInfo[],
  inputs: InputFiles,
): StatisticStanding {
  if (!isReady || missing.length > 0) {
    return { state: "open", statistic, isReady, missing, mayHit: missing.length > 0, reason: "no-record" };
  }
  const ranking = keyOf(statistic, inputs);
  const value = new Map(statistic.members.map(({ tensor }, place) => [tensor, { ranking, place }]));
  return { state: "known", statistic, value };
}

/** Where the rule keeps all of the vector or none of it, there is nothing to look for. */
function cutsByRule(statistic: CutStatistic): ReadonlyMap<string, StatisticValue> | undefined {
  const total = statistic.members.reduce(
    (sum, { shape }) => sum + shape.reduce((product, size) => product * size, 1),
    0,
  );
  const { outer, inner } = wantedCuts(total, statistic);
  if (typeof outer !== "string" || typeof inner !== "string") return undefined;
  return new Map(
    statistic.members.map(({ tensor, work }) => [
      tensor,
      { outer: knownCut(outer, work), inner: knownCut(inner, work) },
    ]),
  );
}

/** All inputs' digests must be known. */
export function keyOf(statistic: ModelStatistic, inputs: InputFiles): string {
  return statisticKey(
    statistic,
    statistic.members.map((member) => memberKeyOf(statistic, member, inputs)),
  );
}

export function memberKeyOf(statistic: ModelStatistic, member: StatisticMember, inputs: InputFiles): string {
  return memberKey(
    statistic,
    member,
    member.inputs.map(({ tensor }) => inputs.digest(tensor)!),
  );
}

export function missingOf(member: StatisticMember, inputs: InputFiles): readonly TensorInfo[] {
  return member.inputs.map(({ tensor }) => tensor).filter((tensor) => inputs.digest(tensor) === undefined);
}

/** The output with the values that are known in its actions' programs. */
export function resolveOutput(wanted: WantedOutput, standings: readonly StatisticStanding[]): WantedOutput {
  if (standings.length === 0) return wanted;
  const { graph } = wanted;
  const resolved = new Map(graph.actions.map((action) => [action, resolveAction(action, standings)]));
  // Gates that compare with one action still do.
  const operands = new Map<Action, Action>();
  const resolveOperand = (action: Action): Action => {
    const known = operands.get(action) ?? resolveAction(action, standings);
    operands.set(action, known);
    return known;
  };
  const gates = graph.gates.map((gate): Gate => {
    if (gate.operand === undefined) return gate;
    const tensors = [...gate.operand.tensors].map(([name, action]) => [name, resolveOperand(action)] as const);
    return { ...gate, operand: { tensors: new Map(tensors) } };
  });
  return {
    ...wanted,
    graph: { ...graph, actions: [...resolved.values()], gates },
    shards: wanted.shards.map((shard) => ({ ...shard, actions: shard.actions.map((action) => resolved.get(action)!) })),
  };
}

function resolveAction(action: Action, standings: readonly StatisticStanding[]): Action {
  const program = resolveStatistics(
    action.program,
    valuesAt(action, (number) => standings[number]!),
  );
  return program === action.program ? action : { ...action, program };
}

function valuesAt(
  { tensor }: Action | StatisticMember,
  standingOf: (number: number) => StatisticStanding,
): StatisticValues {
  return (number, member = tensor) => {
    const standing = standingOf(number);
    if (standing.state === "open") return undefined;
    return typeof standing.value === "number" ? standing.value : standing.value.get(member);
  };
}
