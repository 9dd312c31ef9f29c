// `vector & mask` at one tensor: selectors decide for the whole of it, methods make a mask, then select and rescale.

import { baseOf } from "../graph-walk.ts";
import { lowerMaskMethod, type LoweredMask, type Rescale } from "./mask-method.ts";
import { reportNoValue, reportTiedNames } from "./parameters.ts";
import { candidates, isValue, type TensorScope } from "./scope.ts";
import type { Value } from "./program-builder.ts";
import type { MaskedNode, MaskNode, Varying } from "../recipe-graph.ts";
import { takesTensor } from "../selectors.ts";
import type { ValueId } from "../tensor-graph.ts";

type MaskMatch = Extract<Varying<MaskNode>, { kind: "match" }>;

export function lowerMasked(node: MaskedNode, scope: TensorScope): Value | "skip" {
  const vector = scope.vector(node.vector);
  if (vector === "skip") return vector;
  const lowered = lowerMask(node.mask, vector, node, scope);
  if (lowered === undefined) return "skip";
  if (lowered === "all") return vector;
  const { builder } = scope;
  if (lowered === "none") {
    // Any tensor of the shape will do, and the base is read anyway.
    const base = scope.model(baseOf(node.vector));
    return builder.zero(isValue(base) ? base : vector);
  }
  const { mask, rescale } = lowered;
  // Also where all is 0: what is dropped is +0, and what is kept may be −0.
  return builder.emit({ op: "select", of: rescaled(vector, mask, rescale, scope).id, mask }, vector.zero);
}

/** What the mask drops is selected away afterwards, whatever a division by a probability of 0 makes of it. */
function rescaled(vector: Value, mask: ValueId, rescale: Rescale | undefined, { builder }: TensorScope): Value {
  switch (rescale?.how) {
    case undefined:
      return vector;
    case "inv":
      return builder.emit({ op: "rescale-inv", of: vector.id, density: rescale.density });
    case "della":
      return builder.emit({ op: "rescale-della", of: vector.id, mask });
    case "l1": {
      const masked = builder.emit({ op: "select", of: vector.id, mask });
      return builder.emit({ op: "rescale-l1", of: vector.id, masked: masked.id });
    }
  }
}

/** Of one masked vector: what its masks come to, so that one that is named twice is lowered once. */
type Lower = (mask: Varying<MaskNode>) => LoweredMask | undefined;

function lowerMask(mask: Varying<MaskNode>, of: Value, node: MaskedNode, scope: TensorScope): LoweredMask | undefined {
  const known = new Map<Varying<MaskNode>, LoweredMask | undefined>();
  const lower: Lower = (part) => {
    if (!known.has(part)) {
      const isChoice = part.kind === "match";
      known.set(part, isChoice ? lowerMatch(part, lower, node, scope) : lowerOne(part.value, lower, of, node, scope));
    }
    return known.get(part);
  };
  return lower(mask);
}

function lowerMatch(mask: MaskMatch, lower: Lower, node: MaskedNode, scope: TensorScope): LoweredMask | undefined {
  const found: LoweredMask[] = [];
  for (const candidate of candidates(mask, scope.headers.naming(node), scope.names)) {
    const lowered = lower(candidate);
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

function lowerOne(
  mask: MaskNode,
  lower: Lower,
  of: Value,
  node: MaskedNode,
  scope: TensorScope,
): LoweredMask | undefined {
  switch (mask.kind) {
    case "selector":
      return takesTensor(mask.selector, scope.headers.naming(node), scope.names) ? "all" : "none";
    case "mask-method":
      return lowerMaskMethod(mask, of, node, scope);
    case "mask-and":
    case "mask-or": {
      const left = lower(mask.left);
      const right = lower(mask.right);
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
      const operand = lower(mask.operand);
      if (operand === undefined) return undefined;
      if (operand === "all") return "none";
      if (operand === "none") return "all";
      if (operand.rescale !== undefined) return reportRescale(mask, scope);
      return { mask: scope.builder.emit({ op: "mask-not", of: operand.mask }).id };
    }
  }
}

function reportRescale(mask: MaskNode, scope: TensorScope): undefined {
  scope.problems.add("mask-rescale", mask, () => ({
    message: "a mask that is combined with another mask cannot rescale",
    span: mask.span,
    help: "write rescale: none",
  }));
  return undefined;
}
