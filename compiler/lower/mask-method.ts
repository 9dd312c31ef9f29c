// A mask that looks at elements, at one tensor: its parameters resolved, its streams drawn from the tensor's name.

import { METHODS } from "../methods/method-table.ts";
import { booleanParameter, integerParameter, numberParameter, optionalInteger, wordParameter } from "./parameters.ts";
import type { Value } from "./program-builder.ts";
import type { ModelStatistics } from "./model-statistics.ts";
import type { MaskedNode, MaskNode } from "../recipe-graph.ts";
import type { TensorScope } from "./scope.ts";
import { streamId } from "./stream-id.ts";
import type { Group, ValueId } from "../tensor-graph.ts";

/** What a mask does to the tensor. `rescale`: how to make up for what it drops, where it is allowed to. */
export type LoweredMask = "all" | "none" | { readonly mask: ValueId; readonly rescale?: Rescale };
export type Rescale = { readonly how: "inv"; readonly density: number } | { readonly how: "l1" | "della" };

type MaskMethod = Extract<MaskNode, { kind: "mask-method" }>;

/** `applied`: the vector that the mask is applied to. Scalars are never masked. Undefined when it was reported. */
export function lowerMaskMethod(
  mask: MaskMethod,
  applied: Value,
  node: MaskedNode,
  scope: TensorScope,
): LoweredMask | undefined {
  const { method } = mask;
  const row = METHODS.get(method);
  const op = row?.maps === "mask" ? row.op : undefined;
  switch (op) {
    case "magnitude":
    case "breadcrumbs":
      return lowerByMagnitude(op, mask, applied, node, scope);
    case "random":
      return lowerRandom(mask, node, scope);
    case "della":
      return lowerDella(mask, applied, node, scope);
    case undefined:
      scope.problems.add("not-served", mask, () => ({ message: `${method} is not served yet`, span: mask.span }));
      return undefined;
  }
}

/** A density of 1 masks nothing but the top of breadcrumbs; then nothing is rescaled. */
function lowerByMagnitude(
  op: "magnitude" | "breadcrumbs",
  mask: MaskMethod,
  applied: Value,
  node: MaskedNode,
  scope: TensorScope,
): LoweredMask | undefined {
  const { method, shared } = mask;
  const density = numberParameter(method, shared, "density", node, scope);
  const per = groupParameter(mask, node, scope);
  const rescale = wordParameter(method, shared, "rescale", node, scope);
  const atLeastOne = booleanParameter(method, shared, "at_least_one", node, scope);
  const dropTop = op === "breadcrumbs" ? numberParameter(method, shared, "drop_top", node, scope) : 0;
  if (density === undefined || per === undefined || rescale === undefined) return undefined;
  if (atLeastOne === undefined || dropTop === undefined) return undefined;
  if (scope.shape.length === 0 || (op === "magnitude" && density >= 1)) return "all";
  // Nothing of it is among the elements of the model.
  if (per === "model" && scope.shape.includes(0)) return "all";
  const of = vectorOf(mask, applied, scope);
  if (of === undefined) return undefined;
  const tie = streamOf("tie", mask, node, scope);
  if (per === "model") {
    const rule = { density: Math.min(density, 1), dropTop, atLeastOne };
    const over = modelOf(mask, node, scope, () => ({ kind: "cut", ...rule }));
    return rescaledBy(rescale, density, scope.builder.emit({ op: "model-cut", of: of.id, ...rule, tie, ...over }));
  }
  const common = { of: of.id, per, atLeastOne, tie };
  const made =
    op === "magnitude"
      ? scope.builder.emit({ op, ...common, density })
      : scope.builder.emit({ op, ...common, density: Math.min(density, 1), dropTop });
  return rescaledBy(rescale, density, made);
}

function rescaledBy(rescale: string, density: number, { id }: Value): LoweredMask {
  if (rescale === "none" || density >= 1) return { mask: id };
  return { mask: id, rescale: rescale === "inv" ? { how: "inv", density } : { how: "l1" } };
}

