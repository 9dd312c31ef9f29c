// Do the models under an output have the same tensors? Missing ones are found while lowering, tensor by tensor.

import { counted } from "../../dsl/counted.ts";
import type { Report } from "../../dsl/diagnostic.ts";
import { childrenOf, modelMadeBy, rootOf, type LayoutNode } from "../graph-walk.ts";
import { layoutName, type Headers } from "../headers.ts";
import { behindSource, sourceName } from "../list-member.ts";
import type {
  CheckpointNode,
  ModelNode,
  OutputNode,
  StackNode,
  StoredVectorNode,
  VectorNode,
} from "../recipe-graph.ts";

/** False when a model has no tensor in common with the donor: then nothing about single tensors is worth saying. */
export function checkNames(output: OutputNode, headers: Headers, report: Report): boolean {
  // The models of a stack are compared with what is sliced; the output has other layers.
  const roots = new Set<ModelNode | VectorNode>([rootOf(output)]);
  let comparable = true;
  for (const root of roots) {
    const used = alwaysUsed(root);
    for (const { slices } of stacksAmong(root)) for (const { model } of slices) roots.add(model);
    if (!checkAlike(root, used, headers, report)) comparable = false;
  }
  return comparable;
}

type Used = CheckpointNode | StoredVectorNode | StackNode;

function checkAlike(root: ModelNode | VectorNode, used: readonly Used[], headers: Headers, report: Report): boolean {
  const donor = modelMadeBy(root);
  const donorModel = headers.layout(root);
  let comparable = true;
  for (const node of used) {
    const source = namesOf(node, headers);
    const names = [...source.tensors.keys()];
    if (names.length > 0 && !names.some((name) => has(donorModel, name))) {
      comparable = false;
      reportNothingInCommon(node, donor, names, donorModel, report);
      continue;
    }
    if (node.kind === "stack" || node.exceptions.extra !== "skip") reportExtra(node, donor, source, donorModel, report);
  }
  return comparable;
}

/** Of a checkpoint its own: only what takes tensors from it needs a layout. */
function namesOf(node: Used, headers: Headers): Names {
  switch (node.kind) {
    case "checkpoint":
      return headers.model(node);
    case "stored-vector":
      return headers.vector(node);
    case "stack":
      return headers.layout(node);
  }
}

/** What every tensor meets. The arm of a choice is for some tensors only, so what else it has is its affair. */
function alwaysUsed(root: ModelNode | VectorNode): readonly Used[] {
  const found = reachedFrom(root, (node) => {
    if (node.kind !== "model-choice" && node.kind !== "vector-choice") return childrenOf(node);
    return node.otherwise === undefined ? [] : [node.otherwise];
  });
  return found.filter((node) => node.kind === "checkpoint" || node.kind === "stored-vector" || node.kind === "stack");
}

function stacksAmong(root: ModelNode | VectorNode): readonly StackNode[] {
  return reachedFrom(root, childrenOf).filter((node) => node.kind === "stack");
}

/** Not through stacks. */
function reachedFrom(
  root: ModelNode | VectorNode,
  next: (node: ModelNode | VectorNode) => readonly (ModelNode | VectorNode)[],
): readonly (ModelNode | VectorNode)[] {
  const found = new Set<ModelNode | VectorNode>([root]);
  for (const node of found) if (node.kind !== "stack") for (const child of next(node)) found.add(child);
  return [...found];
}

type Names = { readonly tensors: ReadonlyMap<string, unknown>; readonly aliases: ReadonlyMap<string, string> };

function has(model: Names, name: string): boolean {
  return model.tensors.has(name) || model.aliases.has(name);
}

function reportNothingInCommon(
  node: Used,
  donor: LayoutNode,
  names: readonly string[],
  donorModel: Names,
  report: Report,
): void {
  const name = nameOf(node);
  const donorName = layoutName(donor);
  const [theirs] = donorModel.tensors.keys();
  report({
    code: "no-common-tensors",
    severity: "error",
    message: `${name} and ${donorName} have no tensor in common`,
    span: node.span,
    notes: [
      { message: `${name} has ${counted(names.length, "tensor")}, such as ${names[0]}`, span: node.span },
      {
        message: `${donorName} has ${counted(donorModel.tensors.size, "tensor")}${theirs === undefined ? "" : `, such as ${theirs}`}`,
        span: donor.span,
      },
    ],
  });
}

/** A name that the donor has, or ties, is no extra one unless both of a tied pair are stored apart. */
function reportExtra(node: Used, donor: LayoutNode, source: Names, donorModel: Names, report: Report): void {
  const ownName = nameOf(node);
  const donorName = layoutName(donor);
  const extra: string[] = [];
  for (const name of source.tensors.keys()) {
    const stored = donorModel.aliases.get(name);
    if (stored !== undefined && source.tensors.has(stored)) {
      report({
        code: "tied-apart",
        severity: "error",
        message: `${ownName} stores ${name} apart from ${stored}; in ${donorName} they are one tensor`,
        span: node.span,
        ...helpToSkip(node, `to use its ${stored} for both`),
      });
    } else if (!has(donorModel, name)) {
      extra.push(name);
    }
  }
  const [first] = extra;
  if (first === undefined) return;
  const rest = extra.length === 1 ? "" : ` and ${counted(extra.length - 1, "tensor")} more`;
  report({
    code: "extra-tensor",
    severity: "error",
    message: `${ownName} has ${first}${rest}, which ${donorName} has not`,
    span: node.span,
    ...helpToSkip(node, `to leave what ${donorName} lacks out of the output`),
  });
}

function nameOf(node: Used): string {
  return node.kind === "stack" ? layoutName(node) : sourceName(node);
}

/** Exceptions belong to what is read; a stack has none. */
function helpToSkip(node: Used, why: string): { readonly help?: string } {
  return node.kind === "stack" ? {} : { help: `write { extra skip } ${behindSource(node.name)} ${why}` };
}
