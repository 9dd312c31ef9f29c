// A tensor as it lies in a checkpoint, an adapter or a stored vector: found by name, checked, loaded.

import { isFloat, type TensorInfo } from "../checkpoint.ts";
import { donorOf } from "../graph-walk.ts";
import { tensorOf } from "../headers.ts";
import { behindSource, sourceName } from "../list-member.ts";
import type { Found, TensorScope } from "./scope.ts";
import type { Value } from "./program-builder.ts";
import type { AdapterNode, CheckpointNode, StoredVectorNode } from "../recipe-graph.ts";
import { isSameShape, tensorFacts, type TensorFact } from "./tensor-facts.ts";
import { differsInVocabulary } from "./vocabulary.ts";
import type { ActionInput } from "../tensor-graph.ts";

export function lowerCheckpoint(node: CheckpointNode, scope: TensorScope): Found {
  const tensor = tensorOf(scope.headers.model(node), scope.names);
  if (tensor === undefined) return missingFrom(node, scope);
  if (!fits(node, tensor, scope)) return "skip";
  const input = inputOf(node, tensor);
  return isSameShape(tensor.shape, scope.shape)
    ? scope.builder.load(input)
    : scope.builder.resize(input, donorsOwn(scope));
}

export function lowerStoredVector(node: StoredVectorNode, scope: TensorScope): Value | "skip" {
  const tensor = tensorOf(scope.headers.vector(node), scope.names);
  if (tensor === undefined || !fits(node, tensor, scope)) return "skip";
  const input = inputOf(node, tensor);
  if (isSameShape(tensor.shape, scope.shape)) return scope.builder.load(input);
  const { id, zero } = scope.builder.resize(input, scope.builder.zero(donorsOwn(scope)));
  return { id, zero };
}

function donorsOwn({ builder, donor }: TensorScope): Value {
  return builder.load(inputOf(donor.node, donor.tensor));
}

/** Absent unless the adapter targets the tensor; header-checks/adapters.ts has compared shapes with the base. */
export function lowerAdapter(node: AdapterNode, scope: TensorScope): Value | "skip" {
  const { modules } = scope.headers.adapter(node);
  const found = scope.names.flatMap((name) => (name.endsWith(WEIGHT) ? (modules.get(moduleOf(name)) ?? []) : []));
  const [lora, second] = found;
  if (lora === undefined) return "skip";
  if (second !== undefined) {
    scope.problems.add("tied-names-differ", node, () => ({
      message: `${node.name} changes ${lora.module} and ${second.module}, which are one tensor of ${donorOf(node.base).name}`,
      span: node.span,
    }));
    return "skip";
  }
  const { builder } = scope;
  const a = builder.input({ ...inputOf(node, lora.a), role: `${node.name} A` });
  const b = builder.input({ ...inputOf(node, lora.b), role: `${node.name} B` });
  const { rank, scaling, transposed } = lora;
  return builder.emit({ op: "lora", a, b, rank, scaling, transposed });
}

const WEIGHT = ".weight";

/** The module whose weight the tensor is; LoRA changes nothing else of a module. */
function moduleOf(tensor: string): string {
  return tensor.slice(0, -WEIGHT.length);
}

export function missingFrom(node: CheckpointNode, scope: TensorScope): "skip" | "base" {
  const rule = node.exceptions.missing;
  if (rule !== undefined) return rule;
  scope.problems.add("missing-tensor", node, () => ({
    message: `${sourceName(node)} has no tensor ${scope.names[0]}`,
    span: node.span,
    help: `write { missing base } ${behindSource(node.name)} to count it as unchanged, { missing skip } to leave ${node.name} out there`,
  }));
  return "skip";
}

export function inputOf(
  node: CheckpointNode | AdapterNode | StoredVectorNode,
  tensor: TensorInfo,
): ActionInput & { readonly tensor: TensorInfo } {
  const { name, display, exceptions, span } = node;
  return { role: name, tensor, nan: exceptions.nan ?? "error", checkpoint: display, span };
}

export function factOf(node: CheckpointNode | StoredVectorNode, tensor: TensorInfo): TensorFact {
  const { name, path, display, span } = node;
  return { name, tensor, path, display, span };
}

function fits(node: CheckpointNode | StoredVectorNode, tensor: TensorInfo, scope: TensorScope): boolean {
  const { donor } = scope;
  const isFitting = isSameShape(tensor.shape, scope.shape);
  if (isFitting && isFloat(tensor.dtype)) return true;
  const facts = () => tensorFacts([factOf(donor.node, donor.tensor), factOf(node, tensor)]);
  const { source } = node.span;
  const canResize = differsInVocabulary(tensor.shape, scope.shape, scope.names);
  if (!isFitting && !(canResize && node.exceptions.resize === "common")) {
    scope.problems.add("shape-mismatch", node, () => ({
      message: `${scope.names[0]} has different shapes`,
      source,
      facts: facts(),
      ...helpToResize(node, canResize),
    }));
    return false;
  }
  if (isFloat(tensor.dtype)) return true;
  scope.problems.add("dtype-mismatch", node, () => ({
    message: `${scope.names[0]} is ${tensor.dtype.toLowerCase()} in ${node.name}, which no arithmetic is served for`,
    source,
    facts: facts(),
  }));
  return false;
}

function helpToResize({ name, exceptions }: CheckpointNode | StoredVectorNode, canResize: boolean): { help?: string } {
  if (canResize) return { help: `write { resize common } ${behindSource(name)} to use the rows that both have` };
  if (exceptions.resize === undefined) return {};
  return { help: "resize common is for rows of embeddings and output heads only" };
}
