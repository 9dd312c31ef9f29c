// Values as a recipe writes them: numbers, selectors, masks, parameters with everything that was left out filled in.
// A name may stand for values that name others twice, so no text is written further than people read.

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
import { BoundedText } from "./bounded-text.ts";

/** A named selector or strategy is written out as far as this, in characters; a longer one is told by its name. */
const LONGEST_INLINE = 100;

export function numberText(value: NumberValue): string {
  return textOf((out) => putNumber(value, out));
}

export function selectorText(selector: Selector): string {
  return textOf((out) => putSelector(selector, out));
}

export function rangeText({ from, to }: LayerRange): string {
  return `${from}..${to ?? ""}`;
}

/** A mask by its name where it has one, written out otherwise. */
export function maskText(mask: Varying<MaskNode>): string {
  return textOf((out) => putMask(mask, out));
}

/** What a declared mask stands for, in terms of others. */
export function maskDefinition(mask: Varying<MaskNode>): string {
  const out = new BoundedText(undefined, true);
  if (mask.kind === "match") putMatch(mask, putMask, out);
  else putMaskNode(mask.value, out);
  return out.text;
}

export function strategyText(strategy: Varying<StrategyValue>): string {
  return textOf((out) => putStrategy(strategy, out));
}

/** What a declared strategy stands for, in terms of others. */
export function strategyDefinition(strategy: Varying<StrategyValue>): string {
  const out = new BoundedText(undefined, true);
  putStrategyItself(strategy, out);
  return out.text;
}

/** `ties(scale: 0.3, elect: weighted, divide: weights)` */
export function callText(method: string, shared: ReadonlyMap<string, ParameterValue>): string {
  return textOf((out) => putCall(method, shared, out));
}

export function wordText(word: Varying<string>): string {
  return textOf((out) => putWord(word, out));
}

type Put<T> = (value: T, out: BoundedText) => void;

function textOf(put: (out: BoundedText) => void): string {
  const out = new BoundedText();
  put(out);
  return out.text;
}

/** By their names, as they stand inside other values. */
const inlineTexts = new WeakMap<object, string>();

/** Written out where that is short. True when the name stands for it. */
function putNamed<T extends { readonly name?: string }>(value: T, put: Put<T>, out: BoundedText): boolean {
  const { name } = value;
  if (name === undefined) {
    put(value, out);
    return false;
  }
  if (out.byName) {
    out.put(name);
    return true;
  }
  let text = inlineTexts.get(value);
  if (text === undefined) {
    const own = new BoundedText(LONGEST_INLINE);
    put(value, own);
    inlineTexts.set(value, (text = own.isFull ? name : own.text));
  }
  out.put(text);
  return text === name;
}

/** With `separator` between them. */
function putList<T>(values: Iterable<T>, separator: string, put: Put<T>, out: BoundedText): void {
  let isFirst = true;
  for (const value of values) {
    if (out.isFull) return;
    if (!isFirst) out.put(separator);
    isFirst = false;
    put(value, out);
  }
}

function putNumber(value: NumberValue, out: BoundedText): void {
  if (out.isFull) return;
  switch (value.kind) {
    case "constant":
      out.put(String(value.value));
      break;
    case "negate":
      out.put("-");
      putOperand(value.operand, out);
      break;
    case "arithmetic":
      putOperand(value.left, out);
      out.put(` ${value.operator} `);
      putOperand(value.right, out);
      break;
    case "match":
      putMatch(value, putNumber, out);
      break;
    case "ramp":
      out.put("ramp(");
      putList(value.points, ", ", putNumber, out);
      if (value.over !== undefined) out.put(`, over: ${rangeText(value.over)}`);
      if (value.outside !== undefined) {
        out.put(", outside: ");
        putNumber(value.outside, out);
      }
      out.put(")");
      break;
  }
}

function putOperand(value: NumberValue, out: BoundedText): void {
  if (value.kind !== "arithmetic" && value.kind !== "negate") return putNumber(value, out);
  out.put("(");
  putNumber(value, out);
  out.put(")");
}

function putSelector(selector: Selector, out: BoundedText): void {
  putNamed(selector, putSelectorItself, out);
}

function putSelectorItself(selector: Selector, out: BoundedText): void {
  if (out.isFull) return;
  switch (selector.kind) {
    case "tensors": {
      const isOne = selector.globs.length === 1;
      if (!isOne) out.put("tensors(");
      putList(selector.globs, ", ", ({ glob }) => out.put(JSON.stringify(glob)), out);
      if (!isOne) out.put(")");
      break;
    }
    case "layers":
      out.put(`layers(${rangeText(selector.range)})`);
      break;
    case "not":
      out.put("!");
      putPart(selector.operand, out);
      break;
    case "and":
    case "or":
      putPart(selector.left, out);
      out.put(selector.kind === "and" ? " & " : " | ");
      putPart(selector.right, out);
      break;
  }
}

