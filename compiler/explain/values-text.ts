// Values as a recipe writes them: numbers, selectors, masks, parameters with everything that was left out filled in.

import type {
  LayerRange,
  MaskNode,
  MatchArm,
  NumberValue,
  ParameterValue,
  Selector,
  StrategyValue,
  Varying,
  VectorNode,
} from "../recipe-graph.ts";

export function numberText(value: NumberValue): string {
  switch (value.kind) {
    case "constant":
      return String(value.value);
    case "negate":
      return `-${operandText(value.operand)}`;
    case "arithmetic":
      return `${operandText(value.left)} ${value.operator} ${operandText(value.right)}`;
    case "match":
      return matchText(value, numberText);
    case "ramp": {
      const parts = value.points.map(numberText);
      if (value.over !== undefined) parts.push(`over: ${rangeText(value.over)}`);
      if (value.outside !== undefined) parts.push(`outside: ${numberText(value.outside)}`);
      return `ramp(${parts.join(", ")})`;
    }
  }
}

function operandText(value: NumberValue): string {
  return value.kind === "arithmetic" || value.kind === "negate" ? `(${numberText(value)})` : numberText(value);
}

export function selectorText(selector: Selector): string {
  switch (selector.kind) {
    case "tensors": {
      const globs = selector.globs.map(({ glob }) => JSON.stringify(glob));
      return globs.length === 1 ? globs[0]! : `tensors(${globs.join(", ")})`;
    }
    case "layers":
      return `layers(${rangeText(selector.range)})`;
    case "not":
      return `!${partText(selector.operand)}`;
    case "and":
      return `${partText(selector.left)} & ${partText(selector.right)}`;
    case "or":
      return `${partText(selector.left)} | ${partText(selector.right)}`;
  }
}

function partText(selector: Selector): string {
  return selector.kind === "and" || selector.kind === "or" ? `(${selectorText(selector)})` : selectorText(selector);
}

export function rangeText({ from, to }: LayerRange): string {
  return `${from}..${to ?? ""}`;
}

/** A mask by its name where it has one, written out otherwise. */
export function maskText(mask: Varying<MaskNode>): string {
  return varyingText(mask, (node) => node.name ?? maskDefinition(node));
}

export function maskDefinition(mask: MaskNode): string {
  switch (mask.kind) {
    case "selector":
      return selectorText(mask.selector);
    case "mask-method":
      return callText(mask.method, mask.shared);
    case "mask-and":
    case "mask-or":
      return `(${maskText(mask.left)} ${mask.kind === "mask-and" ? "&" : "|"} ${maskText(mask.right)})`;
    case "mask-not":
      return `!${maskText(mask.operand)}`;
  }
}

export function strategyText(strategy: Varying<StrategyValue>): string {
  return varyingText(strategy, ({ method, shared }) => callText(method, shared));
}

/** `ties(scale: 0.3, elect: weighted, divide: weights)` */
export function callText(method: string, shared: ReadonlyMap<string, ParameterValue>): string {
  return `${method}(${[...shared].map(([name, value]) => `${name}: ${parameterText(value)}`).join(", ")})`;
}

function parameterText(parameter: ParameterValue): string {
  switch (parameter.kind) {
    case "number":
      return numberText(parameter.value);
    case "word":
    case "boolean":
      return varyingText<string | boolean>(parameter.value, String);
    case "vector":
      return vectorText(parameter.node);
  }
}

/** By its name; one that has none as far as a few words go. */
function vectorText(vector: VectorNode): string {
  if (vector.name !== undefined) return vector.name;
  switch (vector.kind) {
    case "difference":
      return `${vector.model.name ?? "a model"} - ${vector.base.name ?? "a model"}`;
    case "vector-negate":
      return `-${vectorText(vector.operand)}`;
    case "vector-add":
    case "vector-subtract":
      return `(${vectorText(vector.left)} ${vector.kind === "vector-add" ? "+" : "-"} ${vectorText(vector.right)})`;
    case "vector-multiply":
    case "vector-divide":
      return `${vectorText(vector.operand)} ${vector.kind === "vector-multiply" ? "*" : "/"} ${operandText(vector.factor)}`;
    case "masked":
      return `(${vectorText(vector.vector)} & ${maskText(vector.mask)})`;
    case "rebase":
      return vectorText(vector.vector);
    case "vector-method":
      return `${strategyText(vector.strategy)} of ${vector.inputs.map(vectorText).join(", ")}`;
    case "vector-choice":
      return "match(…)";
    case "adapter":
    case "stored-vector":
      return vector.name;
  }
}

export function varyingText<T>(value: Varying<T>, text: (value: T) => string): string {
  return value.kind === "constant" ? text(value.value) : matchText(value, (one) => varyingText(one, text));
}

function matchText<T>(
  match: { readonly arms: readonly MatchArm<T>[]; readonly otherwise?: T },
  text: (value: T) => string,
): string {
  const parts = match.arms.map(({ selector, value }) => `${selectorText(selector)}: ${text(value)}`);
  if (match.otherwise !== undefined) parts.push(`else: ${text(match.otherwise)}`);
  return `match(${parts.join(", ")})`;
}
