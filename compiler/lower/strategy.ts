// A strategy at one tensor, over the vectors that have it.

import { METHODS } from "../methods/method-table.ts";
import { lowerChoice } from "./choice.ts";
import { lowerLines } from "./lines.ts";
import { membersOf, type Member } from "./members.ts";
import { numberParameter, wordParameter } from "./parameters.ts";
import type { TensorScope } from "./scope.ts";
import { lowerConsensus, lowerFusion, lowerMagmax, lowerPcb, lowerRam, lowerSce } from "./selecting-strategies.ts";
import { lowerKarcher, lowerSlerp } from "./spherical.ts";
import type { Value } from "./program-builder.ts";
import type { StrategyValue, Varying, VectorMethodNode } from "../recipe-graph.ts";
import type { Operation } from "../tensor-graph.ts";

export function lowerStrategy(node: VectorMethodNode, scope: TensorScope): Value | "skip" {
  const inputs = node.inputs.map((input) => scope.vector(input));
  const members = membersOf(inputs, node.perInput.get("weight"), node, scope);
  if (members === undefined || members.length === 0) return "skip";
  // A strategy that is named twice is lowered once.
  const known = new Map<Varying<StrategyValue>, Value | "skip">();
  const lower = (strategy: Varying<StrategyValue>): Value | "skip" => {
    let value = known.get(strategy);
    if (value === undefined) {
      value =
        strategy.kind === "constant"
          ? lowerOne(strategy.value, node, members, scope)
          : lowerChoice(strategy, scope.headers.naming(node), scope, lower);
      known.set(strategy, value);
    }
    return value;
  };
  return lower(node.strategy);
}

function lowerOne(
  strategy: StrategyValue,
  node: VectorMethodNode,
  members: readonly Member[],
  scope: TensorScope,
): Value | "skip" {
  const { method, shared, span } = strategy;
  const row = METHODS.get(method);
  const op = row?.maps === "vectors" || row?.maps === "either" ? row.op : undefined;
  switch (op) {
    case "sum": {
      const scale = numberParameter(method, shared, "scale", node, scope);
      if (scale === undefined) return "skip";
      const terms = members.filter(addsTerm);
      return combine({ op, ...lists(terms, members), scale }, terms.length === 0 || scope.builder.annuls(scale), scope);
    }
    case "mean": {
      const scale = numberParameter(method, shared, "scale", node, scope);
      if (scale === undefined) return "skip";
      scope.divisors.push({ node, weights: members.map(({ weight }) => weight) });
      // A vector that is 0 adds no term, but its weight counts in the divisor.
      const terms = members.filter(({ weight }) => weight !== 0);
      const zero = scope.builder.annuls(scale) || !members.some(addsTerm);
      return combine({ op, ...lists(terms, members), scale }, zero, scope);
    }
    case "ties": {
      const scale = numberParameter(method, shared, "scale", node, scope);
      const elect = wordParameter(method, shared, "elect", node, scope) as TiesOperation["elect"] | undefined;
      const divide = wordParameter(method, shared, "divide", node, scope) as TiesOperation["divide"] | undefined;
      if (scale === undefined || elect === undefined || divide === undefined) return "skip";
      // An element that is 0 leaves under every election. One of weight 0 still votes, and is counted, where weights do
      // not matter.
      const terms = members.filter(({ value, weight }) => !value.zero && (weight !== 0 || elect === "unweighted"));
      const zero = scope.builder.annuls(scale) || !members.some(addsTerm);
      return combine({ op, ...lists(terms, members), scale, elect, divide }, zero, scope);
    }
    case "model-stock": {
      const per = wordParameter(method, shared, "per", node, scope);
      if (per === undefined) return "skip";
      const of = members.map(({ value }) => value.id);
      const zero = members.every(({ value }) => value.zero);
      // One vector has no angle and is taken whole.
      if (of.length === 1) return combine({ op: "sum", of, weights: [1], scale: 1 }, zero, scope);
      return combine({ op, of, per: per === "row" ? per : "tensor" }, zero, scope);
    }
    case "nearswap": {
      const t = numberParameter(method, shared, "t", node, scope);
      if (t === undefined) return "skip";
      const { id, zero } = members[0]!.value;
      return combine({ op, of: id, t }, zero || scope.builder.annuls(t), scope);
    }
    case "slerp":
      return lowerSlerp({ method, shared, node }, members, scope);
    case "karcher":
      return lowerKarcher({ method, shared, node }, members, scope);
    case "sce":
      return lowerSce(strategy, node, members, scope);
    case "ram":
    case "ram-plus":
      return lowerRam(op, strategy, node, members, scope);
    case "consensus":
      return lowerConsensus(strategy, node, members, scope);
    case "magmax":
      return lowerMagmax(strategy, node, members, scope);
    case "pcb":
      return lowerPcb(strategy, node, members, scope);
    case "lines":
      return lowerLines(strategy, node, members, scope);
    case "arcee-fusion":
      return lowerFusion(node, members, scope);
    case undefined:
      scope.problems.add("not-served", span, () => ({ message: `${method} is not served yet`, span }));
      return "skip";
  }
}

type TiesOperation = Extract<Operation, { op: "ties" }>;

function addsTerm({ value, weight }: Member): boolean {
  return weight !== 0 && !value.zero;
}

/** Operands and weights; an operation has at least one, so all stay when none would. */
function lists(terms: readonly Member[], members: readonly Member[]): { of: number[]; weights: number[] } {
  const kept = terms.length === 0 ? members : terms;
  return { of: kept.map(({ value }) => value.id), weights: kept.map(({ weight }) => weight) };
}

function combine(operation: Operation, zero: boolean, scope: TensorScope): Value {
  return scope.builder.emit(operation, zero);
}
