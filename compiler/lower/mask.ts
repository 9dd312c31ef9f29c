// `vector & mask` at one tensor: selectors decide for the whole of it, methods make a mask, then select and rescale.

import { baseOf } from "../graph-walk.ts";
import { METHODS } from "../methods/method-table.ts";
import { candidates, isValue, type TensorScope } from "./scope.ts";
import {
  booleanParameter,
  numberParameter,
  optionalInteger,
  reportNoValue,
  reportTiedNames,
  wordParameter,
} from "./parameters.ts";
import type { Value } from "./program-builder.ts";
import type { MaskedNode, MaskNode, Varying } from "../recipe-graph.ts";
import { takesTensor } from "../selectors.ts";
import { streamId } from "./stream-id.ts";
import type { Group, ValueId } from "../tensor-graph.ts";

/** What a mask does to the tensor. `rescale`: how to make up for what it drops, where it is allowed to. */
type LoweredMask = "all" | "none" | { readonly mask: ValueId; readonly rescale?: Rescale };
type Rescale = { readonly how: "inv"; readonly density: number } | { readonly how: "l1" };

export function lowerMasked(node: MaskedNode, scope: TensorScope): Value | "skip" {
  const vector = scope.vector(node.vector);
  if (vector === "skip") return vector;
  const lowered = lowerMask(node.mask, vector, node, scope);
  if (lowered === undefined) return "skip";
  if (lowered === "all" || vector.zero) return vector;
  const { builder } = scope;
  if (lowered === "none") {
    // Any tensor of the shape will do, and the base is read anyway.
    const base = scope.model(baseOf(node.vector));
    return builder.zero(isValue(base) ? base : vector);
  }
  const selected = builder.emit({ op: "select", of: vector.id, mask: lowered.mask });
  if (lowered.rescale === undefined) return selected;
  if (lowered.rescale.how === "inv") {
    return builder.emit({ op: "rescale-inv", of: selected.id, density: lowered.rescale.density });
  }
  const rescaled = builder.emit({ op: "rescale-l1", of: vector.id, masked: selected.id });
  return builder.emit({ op: "select", of: rescaled.id, mask: lowered.mask });
}

function lowerMask(mask: Varying<MaskNode>, of: Value, node: MaskedNode, scope: TensorScope): LoweredMask | undefined {
  if (mask.kind === "constant") return lowerOne(mask.value, of, node, scope);
  const found: LoweredMask[] = [];
  for (const candidate of candidates(mask, scope.headers.naming(node), scope.names)) {
    const lowered = lowerMask(candidate, of, node, scope);
    if (lowered === undefined) return undefined;
    found.push(lowered);
  }
  const [first] = found;
  if (first === undefined) {
    reportNoValue(mask, mask.span, scope);
    return undefined;
  }
  if (found.every((other) => isSame(first, other))) return first;
  reportTiedNames(mask, mask.span, "", scope);
  return undefined;
}

function isSame(left: LoweredMask, right: LoweredMask): boolean {
  if (typeof left === "string" || typeof right === "string") return left === right;
  return left.mask === right.mask && left.rescale?.how === right.rescale?.how;
}

function lowerOne(mask: MaskNode, of: Value, node: MaskedNode, scope: TensorScope): LoweredMask | undefined {
  switch (mask.kind) {
    case "selector":
      return takesTensor(mask.selector, scope.headers.naming(node), scope.names) ? "all" : "none";
    case "mask-method":
      return lowerMethod(mask, of, node, scope);
    case "mask-and":
    case "mask-or": {
      const left = lowerMask(mask.left, of, node, scope);
      const right = lowerMask(mask.right, of, node, scope);
      if (left === undefined || right === undefined) return undefined;
      const neutral = mask.kind === "mask-and" ? "all" : "none";
      if (left === neutral) return right;
      if (right === neutral) return left;
      if (typeof left === "string") return left;
      if (typeof right === "string") return right;
      if (left.rescale !== undefined || right.rescale !== undefined) return reportRescale(mask, scope);
      return { mask: scope.builder.emit({ op: mask.kind, left: left.mask, right: right.mask }).id };
    }
    case "mask-not": {
      const operand = lowerMask(mask.operand, of, node, scope);
      if (operand === undefined) return undefined;
      if (operand === "all") return "none";
      if (operand === "none") return "all";
      if (operand.rescale !== undefined) return reportRescale(mask, scope);
      return { mask: scope.builder.emit({ op: "mask-not", of: operand.mask }).id };
    }
  }
}

type MaskMethod = Extract<MaskNode, { kind: "mask-method" }>;

function lowerMethod(mask: MaskMethod, of: Value, node: MaskedNode, scope: TensorScope): LoweredMask | undefined {
  const { method } = mask;
  const row = METHODS.get(method);
  const op = row?.maps === "mask" ? row.op : undefined;
  switch (op) {
    case "magnitude":
    case "breadcrumbs":
      return lowerByMagnitude(op, mask, of, node, scope);
    case undefined:
      scope.problems.add("not-served", mask, () => ({ message: `${method} is not served yet`, span: mask.span }));
      return undefined;
  }
}

/** Scalars are never masked, and a density of 1 masks nothing but the top of breadcrumbs; neither is then rescaled. */
function lowerByMagnitude(
  op: "magnitude" | "breadcrumbs",
  mask: MaskMethod,
  of: Value,
  node: MaskedNode,
  scope: TensorScope,
): LoweredMask | undefined {
  const { method, shared } = mask;
  const density = numberParameter(method, shared, "density", node, scope);
  const per = wordParameter(method, shared, "per", node, scope);
  const rescale = wordParameter(method, shared, "rescale", node, scope);
  const atLeastOne = booleanParameter(method, shared, "at_least_one", node, scope);
  const dropTop = op === "breadcrumbs" ? numberParameter(method, shared, "drop_top", node, scope) : 0;
  if (density === undefined || per === undefined || rescale === undefined) return undefined;
  if (atLeastOne === undefined || dropTop === undefined) return undefined;
  if (per === "model") {
    scope.problems.add("not-served", mask, () => ({
      message: "a threshold per model is not served yet",
      span: mask.span,
      help: "use per: tensor",
    }));
    return undefined;
  }
  if (scope.shape.length === 0 || (op === "magnitude" && density >= 1)) return "all";
  const stream = optionalInteger(shared, "stream") ?? node.stream;
  const common = {
    of: of.id,
    per: groupOf(per, scope.shape),
    atLeastOne,
    tie: streamId("tie", stream, scope.names[0]),
  };
  const { id } =
    op === "magnitude"
      ? scope.builder.emit({ op, ...common, density })
      : scope.builder.emit({ op, ...common, density: Math.min(density, 1), dropTop });
  if (rescale === "none" || density >= 1) return { mask: id };
  return { mask: id, rescale: rescale === "inv" ? { how: "inv", density } : { how: "l1" } };
}

/** One word for groups that are the same, so that the spelling is not part of the key. */
function groupOf(per: string, shape: readonly number[]): Group {
  if (shape.length < 2) return "tensor";
  if (per === "last") return shape.length === 2 ? "row" : "last";
  return per === "row" ? "row" : "tensor";
}

function reportRescale(mask: MaskNode, scope: TensorScope): undefined {
  scope.problems.add("mask-rescale", mask, () => ({
    message: "a mask that is combined with another mask cannot rescale",
    span: mask.span,
    help: "write rescale: none",
  }));
  return undefined;
}