function putPart(selector: Selector, out: BoundedText): void {
  if (selector.kind !== "and" && selector.kind !== "or") return putSelector(selector, out);
  const part = new BoundedText(out.left, out.byName);
  const isName = putNamed(selector, putSelectorItself, part);
  out.put(isName ? part.text : `(${part.text})`);
}

function putMask(mask: Varying<MaskNode>, out: BoundedText): void {
  if (out.isFull) return;
  const name = mask.kind === "match" ? mask.name : mask.value.name;
  if (name !== undefined) out.put(name);
  else if (mask.kind === "match") putMatch(mask, putMask, out);
  else putMaskNode(mask.value, out);
}

function putMaskNode(mask: MaskNode, out: BoundedText): void {
  switch (mask.kind) {
    case "selector":
      putSelectorItself(mask.selector, out);
      break;
    case "mask-method":
      putCall(mask.method, mask.shared, out);
      break;
    case "mask-and":
    case "mask-or":
      out.put("(");
      putMask(mask.left, out);
      out.put(mask.kind === "mask-and" ? " & " : " | ");
      putMask(mask.right, out);
      out.put(")");
      break;
    case "mask-not":
      out.put("!");
      putMask(mask.operand, out);
      break;
  }
}

function putStrategy(strategy: Varying<StrategyValue>, out: BoundedText): void {
  if (strategy.kind === "match") putNamed(strategy, putStrategyItself, out);
  else putNamed(strategy.value, putStrategyCall, out);
}

function putStrategyItself(strategy: Varying<StrategyValue>, out: BoundedText): void {
  if (out.isFull) return;
  if (strategy.kind === "match") putMatch(strategy, putStrategy, out);
  else putStrategyCall(strategy.value, out);
}

function putStrategyCall({ method, shared }: StrategyValue, out: BoundedText): void {
  putCall(method, shared, out);
}

function putCall(method: string, shared: ReadonlyMap<string, ParameterValue>, out: BoundedText): void {
  out.put(`${method}(`);
  putList(
    shared,
    ", ",
    ([name, value]) => {
      out.put(`${name}: `);
      putParameter(value, out);
    },
    out,
  );
  out.put(")");
}

function putParameter(parameter: ParameterValue, out: BoundedText): void {
  switch (parameter.kind) {
    case "number":
      putNumber(parameter.value, out);
      break;
    case "word":
    case "boolean":
      putWord<string | boolean>(parameter.value, out);
      break;
    case "vector":
      putVector(parameter.node, out);
      break;
  }
}

function putWord<T extends string | boolean>(word: Varying<T>, out: BoundedText): void {
  if (word.kind === "constant") out.put(String(word.value));
  else putMatch(word, putWord, out);
}

/** By its name; one that has none as far as a few words go. */
function putVector(vector: VectorNode, out: BoundedText): void {
  if (out.isFull) return;
  if (vector.name !== undefined) return out.put(vector.name);
  switch (vector.kind) {
    case "difference":
      out.put(`${vector.model.name ?? "a model"} - ${vector.base.name ?? "a model"}`);
      break;
    case "vector-negate":
      out.put("-");
      putVector(vector.operand, out);
      break;
    case "vector-add":
    case "vector-subtract":
      out.put("(");
      putVector(vector.left, out);
      out.put(vector.kind === "vector-add" ? " + " : " - ");
      putVector(vector.right, out);
      out.put(")");
      break;
    case "vector-multiply":
    case "vector-divide":
      putVector(vector.operand, out);
      out.put(vector.kind === "vector-multiply" ? " * " : " / ");
      putOperand(vector.factor, out);
      break;
    case "masked":
      out.put("(");
      putVector(vector.vector, out);
      out.put(" & ");
      putMask(vector.mask, out);
      out.put(")");
      break;
    case "rebase":
      putVector(vector.vector, out);
      break;
    case "vector-method":
      putStrategy(vector.strategy, out);
      out.put(" of ");
      putList(vector.inputs, ", ", putVector, out);
      break;
    case "vector-choice":
      out.put("match(…)");
      break;
    case "adapter":
    case "stored-vector":
      out.put(vector.name);
      break;
  }
}

function putMatch<T>(
  match: { readonly arms: readonly MatchArm<T>[]; readonly otherwise?: T },
  put: Put<T>,
  out: BoundedText,
): void {
  out.put("match(");
  putList(
    match.arms,
    ", ",
    ({ selector, value }) => {
      putSelector(selector, out);
      out.put(": ");
      put(value, out);
    },
    out,
  );
  if (match.otherwise !== undefined) {
    out.put(", else: ");
    put(match.otherwise, out);
  }
  out.put(")");
}
