// Masks and selectors as values: combining them, and the rules of what may be combined.

import type { Report } from "../../dsl/diagnostic.ts";
import type { Span } from "../../dsl/source.ts";
import { type MaskResult, POISON, type Poison, type VectorResult } from "./kinds.ts";
import type { MatchArm, Selector } from "../recipe-graph.ts";

/** Whoever walks masks and strategies may recurse: what a recipe builds out of names is never nested deeper. */
const DEEPEST = 500;

export function selectorMask(selector: Selector, span: Span): MaskResult {
  return {
    kind: "mask",
    mask: { kind: "constant", value: { kind: "selector", selector, span } },
    selector,
    wholeTensors: true,
    rescales: false,
    nesting: 1,
  };
}

export function globMask(glob: string, span: Span): MaskResult {
  return selectorMask({ kind: "tensors", globs: [{ glob, span }], span }, span);
}

/** `&` and `|` of two masks. */
export function combineMasks(
  operator: "&" | "|",
  left: MaskResult,
  right: MaskResult,
  span: Span,
  report: Report,
): MaskResult | Poison {
  const nesting = 1 + Math.max(left.nesting, right.nesting);
  if (isTooDeep(nesting, span, report)) return POISON;
  if (left.selector !== undefined && right.selector !== undefined) {
    const selector = joinSelectors(operator, left.selector, right.selector, span);
    return { ...selectorMask(selector, span), nesting: selector.kind === "tensors" ? 1 : nesting };
  }
  const isRescued = operator === "&" && (left.wholeTensors || right.wholeTensors);
  if (!isRescued && (left.rescales || right.rescales)) reportRescale(operator, span, report);
  return {
    kind: "mask",
    mask: {
      kind: "constant",
      value: { kind: operator === "&" ? "mask-and" : "mask-or", left: left.mask, right: right.mask, span },
    },
    wholeTensors: left.wholeTensors && right.wholeTensors,
    rescales: isRescued && (left.rescales || right.rescales),
    nesting,
  };
}

export function negateMask(operand: MaskResult, span: Span, report: Report): MaskResult | Poison {
  const nesting = 1 + operand.nesting;
  if (isTooDeep(nesting, span, report)) return POISON;
  if (operand.selector !== undefined) {
    return { ...selectorMask({ kind: "not", operand: operand.selector, span }, span), nesting };
  }
  if (operand.rescales) reportRescale("!", span, report);
  return {
    kind: "mask",
    mask: { kind: "constant", value: { kind: "mask-not", operand: operand.mask, span } },
    wholeTensors: operand.wholeTensors,
    rescales: false,
    nesting,
  };
}

/** `match` over masks. */
export function chooseMask(
  arms: readonly MatchArm<MaskResult>[],
  otherwise: MaskResult | undefined,
  span: Span,
  report: Report,
): MaskResult | Poison {
  const choices = [...arms.map(({ value }) => value), ...(otherwise === undefined ? [] : [otherwise])];
  const nesting = 1 + choices.reduce((most, choice) => Math.max(most, choice.nesting), 0);
  if (isTooDeep(nesting, span, report)) return POISON;
  return {
    kind: "mask",
    mask: {
      kind: "match",
      arms: arms.map((arm) => ({ ...arm, value: arm.value.mask })),
      ...(otherwise === undefined ? {} : { otherwise: otherwise.mask }),
      span,
    },
    wholeTensors: choices.every(({ wholeTensors }) => wholeTensors),
    rescales: choices.some(({ rescales }) => rescales),
    nesting,
  };
}

/** The mask under the name it is declared by; one that has a name already keeps it. */
export function nameMask(result: MaskResult, name: string): MaskResult {
  const { mask } = result;
  if (mask.kind === "match") return mask.name === undefined ? { ...result, mask: { ...mask, name } } : result;
  if (mask.value.name !== undefined) return result;
  if (result.selector === undefined) return { ...result, mask: { kind: "constant", value: { ...mask.value, name } } };
  const selector = { ...result.selector, name };
  return {
    ...result,
    selector,
    mask: { kind: "constant", value: { ...mask.value, kind: "selector", selector, name } },
  };
}

export function applyMask(vector: VectorResult, mask: MaskResult, stream: number, span: Span): VectorResult {
  return {
    kind: "vector",
    node: { kind: "masked", vector: vector.node, mask: mask.mask, stream, span },
    base: vector.base,
  };
}

/** Globs that are copied into one list: every name that adds to a longer one would copy all of it again. */
const MOST_JOINED_GLOBS = 64;

function joinSelectors(operator: "&" | "|", left: Selector, right: Selector, span: Span): Selector {
  if (operator === "|" && left.kind === "tensors" && right.kind === "tensors") {
    const globs = [...new Set([...left.globs, ...right.globs])];
    if (globs.length <= MOST_JOINED_GLOBS) return { kind: "tensors", globs, span };
  }
  return { kind: operator === "&" ? "and" : "or", left, right, span };
}

/** Selectors with commas behind `at` are one joined with `|`; as many as one likes, and yet not deep. */
export function anyOf(selectors: readonly Selector[], span: Span): Selector {
  if (selectors.length === 1) return selectors[0]!;
  const middle = Math.ceil(selectors.length / 2);
  return joinSelectors("|", anyOf(selectors.slice(0, middle), span), anyOf(selectors.slice(middle), span), span);
}

/** The selector that takes every tensor. */
export function everyTensor(span: Span): Selector {
  return { kind: "tensors", globs: [{ glob: "*", span }], span };
}

export function isTooDeep(nesting: number, span: Span, report: Report): boolean {
  if (nesting <= DEEPEST) return false;
  report({
    code: "nested-too-deeply",
    severity: "error",
    message: `more than ${DEEPEST} values inside each other`,
    span,
    help: "list globs in one tensors(…), or selectors in one match(…)",
  });
  return true;
}

function reportRescale(operator: "&" | "|" | "!", span: Span, report: Report): void {
  report({
    code: "rescale-combined",
    severity: "error",
    message: `a mask that rescales stands alone or is joined to selectors by &; it cannot be part of ${operator}`,
    span,
    help: "write rescale: none in each mask of the combination",
  });
}
