// Numbers: arithmetic on them, and what a place that takes one demands.

import type { Report } from "../../dsl/diagnostic.ts";
import type { Span } from "../../dsl/source.ts";
import { type ArithmeticOperator, compute } from "../arithmetic.ts";
import { type NumberResult, POISON, type Poison, type Result } from "./kinds.ts";
import { describeRange, isInRange, type Range, rangeCode } from "../methods/method-row.ts";
import type { NumberValue } from "../recipe-graph.ts";
import { takesInstead } from "./wrong-kind.ts";

/** Constants are computed at once, what varies when its tensor is known. */
export function numberArithmetic(
  operator: ArithmeticOperator,
  left: NumberValue,
  right: NumberValue,
  span: Span,
  report: Report,
): NumberResult | Poison {
  if (operator === "/" && right.kind === "constant" && right.value === 0) {
    report({ code: "division-by-zero", severity: "error", message: "division by zero", span });
    return POISON;
  }
  if (left.kind !== "constant" || right.kind !== "constant") {
    return { kind: "number", value: { kind: "arithmetic", operator, left, right, span } };
  }
  const value = compute(operator, left.value, right.value);
  if (!Number.isFinite(value)) {
    report({ code: "number-too-large", severity: "error", message: "the result is too large for a number", span });
    return POISON;
  }
  return { kind: "number", value: { kind: "constant", value, span } };
}

/** A number that may vary; undefined when it was reported. */
export function takeNumber(
  place: string,
  result: Result,
  span: Span,
  report: Report,
  help?: string,
): NumberValue | undefined {
  if (result.kind === "number") return result.value;
  if (result.kind !== "poison") report(takesInstead(place, "a number", result, span, help));
  return undefined;
}

/** For a place that takes a number of each tensor, where mergekit takes a list. */
export function rampHelp(result: Result): string | undefined {
  return result.kind === "list" ? "values along the layers are a ramp, as in ramp(0.2, 0.8)" : undefined;
}

/** A number that is the same for every tensor. */
export function takeConstant(place: string, result: Result, span: Span, report: Report): number | undefined {
  const value = takeNumber(place, result, span, report);
  if (value === undefined) return undefined;
  if (value.kind === "constant") return value.value;
  reportVarying(place, span, report);
  return undefined;
}

export function takeInteger(place: string, result: Result, span: Span, report: Report): number | undefined {
  if (result.kind !== "number" && result.kind !== "poison") {
    report(takesInstead(place, "an integer", result, span));
    return undefined;
  }
  const value = takeConstant(place, result, span, report);
  if (value === undefined || Number.isSafeInteger(value)) return value;
  report({
    code: "wrong-kind",
    severity: "error",
    message: `${place} takes ${integerInstead(value)}`,
    span,
  });
  return undefined;
}

/** What an integer's place says to a number that is none; beyond 2^53 float64 does not tell integers apart. */
export function integerInstead(value: number): string {
  if (!Number.isInteger(value)) return `an integer, not ${value}`;
  const bound = Number.MAX_SAFE_INTEGER;
  return value > 0 ? `an integer of at most ${bound}` : `an integer of at least -${bound}`;
}

export function reportVarying(place: string, span: Span, report: Report): void {
  report({
    code: "must-be-constant",
    severity: "error",
    message: `${place} must be the same for every tensor; this varies`,
    span,
  });
}

/**
 * Whether every number that can be seen to occur is in range: constants, points of a ramp, arms of a match. What
 * arithmetic on varying numbers gives is known tensor by tensor only, and checked there.
 */
export function checkRange(
  name: string,
  range: Range,
  value: NumberValue,
  span: Span,
  report: Report,
  note?: string,
): boolean {
  switch (value.kind) {
    case "constant":
      if (isInRange(range, value.value)) return true;
      report({
        code: rangeCode(name),
        severity: "error",
        message: `${name} must be ${describeRange(range)}, not ${value.value}`,
        span: value.span ?? span,
        ...(note === undefined ? {} : { notes: [{ message: note }] }),
      });
      return false;
    case "match": {
      const values = [...value.arms.map((arm) => arm.value), ...(value.otherwise ? [value.otherwise] : [])];
      return values.map((each) => checkRange(name, range, each, span, report, note)).every(Boolean);
    }
    case "ramp": {
      const values = [...value.points, ...(value.outside ? [value.outside] : [])];
      return values.map((each) => checkRange(name, range, each, span, report, note)).every(Boolean);
    }
    case "negate":
    case "arithmetic":
      return true;
  }
}
