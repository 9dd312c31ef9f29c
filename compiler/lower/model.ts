// A model at one tensor: the checkpoint's own, a base with a vector laid onto it, or a method over models.

import { METHODS } from "../methods/method-table.ts";
import { layoutName, tensorOf } from "../headers.ts";
import { lowerChoice } from "./choice.ts";
import { membersOf, type Member } from "./members.ts";
import { booleanParameter, numberParameter } from "./parameters.ts";
import { isValue, type Found, type TensorScope } from "./scope.ts";
import { lowerCheckpoint } from "./sources.ts";
import { lowerKarcher, lowerSlerp } from "./spherical.ts";
import type { Value } from "./program-builder.ts";
import type { ModelMethodNode, ModelNode, OntoNode, StackNode } from "../recipe-graph.ts";

export function lowerModel(node: ModelNode, scope: TensorScope): Found {
  switch (node.kind) {
    case "checkpoint":
      return lowerCheckpoint(node, scope);
    case "onto":
      return lowerOnto(node, scope);
    case "model-choice":
      return lowerChoice(node, scope.headers.naming(node), scope, (candidate) => scope.model(candidate));
    case "model-method":
      return lowerMethod(node, scope);
    case "stack":
      return lowerStack(node, scope);
  }
}

/** A vector that is absent or known to be 0 leaves the base as it is, so its payload is taken over. */
function lowerOnto(node: OntoNode, scope: TensorScope): Found {
  const base = scope.model(node.base);
  const vector = scope.vector(node.vector);
  if (!isValue(base) || vector === "skip" || vector.zero) return base;
  return scope.builder.emit({ op: "onto", base: base.id, vector: vector.id });
}

/** The layer's value in the model that it was taken from, under the name that it has there. */
function lowerStack(node: StackNode, scope: TensorScope): Found {
  const from = tensorOf(scope.headers.layout(node), scope.names)?.from;
  if (from !== undefined) return scope.inside(from.model, from.name).model(from.model);
  scope.problems.add("missing-tensor", node, () => ({
    message: `${layoutName(node)} has no tensor ${scope.names[0]}`,
    span: node.span,
  }));
  return "skip";
}

function lowerMethod(node: ModelMethodNode, scope: TensorScope): Found {
  const found = node.inputs.map((input) => scope.model(input));
  const first = found.find(isValue);
  // Nobody has it: unchanged if anyone counts as unchanged.
  if (first === undefined) return found.includes("base") ? "base" : "skip";
  // Among models, unchanged means equal to the first that has the tensor; so do rows that one lacks.
  const inputs = found.map((one) => {
    if (one === "base") return first;
    return isValue(one) && one !== first && one.over !== undefined ? one.over(first) : one;
  });
  const { shared, perInput } = node.parameters;
  const members = membersOf(inputs, perInput.get("weight"), node, scope);
  if (members === undefined) return "skip";
  const row = METHODS.get(node.method);
  const op = row?.maps === "models" || row?.maps === "either" ? row.op : undefined;
  switch (op) {
    case "linear":
      return lowerLinear(node, members, scope);
    case "slerp":
      return lowerSlerp({ method: node.method, shared, node }, members, scope);
    case "karcher":
      return lowerKarcher({ method: node.method, shared, node }, members, scope);
    case "multiply":
      return lowerScale(node, first, scope);
    case undefined:
      scope.problems.add("not-served", node, () => ({ message: `${node.method} is not served yet`, span: node.span }));
      return "skip";
  }
}

function lowerScale(node: ModelMethodNode, model: Value, scope: TensorScope): Found {
  const by = numberParameter(node.method, node.parameters.shared, "by", node, scope);
  if (by === undefined) return "skip";
  return by === 1 ? model : scope.builder.emit({ op: "multiply", of: model.id, by });
}

function lowerLinear(node: ModelMethodNode, members: readonly Member[], scope: TensorScope): Found {
  const normalize = booleanParameter(node.method, node.parameters.shared, "normalize", node, scope);
  if (normalize === undefined) return "skip";
  const first = members[0]!.value;
  if (normalize) {
    scope.divisors.push({ node, weights: members.map(({ weight }) => weight) });
    // x₁ comes back bit for bit where all others equal it or add no term.
    if (members.every(({ value, weight }) => value.id === first.id || weight === 0)) return first;
  }
  // x₁ stays whatever its weight: the differences are taken from it.
  const terms = members.filter(({ weight }, index) => weight !== 0 || (normalize && index === 0));
  const kept = terms.length === 0 ? members.slice(0, 1) : terms;
  return scope.builder.emit({
    op: "linear",
    of: kept.map(({ value }) => value.id),
    weights: kept.map(({ weight }) => weight),
    normalize,
  });
}
