// Selectors: `tensors("glob", …)`, `layers(A..B)`, and the places that take a selector.

import type { Argument, Expression } from "../../dsl/ast.ts";
import type { Span } from "../../dsl/source.ts";
import { A_MASK, evaluate } from "./evaluate.ts";
import { describeKind, POISON, type Result } from "./kinds.ts";
import { selectorMask } from "./masks.ts";
import type { MethodRow } from "../methods/method-row.ts";
import type { Scope } from "./names.ts";
import { takeInteger } from "./numbers.ts";
import type { LayerRange, Selector } from "../recipe-graph.ts";
import { takesInstead, wrongKind } from "./wrong-kind.ts";

export function evaluateSelectorCall(
  row: MethodRow,
  calleeSpan: Span,
  args: readonly Argument[],
  scope: Scope,
  span: Span,
): Result {
  const labelled = args.find(({ label }) => label !== undefined);
  if (labelled !== undefined) {
    scope.report({
      code: "unknown-parameter",
      severity: "error",
      message: `${row.name} has no named parameters`,
      span: labelled.label!.span,
      help: `for example ${row.example}`,
    });
    return POISON;
  }
  if (row.name === "layers") return evaluateLayers(args, scope, span);
  if (args.length === 0) {
    scope.report({
      code: "missing-parameter",
      severity: "error",
      message: "tensors needs a glob",
      span: calleeSpan,
      help: `for example ${row.example}`,
    });
    return POISON;
  }
  const globs = args.map(({ value }) => {
    const result = evaluate(value, scope);
    if (result.kind === "string") return { glob: result.text, span: value.span };
    if (result.kind !== "poison") scope.report(takesInstead("tensors", "globs", result, value.span));
    return undefined;
  });
  const sound = globs.filter((glob) => glob !== undefined);
  return sound.length === globs.length ? selectorMask({ kind: "tensors", globs: sound, span }, span) : POISON;
}

function evaluateLayers(args: readonly Argument[], scope: Scope, span: Span): Result {
  const [only] = args;
  if (args.length !== 1 || only?.value.kind !== "range") {
    const help = "write layers(A..B), B excluded, or layers(A..) to the end; the second layer alone is layers(1..2)";
    scope.report(wrongKind("layers takes one range", span, help));
    return POISON;
  }
  const range = readRange(only.value, scope);
  return range === undefined ? POISON : selectorMask({ kind: "layers", range, span }, span);
}

/** `A..B`, whole numbers, not empty as far as can be seen without the number of layers; undefined when reported. */
export function readRange(expression: Expression, scope: Scope): LayerRange | undefined {
  if (expression.kind !== "range") {
    scope.report(wrongKind("a range of layers is written A..B, or A.. to the end", expression.span));
    return undefined;
  }
  const from = takeInteger("a layer", evaluate(expression.from, scope), expression.from.span, scope.report);
  if (expression.to === undefined) return from === undefined ? undefined : { from };
  const to = takeInteger("a layer", evaluate(expression.to, scope), expression.to.span, scope.report);
  if (from === undefined || to === undefined) return undefined;
  if (from >= 0 === to >= 0 && from >= to) {
    scope.report({
      code: "empty-range",
      severity: "error",
      message: `${from}..${to} holds no layer; the end is not part of a range`,
      span: expression.span,
    });
    return undefined;
  }
  return { from, to };
}

/** An expression in a place that takes a selector; undefined when it was reported. */
export function takeSelector(expression: Expression, scope: Scope): Selector | undefined {
  const result = evaluate(expression, scope, A_MASK);
  if (result.kind === "poison") return undefined;
  if (result.kind === "mask" && result.selector !== undefined) return result.selector;
  const what =
    result.kind !== "mask"
      ? describeKind(result)
      : result.wholeTensors
        ? "a mask that varies"
        : "a mask that chooses elements";
  scope.report(
    wrongKind(
      `a selector takes whole tensors; this is ${what}`,
      expression.span,
      'selectors are "glob", tensors("glob", …), layers(A..B) and &, |, ! of them',
    ),
  );
  return undefined;
}
