// The inputs of a method that take part at one tensor, each with its weight there.

import { lowerNumber } from "./parameters.ts";
import type { Value } from "./program-builder.ts";
import type { TensorScope } from "./scope.ts";
import type { ModelMethodNode, NumberValue, VectorMethodNode } from "../recipe-graph.ts";

export interface Member {
  readonly value: Value;
  /** 1 where the method has none. */
  readonly weight: number;
}

/** Undefined after a problem with a weight. An input that is skipped takes no part, nor does its weight. */
export function membersOf(
  inputs: readonly (Value | "skip")[],
  weights: readonly NumberValue[] | undefined,
  node: ModelMethodNode | VectorMethodNode,
  scope: TensorScope,
): readonly Member[] | undefined {
  const members: Member[] = [];
  for (const [index, value] of inputs.entries()) {
    if (value === "skip") continue;
    const weight = weights === undefined ? 1 : lowerNumber(weights[index]!, node, scope);
    if (weight === undefined) return undefined;
    members.push({ value, weight });
  }
  return members;
}
