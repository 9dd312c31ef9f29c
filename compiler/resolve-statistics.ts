// Programs that need model-wide statistics, once their values are known.

import type { Operation, Program, TensorCuts } from "./tensor-graph.ts";

/** Whose ranks they are, by the statistic's key, and which of its members the tensor is. */
export interface RankPlace {
  readonly ranking: string;
  readonly place: number;
}

/** Of a statistic, where one tensor needs it: what of the tensor survives, what its ranks follow from, or the size of the vector. */
export type StatisticValue = TensorCuts | RankPlace | number;

/** Whether the program needs no statistic whose value is unknown. */
export function isResolved({ operations }: Program): boolean {
  return operations.every((operation) => openStatistics(operation).length === 0);
}

/** Of a statistic by its number; `member` where the tensor has another name there. Undefined while it is not known. */
export type StatisticValues = (statistic: number, member?: string) => StatisticValue | undefined;

/** What lacks a value stays open. */
export function resolveStatistics(program: Program, values: StatisticValues): Program {
  if (isResolved(program)) return program;
  return { operations: program.operations.map((operation) => resolveOperation(operation, values)) };
}

function openStatistics(operation: Operation): readonly number[] {
  if (operation.op === "model-cut" && operation.cuts === undefined) return [operation.statistic];
  if (operation.op === "model-della" && operation.ranking === undefined) return [operation.statistic];
  if (operation.op === "lines" && operation.ratio === undefined) return [operation.own, operation.like];
  return [];
}

function resolveOperation(operation: Operation, values: StatisticValues): Operation {
  if (openStatistics(operation).length === 0) return operation;
  if (operation.op === "model-cut") {
    const cuts = values(operation.statistic, operation.member);
    return typeof cuts === "object" && "outer" in cuts ? { ...operation, cuts } : operation;
  }
  if (operation.op === "model-della") {
    const ranks = values(operation.statistic, operation.member);
    return typeof ranks === "object" && "ranking" in ranks ? { ...operation, ...ranks } : operation;
  }
  if (operation.op === "lines") {
    const own = values(operation.own);
    const like = values(operation.like);
    if (typeof own === "number" && typeof like === "number") return { ...operation, ratio: ratioOf(like, own) };
  }
  return operation;
}

/** METHODS.md, "LiNeS": 1 where there is no ratio. */
function ratioOf(like: number, own: number): number {
  const ratio = like / own;
  return like !== 0 && own !== 0 && Number.isFinite(ratio) ? ratio : 1;
}
