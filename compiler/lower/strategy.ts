// A strategy at one tensor: sum, mean or ties over the vectors that have it.

import { METHODS } from "../methods/method-table.ts";
import { lowerChoice } from "./choice.ts";
import { lowerNumber, numberParameter, wordParameter } from "./parameters.ts";
import type { TensorScope } from "./scope.ts";
import type { Value } from "./program-builder.ts";
import type { StrategyValue, Varying, VectorMethodNode } from "../recipe-graph.ts";
import type { Operation } from "../tensor-graph.ts";

interface Member {
  readonly value: Value;
  readonly weight: number;
}

export function lowerStrategy(node: VectorMethodNode, scope: TensorScope): Value | "skip" {
  const members: Member[] = [];
  const weights = node.perInput.get("weight");
  for (const [index, input] of node.inputs.entries()) {
    const value = scope.vector(input);
    if (value === "skip") continue;
    const weight = lowerNumber(weights![index]!, node, scope);
    if (weight === undefined) return "skip";
    members.push({ value, weight });
  }
  return members.length === 0 ? "skip" : lowerVarying(node.strategy, node, members, scope);
}

function lowerVarying(
  strategy: Varying<StrategyValue>,
  node: VectorMethodNode,
  members: readonly Member[],
  scope: TensorScope,
): Value | "skip" {
  if (strategy.kind === "constant") return lowerOne(strategy.value, node, members, scope);
  return lowerChoice(strategy, scope.headers.naming(node), scope, (candidate) =>
    lowerVarying(candidate, node, members, scope),
  );
}

function lowerOne(
  { method, shared, span }: StrategyValue,
  node: VectorMethodNode,
  members: readonly Member[],
  scope: TensorScope,
): Value | "skip" {
  const row = METHODS.get(method);
  const op = row?.maps === "vectors" ? row.op : undefined;
  switch (op) {
    case "sum": {
      const scale = numberParameter(method, shared, "scale", node, scope);
      if (scale === undefined) return "skip";
      const terms = members.filter(addsTerm);
      return combine({ op, ...lists(terms, members), scale }, terms.length === 0 || scale === 0, scope);
    }
    case "mean": {
      const scale = numberParameter(method, shared, "scale", node, scope);
      if (scale === undefined) return "skip";
      scope.divisors.push({ node, weights: members.map(({ weight }) => weight) });
      // A vector that is 0 adds no term, but its weight counts in the divisor.
      const terms = members.filter(({ weight }) => weight !== 0);
      const zero = scale === 0 || !members.some(addsTerm);
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
      const zero = scale === 0 || !members.some(addsTerm);
      return combine({ op, ...lists(terms, members), scale, elect, divide }, zero, scope);
    }
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
