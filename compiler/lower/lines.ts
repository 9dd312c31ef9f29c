// LiNeS at one tensor: the factor of its depth, and where alpha is measured by another vector, the sizes of both.

import { notePlace, numberParameter } from "./parameters.ts";
import type { Member } from "./members.ts";
import { rampAt, spanOf } from "./number-values.ts";
import type { Value } from "./program-builder.ts";
import { depthOf } from "../naming.ts";
import type { StrategyValue, VectorMethodNode } from "../recipe-graph.ts";
import type { TensorScope } from "./scope.ts";

export function lowerLines(
  { method, shared, span }: StrategyValue,
  node: VectorMethodNode,
  members: readonly Member[],
  scope: TensorScope,
): Value | "skip" {
  const { builder, statistics, problems } = scope;
  const [{ value }] = members as [Member];
  const alpha = numberParameter(method, shared, "alpha", node, scope);
  const beta = numberParameter(method, shared, "beta", node, scope);
  if (alpha === undefined || beta === undefined) return "skip";
  const naming = scope.headers.naming(node);
  if (naming.stacks.size === 0) {
    problems.add("ramp-without-layers", node, () => ({
      message: `lines runs over layers, and ${naming.display} has none (no tensor name has a number between dots)`,
      span,
      help: "write the factor itself: 0.3 * (maths - llama)",
    }));
    return "skip";
  }
  const depth = depthOf(naming, scope.names[0]);
  const rise = depth === undefined ? 0 : rampAt([0, beta], depth.layer, depth.layers - 1);
  const like = shared.get("like");
  // Where alpha is 0 no size matters.
  if (like?.kind !== "vector" || alpha === 0) {
    const by = alpha + rise;
    if (by === 1) return value;
    // A sum of two numbers of the recipe; the larger one is what is to be changed.
    const said = shared.get(Math.abs(rise) > Math.abs(alpha) ? "beta" : "alpha");
    if (said?.kind === "number") notePlace(by, spanOf(said.value) ?? span, scope);
    return builder.emit({ op: "multiply", of: value.id, by }, value.zero || builder.annuls(by));
  }
  const sizes = {
    own: statistics.indexOf(node.inputs[0]!, { kind: "size" }, 0),
    like: statistics.indexOf(like.node, { kind: "size" }, 0),
  };
  return builder.emit({ op: "lines", of: value.id, alpha, rise, ...sizes }, value.zero);
}
