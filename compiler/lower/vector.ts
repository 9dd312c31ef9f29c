// A vector at one tensor. Absent tensors take no part; what is known to be 0 is marked, so that nothing is computed.

import { lowerChoice } from "./choice.ts";
import { lowerMasked } from "./mask.ts";
import { lowerNumber } from "./parameters.ts";
import { isValue, type TensorScope } from "./scope.ts";
import { lowerAdapter, lowerStoredVector } from "./sources.ts";
import { lowerStrategy } from "./strategy.ts";
import type { Value } from "./program-builder.ts";
import type { DifferenceNode, ScaleNode, VectorArithmeticNode, VectorNode } from "../recipe-graph.ts";

export function lowerVector(node: VectorNode, scope: TensorScope): Value | "skip" {
  switch (node.kind) {
    case "difference":
      return lowerDifference(node, scope);
    case "adapter":
      return lowerAdapter(node, scope);
    case "stored-vector":
      return lowerStoredVector(node, scope);
    case "vector-add":
    case "vector-subtract":
      return lowerArithmetic(node, scope);
    case "vector-negate":
      return negate(scope.vector(node.operand), scope);
    case "vector-multiply":
    case "vector-divide":
      return lowerScale(node, scope);
    case "masked":
      return lowerMasked(node, scope);
    case "vector-method":
      return lowerStrategy(node, scope);
    case "rebase":
      return scope.vector(node.vector);
    case "vector-choice":
      return lowerChoice(node, scope.headers.naming(node), scope, (candidate) => scope.vector(candidate));
  }
}

function lowerDifference(node: DifferenceNode, scope: TensorScope): Value | "skip" {
  const model = scope.model(node.model);
  const base = scope.model(node.base);
  if (!isValue(base) || model === "skip") return "skip";
  if (model === "base" || model.id === base.id) return scope.builder.zero(base);
  const { id } = model.over?.(base) ?? model;
  return scope.builder.emit({ op: "subtract", left: id, right: base.id });
}

function lowerArithmetic(node: VectorArithmeticNode, scope: TensorScope): Value | "skip" {
  const left = scope.vector(node.left);
  const right = scope.vector(node.right);
  if (right === "skip") return left;
  if (left === "skip") return node.kind === "vector-add" ? right : negate(right, scope);
  const op = node.kind === "vector-add" ? "add" : "subtract";
  return scope.builder.emit({ op, left: left.id, right: right.id }, left.zero && right.zero);
}

function negate(value: Value | "skip", scope: TensorScope): Value | "skip" {
  return value === "skip" ? value : scope.builder.emit({ op: "negate", of: value.id }, value.zero);
}

function lowerScale(node: ScaleNode, scope: TensorScope): Value | "skip" {
  const operand = scope.vector(node.operand);
  if (operand === "skip") return operand;
  const by = lowerNumber(node.factor, node, scope);
  if (by === undefined) return "skip";
  if (by === 1) return operand;
  if (node.kind === "vector-multiply") {
    return scope.builder.emit({ op: "multiply", of: operand.id, by }, operand.zero || scope.builder.annuls(by));
  }
  if (by !== 0) return scope.builder.emit({ op: "divide", of: operand.id, by }, operand.zero);
  scope.problems.add("division-by-zero", node, () => ({
    message: `the vector is divided by 0 at ${scope.names[0]}`,
    span: node.span,
  }));
  return "skip";
}
