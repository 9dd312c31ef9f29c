// Do the models under an output have the same tensors? Missing ones are found while lowering, tensor by tensor.

import type { Report } from "../../dsl/diagnostic.ts";
import type { Checkpoint, StoredVector } from "../checkpoint.ts";
import { childrenOf, modelMadeBy, rootOf } from "../graph-walk.ts";
import type { Headers } from "../headers.ts";
import type { CheckpointNode, ModelNode, OutputNode, StoredVectorNode, VectorNode } from "../recipe-graph.ts";

/** False when a model has no tensor in common with the donor: then nothing about single tensors is worth saying. */
export function checkNames(output: OutputNode, headers: Headers, report: Report): boolean {
  const root = rootOf(output);
  const donor = modelMadeBy(root);
  const donorModel = headers.model(donor);
  let comparable = true;
  for (const node of alwaysUsed(root)) {
    const source = node.kind === "checkpoint" ? headers.model(node) : headers.vector(node);
    const names = [...source.tensors.keys()];
    if (names.length > 0 && !names.some((name) => has(donorModel, name))) {
      comparable = false;
      reportNothingInCommon(node, donor, names, donorModel, report);
      continue;
    }
    if (node.exceptions.extra !== "skip") reportExtra(node, donor, source, donorModel, report);
  }
  return comparable;
}

/** Sources that every tensor meets. The arm of a choice is for some tensors only, so what else it has is its affair. */
function alwaysUsed(root: ModelNode | VectorNode): (CheckpointNode | StoredVectorNode)[] {
  const found = new Set<ModelNode | VectorNode>([root]);
  for (const node of found) {
    if (node.kind !== "model-choice" && node.kind !== "vector-choice") {
      for (const child of childrenOf(node)) found.add(child);
    } else if (node.otherwise !== undefined) {
      found.add(node.otherwise);
    }
  }
  return [...found].filter((node) => node.kind === "checkpoint" || node.kind === "stored-vector");
}

function has(model: Checkpoint, name: string): boolean {
  return model.tensors.has(name) || model.aliases.has(name);
}

function reportNothingInCommon(
  node: CheckpointNode | StoredVectorNode,
  donor: CheckpointNode,
  names: readonly string[],
  donorModel: Checkpoint,
  report: Report,
): void {
  const [theirs] = donorModel.tensors.keys();
  report({
    code: "no-common-tensors",
    severity: "error",
    message: `${node.name} and ${donor.name} have no tensor in common`,
    span: node.span,
    notes: [
      { message: `${node.name} has ${count(names.length)}, such as ${names[0]}`, span: node.span },
      {
        message: `${donor.name} has ${count(donorModel.tensors.size)}${theirs === undefined ? "" : `, such as ${theirs}`}`,
        span: donor.span,
      },
    ],
  });
}

/** A name that the donor has, or ties, is no extra one unless both of a tied pair are stored apart. */
function reportExtra(
  node: CheckpointNode | StoredVectorNode,
  donor: CheckpointNode,
  source: Checkpoint | StoredVector,
  donorModel: Checkpoint,
  report: Report,
): void {
  const extra: string[] = [];
  for (const name of source.tensors.keys()) {
    const stored = donorModel.aliases.get(name);
    if (stored !== undefined && source.tensors.has(stored)) {
      report({
        code: "tied-apart",
        severity: "error",
        message: `${node.name} stores ${name} apart from ${stored}; in ${donor.name} they are one tensor`,
        span: node.span,
        help: `write { extra skip } behind ${node.name} to use its ${stored} for both`,
      });
    } else if (!has(donorModel, name)) {
      extra.push(name);
    }
  }
  const [first] = extra;
  if (first === undefined) return;
  const rest = extra.length === 1 ? "" : ` and ${count(extra.length - 1)} more`;
  report({
    code: "extra-tensor",
    severity: "error",
    message: `${node.name} has ${first}${rest}, which ${donor.name} has not`,
    span: node.span,
    help: `write { extra skip } behind ${node.name} to leave what ${donor.name} lacks out of the output`,
  });
}

function count(tensors: number): string {
  return tensors === 1 ? "1 tensor" : `${tensors} tensors`;
}