function lowerRandom(mask: MaskMethod, node: MaskedNode, scope: TensorScope): LoweredMask | undefined {
  const { method, shared } = mask;
  const density = numberParameter(method, shared, "density", node, scope);
  const rescale = wordParameter(method, shared, "rescale", node, scope);
  if (density === undefined || rescale === undefined) return undefined;
  if (scope.shape.length === 0 || density >= 1) return "all";
  const seed = integerParameter(method, shared, "seed");
  const { id } = scope.builder.emit({ op: "random", density, seed, stream: streamOf("random", mask, node, scope) });
  if (rescale === "none") return { mask: id };
  return { mask: id, rescale: rescale === "inv" ? { how: "inv", density } : { how: "l1" } };
}

function lowerDella(mask: MaskMethod, applied: Value, node: MaskedNode, scope: TensorScope): LoweredMask | undefined {
  const { method, shared } = mask;
  const density = numberParameter(method, shared, "density", node, scope);
  const epsilon = numberParameter(method, shared, "epsilon", node, scope);
  const per = groupParameter(mask, node, scope);
  const rescale = wordParameter(method, shared, "rescale", node, scope);
  if (density === undefined || epsilon === undefined || per === undefined || rescale === undefined) return undefined;
  if (scope.shape.length === 0 || density >= 1) return "all";
  // Nothing of it is among the elements of the model.
  if (per === "model" && scope.shape.includes(0)) return "all";
  if (!(density - epsilon > 0 && density + epsilon < 1)) {
    scope.problems.add("epsilon-range", mask, () => ({
      message: `density - epsilon must be above 0 and density + epsilon below 1; density is ${density} and epsilon ${epsilon} for ${scope.names[0]}`,
      span: mask.span,
      notes: [
        { message: "della keeps the smallest with probability density - epsilon, the largest with density + epsilon" },
      ],
      help: "choose a smaller epsilon",
    }));
    return undefined;
  }
  const of = vectorOf(mask, applied, scope);
  if (of === undefined) return undefined;
  const drawn = { seed: integerParameter(method, shared, "seed"), stream: streamOf("della", mask, node, scope) };
  const rule = { of: of.id, density, epsilon };
  const { id } =
    per === "model"
      ? scope.builder.emit({ op: "model-della", ...rule, ...drawn, ...modelOf(mask, node, scope, RANKS) })
      : scope.builder.emit({ op: "della", ...rule, per, tie: streamOf("tie", mask, node, scope), ...drawn });
  if (rescale === "none") return { mask: id };
  return { mask: id, rescale: { how: rescale === "inv" ? "della" : "l1" } };
}

/** The statistic over all tensors of the vector that the mask is computed from, and which of them this one is. */
function modelOf(
  mask: MaskMethod,
  node: MaskedNode,
  { statistics, names: [member], own }: TensorScope,
  ruleOf: (stream: number) => Parameters<ModelStatistics["indexOf"]>[1],
): { readonly statistic: number; readonly member?: string } {
  const other = mask.shared.get("of");
  const stream = optionalInteger(mask.shared, "stream") ?? node.stream;
  const statistic = statistics.indexOf(other?.kind === "vector" ? other.node : node.vector, ruleOf(stream), stream);
  return { statistic, ...(member !== own && { member }) };
}

const RANKS = (stream: number) => ({ kind: "ranks", stream }) as const;

/** The vector that the mask is computed from; undefined when it was reported that it lacks the tensor. */
function vectorOf(mask: MaskMethod, applied: Value, scope: TensorScope): Value | undefined {
  const of = mask.shared.get("of");
  if (of?.kind !== "vector") return applied;
  const value = scope.vector(of.node);
  if (value !== "skip") return value;
  scope.problems.add("mask-without-vector", mask, () => ({
    message: `the vector that this mask is computed from lacks ${scope.names[0]}`,
    span: of.node.span,
    help: "give such tensors a mask of their own: match(…: …, else: …)",
  }));
  return undefined;
}

function streamOf(purpose: Parameters<typeof streamId>[0], mask: MaskMethod, node: MaskedNode, scope: TensorScope) {
  return streamId(purpose, optionalInteger(mask.shared, "stream") ?? node.stream, scope.names[0]);
}

/** One word for groups that are the same, so that the spelling is not part of the key. */
function groupParameter(mask: MaskMethod, node: MaskedNode, scope: TensorScope): Group | "model" | undefined {
  const per = wordParameter(mask.method, mask.shared, "per", node, scope);
  if (per === undefined || per === "model") return per;
  if (scope.shape.length < 2) return "tensor";
  if (per === "last") return scope.shape.length === 2 ? "row" : "last";
  return per === "row" ? "row" : "tensor";
}
