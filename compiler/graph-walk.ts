// The shape of the recipe graph, for whoever walks it: what a node is made of, and what it stands on.

import type {
  AdapterNode,
  CheckpointNode,
  MaskNode,
  ModelNode,
  OutputNode,
  StackNode,
  StoredVectorNode,
  StrategyValue,
  Varying,
  VectorNode,
} from "./recipe-graph.ts";

export type SourceNode = CheckpointNode | AdapterNode | StoredVectorNode;

/** In the order of the merge. */
export function childrenOf(node: ModelNode | VectorNode): readonly (ModelNode | VectorNode)[] {
  switch (node.kind) {
    case "checkpoint":
      return [];
    case "stack":
      return node.slices.map(({ model }) => model);
    case "onto":
      return [node.base, node.vector];
    case "model-method":
      return node.inputs;
    case "vector-method":
      return [...node.inputs, ...strategiesIn(node.strategy).flatMap(vectorsIn)];
    case "model-choice":
    case "vector-choice": {
      const values = node.arms.map(({ value }) => value);
      return node.otherwise === undefined ? values : [...values, node.otherwise];
    }
    case "difference":
      return [node.model, node.base];
    case "adapter":
    case "stored-vector":
      return [node.base];
    case "vector-add":
    case "vector-subtract":
      return [node.left, node.right];
    case "vector-negate":
    case "vector-multiply":
    case "vector-divide":
      return [node.operand];
    case "masked":
      return [node.vector, ...vectorsOfMask(node.mask)];
    case "rebase":
      return [node.vector, node.base];
  }
}

const leaves = new WeakMap<Varying<MaskNode>, readonly LeafMask[]>();

/** Every mask that is not made of others, in order and each once: of each arm of a choice, of both sides of a combination. */
export function leafMasks(mask: Varying<MaskNode>): readonly LeafMask[] {
  let found = leaves.get(mask);
  if (found === undefined) leaves.set(mask, (found = findLeaves(mask)));
  return found;
}

function findLeaves(mask: Varying<MaskNode>): readonly LeafMask[] {
  const found = new Set<LeafMask>();
  const visited = new Set<Varying<MaskNode>>();
  const visit = (part: Varying<MaskNode>): void => {
    if (visited.has(part)) return;
    visited.add(part);
    if (part.kind === "match") {
      for (const { value } of part.arms) visit(value);
      if (part.otherwise !== undefined) visit(part.otherwise);
      return;
    }
    const node = part.value;
    switch (node.kind) {
      case "selector":
      case "mask-method":
        found.add(node);
        break;
      case "mask-and":
      case "mask-or":
        visit(node.left);
        visit(node.right);
        break;
      case "mask-not":
        visit(node.operand);
        break;
    }
  };
  visit(mask);
  return [...found];
}

type LeafMask = Extract<MaskNode, { kind: "selector" | "mask-method" }>;

const vectorsOfMasks = new WeakMap<Varying<MaskNode>, readonly VectorNode[]>();

function vectorsOfMask(mask: Varying<MaskNode>): readonly VectorNode[] {
  let found = vectorsOfMasks.get(mask);
  if (found === undefined) vectorsOfMasks.set(mask, (found = leafMasks(mask).flatMap(vectorsIn)));
  return found;
}

/** Parameters that are vectors: what a mask is computed from, where that is not the one that it is applied to. */
function vectorsIn(method: LeafMask | StrategyValue): readonly VectorNode[] {
  if (!("shared" in method)) return [];
  return [...method.shared.values()].flatMap((value) => (value.kind === "vector" ? [value.node] : []));
}

const strategies = new WeakMap<Varying<StrategyValue>, readonly StrategyValue[]>();

/** Of each arm of a choice, each once. */
export function strategiesIn(strategy: Varying<StrategyValue>): readonly StrategyValue[] {
  if (strategy.kind === "constant") return [strategy.value];
  let found = strategies.get(strategy);
  if (found === undefined) {
    const parts = [...strategy.arms.map(({ value }) => value), ...(strategy.otherwise ? [strategy.otherwise] : [])];
    strategies.set(strategy, (found = [...new Set(parts.flatMap(strategiesIn))]));
  }
  return found;
}

/** Every node under `roots` and they themselves, each once, parents first. */
export function nodesUnder(...roots: readonly (ModelNode | VectorNode)[]): Set<ModelNode | VectorNode> {
  const found = new Set<ModelNode | VectorNode>(roots);
  for (const node of found) for (const child of childrenOf(node)) found.add(child);
  return found;
}

export function sourcesUnder(...roots: readonly (ModelNode | VectorNode)[]): SourceNode[] {
  return [...nodesUnder(...roots)].filter(
    (node) => node.kind === "checkpoint" || node.kind === "adapter" || node.kind === "stored-vector",
  );
}

/** What gives tensors under `root`; not the checkpoints of a stack, which has them under other names. */
export function checkpointsAndStacksUnder(root: ModelNode | VectorNode): LayoutNode[] {
  const found = new Set<ModelNode | VectorNode>([root]);
  for (const node of found) if (node.kind !== "stack") for (const child of childrenOf(node)) found.add(child);
  return [...found].filter((node) => node.kind === "checkpoint" || node.kind === "stack");
}

/** Whose tensors a model has, and by which names: a checkpoint's own, or those of layers stacked anew. */
export type LayoutNode = CheckpointNode | StackNode;

/** Follows the innermost model that `node` was merged onto, else its first input. */
function layoutNodeOf(node: ModelNode): LayoutNode {
  for (let at = node; ;) {
    switch (at.kind) {
      case "checkpoint":
      case "stack":
        return at;
      case "onto":
        at = at.base;
        break;
      case "model-method":
        at = at.inputs[0]!;
        break;
      case "model-choice":
        at = at.otherwise ?? at.arms[0]!.value;
        break;
    }
  }
}

/** The innermost checkpoint that `node` was merged onto, else its first input; of a stack, its first slice's. */
export function donorOf(node: ModelNode): CheckpointNode {
  let at = layoutNodeOf(node);
  while (at.kind === "stack") at = layoutNodeOf(at.slices[0]!.model);
  return at;
}

/** The model that a vector is a change of. */
export function baseOf(vector: VectorNode): ModelNode {
  for (let at = vector; ;) {
    switch (at.kind) {
      case "difference":
      case "adapter":
      case "stored-vector":
      case "rebase":
        return at.base;
      case "vector-add":
      case "vector-subtract":
        at = at.left;
        break;
      case "vector-negate":
      case "vector-multiply":
      case "vector-divide":
        at = at.operand;
        break;
      case "masked":
        at = at.vector;
        break;
      case "vector-method":
        at = at.inputs[0]!;
        break;
      case "vector-choice":
        at = at.otherwise ?? at.arms[0]!.value;
        break;
    }
  }
}

const MODELS: ReadonlySet<string> = new Set<ModelNode["kind"]>([
  "checkpoint",
  "onto",
  "model-method",
  "model-choice",
  "stack",
]);

function isModel(node: ModelNode | VectorNode): node is ModelNode {
  return MODELS.has(node.kind);
}

/** What makes the names and layers that a node's selectors and ramps are about. */
export function modelMadeBy(node: ModelNode | VectorNode): LayoutNode {
  return layoutNodeOf(isModel(node) ? node : baseOf(node));
}

export function rootOf(output: OutputNode): ModelNode | VectorNode {
  return output.value.node;
}
