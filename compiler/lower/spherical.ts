// Methods on the sphere, which map models to a model as they map vectors to a vector: slerp with its way given or made
// from weights (nuslerp), and the barycentre of many (karcher; multislerp is its first step).

import type { Member } from "./members.ts";
import { integerParameter, numberParameter, wordParameter } from "./parameters.ts";
import type { Value } from "./program-builder.ts";
import type { TensorScope } from "./scope.ts";
import type { ModelMethodNode, ParameterValue, VectorMethodNode } from "../recipe-graph.ts";

interface MethodCall {
  readonly method: string;
  readonly shared: ReadonlyMap<string, ParameterValue>;
  readonly node: ModelMethodNode | VectorMethodNode;
}

/** karcher's default, for multislerp, which has no such parameter. */
const TOLERANCE = 1e-5;

/** If one of the two lacks the tensor, the other is taken. */
export function lowerSlerp(call: MethodCall, members: readonly Member[], scope: TensorScope): Value | "skip" {
  const { method, shared, node } = call;
  const [left, right] = members;
  if (left === undefined) return "skip";
  if (right === undefined) return left.value;
  const t = shared.has("t") ? numberParameter(method, shared, "t", node, scope) : shareOf(right, members, call, scope);
  const per = shared.has("per") ? wordParameter(method, shared, "per", node, scope) : "tensor";
  if (t === undefined || per === undefined) return "skip";
  if (t === 0) return left.value;
  if (t === 1) return right.value;
  const operation = { op: "slerp", left: left.value.id, right: right.value.id, t } as const;
  return scope.builder.emit({ ...operation, per: per === "row" ? per : "tensor" }, left.value.zero && right.value.zero);
}

function shareOf({ weight }: Member, members: readonly Member[], { node }: MethodCall, scope: TensorScope): number {
  const weights = members.map((member) => member.weight);
  scope.divisors.push({ node, weights, scalar: true });
  return weight / weights.reduce((sum, one) => sum + one, 0);
}

/** Every input is a direction: one of weight 0 can be the first of those that cancel, and one alone is multiplied by 1. */
export function lowerKarcher(call: MethodCall, members: readonly Member[], scope: TensorScope): Value | "skip" {
  const { method, shared, node } = call;
  const maxIterations = Number(integerParameter(method, shared, "max_iter"));
  const tolerance = shared.has("tol") ? numberParameter(method, shared, "tol", node, scope) : TOLERANCE;
  if (tolerance === undefined) return "skip";
  scope.divisors.push({ node, weights: members.map(({ weight }) => weight), scalar: true });
  return scope.builder.emit(
    {
      op: "karcher",
      of: members.map(({ value }) => value.id),
      weights: members.map(({ weight }) => weight),
      maxIterations,
      tolerance,
    },
    members.every(({ value }) => value.zero),
  );
}
