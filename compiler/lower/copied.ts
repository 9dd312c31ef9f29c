// Tensors without arithmetic: integers and booleans are taken over from the base, and the other models' copies must
// equal it. Headers cannot tell whether they do; the action says so and the runtime compares digests.

import type { Dtype, TensorInfo } from "../checkpoint.ts";
import { checkpointsAndStacksUnder } from "../graph-walk.ts";
import { tensorOf } from "../headers.ts";
import { behindSource } from "../list-member.ts";
import { lowerChoice } from "./choice.ts";
import type { TensorScope } from "./scope.ts";
import { factOf, inputOf, missingFrom } from "./sources.ts";
import type { CheckpointNode, ModelNode, VectorNode } from "../recipe-graph.ts";
import { isSameShape, tensorFacts } from "./tensor-facts.ts";
import type { ActionInput } from "../tensor-graph.ts";

/** One model's copy of the tensor. */
interface Copy {
  readonly node: CheckpointNode;
  readonly tensor: TensorInfo;
}

interface Copied {
  readonly from: ActionInput;
  readonly mustEqual: readonly ActionInput[];
}

export const INTEGER = /^(?:BOOL|[IU]\d+)$/;

/** Undefined when no copy can be taken; that was reported. */
export function lowerCopied(root: ModelNode, scope: TensorScope): Copied | undefined {
  const copies = copiesOf(root, scope);
  const [from, ...others] = copies;
  if (from === undefined) return undefined;
  const compared = others.filter(
    ({ node, tensor }) =>
      tensor !== from.tensor && node.exceptions.int !== "base" && agrees(from, { node, tensor }, scope),
  );
  if (others.length > 0 && !INTEGER.test(from.tensor.dtype)) {
    reportUnserved(from, from.tensor.dtype, scope);
    return undefined;
  }
  const distinct = new Map(compared.map((copy) => [copy.tensor, copy]));
  return {
    from: inputOf(from.node, from.tensor),
    mustEqual: [...distinct.values()].map(({ node, tensor }) => inputOf(node, tensor)),
  };
}

/** The one that is taken over comes first. */
function copiesOf(node: ModelNode, scope: TensorScope): readonly Copy[] {
  switch (node.kind) {
    case "checkpoint": {
      const tensor = tensorOf(scope.headers.model(node), scope.names);
      if (tensor !== undefined) return [{ node, tensor }];
      missingFrom(node, scope);
      return [];
    }
    case "onto":
      return [...copiesOf(node.base, scope), ...copiesUnder(node.vector, scope)];
    case "model-method":
      return node.inputs.flatMap((input) => copiesOf(input, scope));
    case "model-choice":
      return chosenCopies(node, scope);
    case "stack": {
      const from = tensorOf(scope.headers.layout(node), scope.names)?.from;
      return from === undefined ? [] : copiesOf(from.model, scope.inside(from.model, from.name));
    }
  }
}

function copiesUnder(vector: VectorNode, scope: TensorScope): readonly Copy[] {
  return checkpointsAndStacksUnder(vector).flatMap((node) => copiesOf(node, scope));
}

/** A tied integer tensor that meets two arms would need two payloads; `lowerChoice` compares programs, so it makes them. */
function chosenCopies(node: Extract<ModelNode, { kind: "model-choice" }>, scope: TensorScope): readonly Copy[] {
  const copies = new Map<ModelNode, readonly Copy[]>();
  const found = lowerChoice(node, scope.headers.naming(node), scope, (candidate) => {
    const ofCandidate = copiesOf(candidate, scope);
    copies.set(candidate, ofCandidate);
    const [first] = ofCandidate;
    return first === undefined ? "skip" : scope.builder.load(inputOf(first.node, first.tensor));
  });
  return found === "skip" ? [] : ([...copies.values()][0] ?? []);
}

function agrees(from: Copy, other: Copy, scope: TensorScope): boolean {
  if (from.tensor.dtype === other.tensor.dtype && isSameShape(from.tensor.shape, other.tensor.shape)) return true;
  scope.problems.add("integer-mismatch", other.node, () => ({
    message: `${scope.names[0]} is copied, not merged, and ${other.node.name} has another one`,
    source: other.node.span.source,
    facts: tensorFacts([factOf(from.node, from.tensor), factOf(other.node, other.tensor)]),
    help: `write { int base } ${behindSource(other.node.name)} to take ${from.node.name}'s`,
  }));
  return false;
}

function reportUnserved(from: Copy, dtype: Dtype, scope: TensorScope): void {
  scope.problems.add("not-served", from.node, () => ({
    message: `arithmetic on ${dtype.toLowerCase()} is not served yet, and ${scope.names[0]} of ${from.node.name} is one`,
    span: from.node.span,
    help: "convert the checkpoint to bf16 first, or keep such tensors",
  }));
}
