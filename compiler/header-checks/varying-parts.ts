// Everything in a node that varies from tensor to tensor: the selectors, the choices between arms, the ramps.

import type {
  MaskNode,
  MatchArm,
  ModelNode,
  NumberValue,
  ParameterValue,
  Selector,
  StrategyValue,
  Varying,
  VectorNode,
} from "../recipe-graph.ts";

export type Ramp = Extract<NumberValue, { kind: "ramp" }>;

export interface VaryingParts {
  /** Values that have been told; named masks and strategies are found by many ways. */
  readonly visited: Set<object>;
  /** A mask that takes whole tensors; the selectors of choices are not told again. */
  selector(selector: Selector): void;
  /** Arms in order, the first that takes a tensor wins. */
  choice(arms: readonly MatchArm<unknown>[]): void;
  ramp(ramp: Ramp): void;
}

/** Of the node itself, not of what it is made of. */
export function visitVarying(node: ModelNode | VectorNode, parts: VaryingParts): void {
  switch (node.kind) {
    case "model-choice":
    case "vector-choice":
      parts.choice(node.arms);
      break;
    case "model-method":
      visitShared(node.parameters.shared, parts);
      visitPerInput(node.parameters.perInput, parts);
      break;
    case "vector-method":
      visitVaryingValue(node.strategy, (strategy: StrategyValue) => visitShared(strategy.shared, parts), parts);
      visitPerInput(node.perInput, parts);
      break;
    case "vector-multiply":
    case "vector-divide":
      visitNumber(node.factor, parts);
      break;
    case "masked":
      visitMask(node.mask, parts);
      break;
    case "checkpoint":
    case "onto":
    case "stack":
    case "difference":
    case "adapter":
    case "stored-vector":
    case "vector-add":
    case "vector-subtract":
    case "vector-negate":
    case "rebase":
      break;
  }
}

function visitPerInput(perInput: ReadonlyMap<string, readonly NumberValue[]>, parts: VaryingParts): void {
  for (const values of perInput.values()) for (const value of values) visitNumber(value, parts);
}

function visitShared(shared: ReadonlyMap<string, ParameterValue>, parts: VaryingParts): void {
  for (const parameter of shared.values()) {
    switch (parameter.kind) {
      case "number":
        visitNumber(parameter.value, parts);
        break;
      case "word":
      case "boolean":
        visitWord<string | boolean>(parameter.value, parts);
        break;
      case "vector":
        break;
    }
  }
}

/** A word or a boolean. */
export function visitWord<T extends string | boolean>(value: Varying<T>, parts: VaryingParts): void {
  visitVaryingValue(value, () => undefined, parts);
}

function visitVaryingValue<T>(value: Varying<T>, visit: (value: T) => void, parts: VaryingParts): void {
  if (parts.visited.has(value)) return;
  parts.visited.add(value);
  if (value.kind === "constant") {
    visit(value.value);
    return;
  }
  parts.choice(value.arms);
  for (const arm of value.arms) visitVaryingValue(arm.value, visit, parts);
  if (value.otherwise !== undefined) visitVaryingValue(value.otherwise, visit, parts);
}

function visitMask(mask: Varying<MaskNode>, parts: VaryingParts): void {
  visitVaryingValue(
    mask,
    (node) => {
      switch (node.kind) {
        case "selector":
          parts.selector(node.selector);
          break;
        case "mask-method":
          visitShared(node.shared, parts);
          break;
        case "mask-and":
        case "mask-or":
          visitMask(node.left, parts);
          visitMask(node.right, parts);
          break;
        case "mask-not":
          visitMask(node.operand, parts);
          break;
      }
    },
    parts,
  );
}

function visitNumber(value: NumberValue, parts: VaryingParts): void {
  if (value.kind === "constant" || parts.visited.has(value)) return;
  parts.visited.add(value);
  switch (value.kind) {
    case "negate":
      visitNumber(value.operand, parts);
      break;
    case "arithmetic":
      visitNumber(value.left, parts);
      visitNumber(value.right, parts);
      break;
    case "match":
      parts.choice(value.arms);
      for (const arm of value.arms) visitNumber(arm.value, parts);
      if (value.otherwise !== undefined) visitNumber(value.otherwise, parts);
      break;
    case "ramp":
      parts.ramp(value);
      for (const point of value.points) visitNumber(point, parts);
      if (value.outside !== undefined) visitNumber(value.outside, parts);
      break;
  }
}
