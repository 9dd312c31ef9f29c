// Strategies that choose elements, at one tensor: sce, ram, ram_plus, consensus, magmax, pcb and arcee_fusion.

import { baseOf } from "../graph-walk.ts";
import type { Member } from "./members.ts";
import { numberParameter } from "./parameters.ts";
import { isValue, type TensorScope } from "./scope.ts";
import type { Value } from "./program-builder.ts";
import type { StrategyValue, VectorMethodNode } from "../recipe-graph.ts";
import { streamId } from "./stream-id.ts";

type Lowered = Value | "skip";

/**
 * A vector that is 0 counts in the variance, and in how many share where all squares are 0 because they are too small to be
 * held. Scalars are not selected, and neither is anything where all take part.
 */
export function lowerSce(
  { method, shared }: StrategyValue,
  node: VectorMethodNode,
  members: readonly Member[],
  scope: TensorScope,
): Lowered {
  const { builder } = scope;
  const select = numberParameter(method, shared, "select", node, scope);
  if (select === undefined) return "skip";
  const of = idsOf(members);
  const isZero = areZeros(members);
  if (select >= 1 || scope.shape.length === 0) return builder.emit({ op: "sce", of }, isZero);
  const variance = builder.emit({ op: "variance", of });
  const tie = streamId("tie", 0, scope.names[0]);
  const chosen = builder.emit({ op: "largest", of: variance.id, share: select, tie }).id;
  // One vector alone does not vary, but this is no zero to be known here: where its difference overflows, ∞ − ∞ is NaN.
  return builder.emit({ op: "sce", of, chosen }, isZero);
}

/** An element that is 0 is never active. */
export function lowerRam(
  op: "ram" | "ram-plus",
  { method, shared }: StrategyValue,
  node: VectorMethodNode,
  members: readonly Member[],
  scope: TensorScope,
): Lowered {
  const epsilon = numberParameter(method, shared, "epsilon", node, scope);
  if (epsilon === undefined) return "skip";
  const changing = withoutZeros(members);
  const zero = changing[0]!.value.zero;
  const of = idsOf(changing);
  if (op === "ram") return scope.builder.emit({ op, of, epsilon }, zero);
  const r = numberParameter(method, shared, "r", node, scope);
  const alpha = numberParameter(method, shared, "alpha", node, scope);
  return r === undefined || alpha === undefined ? "skip" : scope.builder.emit({ op, of, epsilon, r, alpha }, zero);
}

/** All members may be active: one that is 0, or of weight 0, where the sum is close to it. */
export function lowerConsensus(
  { method, shared }: StrategyValue,
  node: VectorMethodNode,
  members: readonly Member[],
  scope: TensorScope,
): Lowered {
  const scale = numberParameter(method, shared, "scale", node, scope);
  const lambda = numberParameter(method, shared, "lambda", node, scope);
  const atLeast = numberParameter(method, shared, "at_least", node, scope);
  if (scale === undefined || lambda === undefined || atLeast === undefined) return "skip";
  const isZero = scope.builder.annuls(scale) || members.length < atLeast;
  return scope.builder.emit(
    {
      op: "consensus",
      of: idsOf(members),
      weights: members.map(({ weight }) => weight),
      scale,
      lambda,
      atLeast: Math.min(atLeast, members.length + 1),
    },
    isZero || members.every(({ value, weight }) => value.zero || weight === 0),
  );
}

/** One that is 0 may be the last of equals: then the sign is that of its zero. */
export function lowerMagmax(
  { method, shared }: StrategyValue,
  node: VectorMethodNode,
  members: readonly Member[],
  scope: TensorScope,
): Lowered {
  const scale = numberParameter(method, shared, "scale", node, scope);
  if (scale === undefined) return "skip";
  return scope.builder.emit(
    { op: "magmax", of: idsOf(members), scale },
    scope.builder.annuls(scale) || areZeros(members),
  );
}

/** All members compete: their number counts, and one of weight 0 takes its part of what is divided by. */
export function lowerPcb(
  { method, shared }: StrategyValue,
  node: VectorMethodNode,
  members: readonly Member[],
  scope: TensorScope,
): Lowered {
  const { builder } = scope;
  const scale = numberParameter(method, shared, "scale", node, scope);
  const select = numberParameter(method, shared, "select", node, scope);
  const clip = numberParameter(method, shared, "clip", node, scope);
  if (scale === undefined || select === undefined || clip === undefined) return "skip";
  const of = idsOf(members);
  return builder.emit(
    {
      op: "pcb",
      of,
      extremes: of.map((id) => builder.emit({ op: "extremes", of: id, clip }).id),
      weights: members.map(({ weight }) => weight),
      scale,
      select,
    },
    builder.annuls(scale) || members.every(({ value, weight }) => value.zero || weight === 0),
  );
}

/** The rows whose softmax is looked at are those of what the vector is laid onto. */
export function lowerFusion(node: VectorMethodNode, members: readonly Member[], scope: TensorScope): Lowered {
  const { builder } = scope;
  const [{ value }] = members as [Member];
  const base = scope.model(node.onto ?? baseOf(node));
  if (!isValue(base)) return "skip";
  const divergence = builder.emit({ op: "divergence", of: value.id, base: base.id }).id;
  return builder.emit({ op: "arcee-fusion", of: value.id, divergence }, value.zero);
}

function areZeros(members: readonly Member[]): boolean {
  return members.every(({ value }) => value.zero);
}

/** Those that are not known to be 0; one that is where there is no other. */
function withoutZeros(members: readonly Member[]): readonly Member[] {
  const changing = members.filter(({ value }) => !value.zero);
  return changing.length === 0 ? members.slice(0, 1) : changing;
}

function idsOf(members: readonly Member[]): number[] {
  return members.map(({ value }) => value.id);
}
