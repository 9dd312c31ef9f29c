// Parameters of a recipe: their kinds, bounds and effective values.

import type { ParamStatement } from "../../dsl/ast.ts";
import { didYouMean } from "../../dsl/did-you-mean.ts";
import { printable } from "../../dsl/printable.ts";
import type { Span } from "../../dsl/source.ts";
import { evaluate, type Expectation } from "./evaluate.ts";
import { describeKind, POISON, type Result } from "./kinds.ts";
import { describeRange, isInRange, type Range } from "../methods/method-row.ts";
import type { Scope } from "./names.ts";
import { integerInstead, reportVarying, takeConstant } from "./numbers.ts";
import { DTYPE_WORDS } from "../settings.ts";
import { wrongKind } from "./wrong-kind.ts";

const TYPES = ["number", "integer", "boolean", "string", "size", "dtype", "list"] as const;
type Type = (typeof TYPES)[number];
const BOUNDED: readonly Type[] = ["number", "integer", "size", "list"];
const BOUNDS = ["min", "max", "above", "below"] as const;

/** A value from outside the file: `-p`, `--params`, or an import's argument. */
export interface Override {
  readonly value: Result;
  /** Where to point when the value is wrong. */
  readonly span: Span;
}

/** How words in a value of this parameter are read. */
export function expectationOf({ name, type }: ParamStatement): Expectation {
  return type.text === "dtype" ? { words: { of: name.text, list: DTYPE_WORDS } } : {};
}

/** The effective value, checked against kind and bounds; poison when there is none. The default is checked in any case. */
export function evaluateParameter(statement: ParamStatement, override: Override | undefined, scope: Scope): Result {
  const type = readType(statement, scope);
  const range = type === undefined ? undefined : readBounds(statement, type, scope);
  let value: Result | undefined;
  if (statement.default !== undefined) {
    const result = evaluate(statement.default, scope, expectationOf(statement));
    value = checkValue(statement, type, range, { value: result, span: statement.default.span }, scope);
  }
  if (override !== undefined) value = checkValue(statement, type, range, override, scope);
  if (value !== undefined) return value;
  scope.report({
    code: "parameter-without-value",
    severity: "error",
    message: `the parameter ${statement.name.text} has no value`,
    span: statement.name.span,
    help: `give it one with -p ${statement.name.text}=…, or a default here`,
  });
  return POISON;
}

function readType({ type, typeArguments }: ParamStatement, scope: Scope): Type | undefined {
  const known = TYPES.find((each) => each === type.text);
  if (known === undefined) {
    const near = didYouMean(type.text, TYPES);
    scope.report({
      code: "unknown-parameter-kind",
      severity: "error",
      message: `no kind of parameter is named ${type.text}`,
      span: type.span,
      help:
        near === undefined
          ? "kinds are number, integer, boolean, string, size, dtype, list(number)"
          : `did you mean ${near}?`,
    });
    return undefined;
  }
  const elements = typeArguments.filter(({ label }) => label === undefined);
  const isElementRight =
    known === "list"
      ? elements.length === 1 && elements[0]!.value.kind === "name" && elements[0]!.value.text === "number"
      : elements.length === 0;
  if (isElementRight) return known;
  scope.report(
    wrongKind(
      known === "list" ? "lists are lists of numbers" : `${known} takes bounds only`,
      elements[0]?.span ?? type.span,
      known === "list" ? "write list(number)" : `write ${known}(min: …, max: …)`,
    ),
  );
  return undefined;
}

function readBounds({ typeArguments }: ParamStatement, type: Type, scope: Scope): Range | undefined {
  const range: { -readonly [K in keyof Range]: Range[K] } = {};
  let isSound = true;
  for (const { label, value } of typeArguments) {
    if (label === undefined) continue;
    const bound = BOUNDS.find((each) => label.kind === "name" && each === label.text);
    if (bound === undefined || !BOUNDED.includes(type) || range[bound] !== undefined) {
      isSound = false;
      const words = label.kind === "name" ? label.text : "this";
      scope.report({
        code:
          bound === undefined ? "unknown-parameter" : range[bound] === undefined ? "wrong-kind" : "duplicate-parameter",
        severity: "error",
        message:
          bound === undefined
            ? `${words} is no bound`
            : range[bound] === undefined
              ? `a ${type} has no bounds`
              : `${bound} is given twice`,
        span: label.span,
        ...(bound === undefined ? { help: `bounds are ${BOUNDS.join(", ")}` } : {}),
      });
      continue;
    }
    const result = evaluate(value, scope);
    const number =
      result.kind === "size" && type === "size" ? result.bytes : takeConstant(bound, result, value.span, scope.report);
    if (number === undefined) isSound = false;
    else range[bound] = number;
  }
  return isSound ? range : undefined;
}

/** `type` and `range` are undefined when they were reported; then the value is not judged. */
function checkValue(
  { name }: ParamStatement,
  type: Type | undefined,
  range: Range | undefined,
  { value, span }: Override,
  scope: Scope,
): Result {
  if (value.kind === "poison" || type === undefined || range === undefined) return POISON;
  // A default stands beside them.
  const declared = (what: string) =>
    span.source === name.span.source ? {} : { notes: [{ message: `${what} declared here`, span: name.span }] };
  const refuseAs = (message: string): Result => {
    scope.report({ ...wrongKind(message, span), ...declared("it is") });
    return POISON;
  };
  const refuse = (takes: string): Result => refuseAs(`${name.text} takes ${takes}, not ${describeKind(value)}`);
  const checkBounds = (number: number): boolean => {
    if (isInRange(range, number)) return true;
    scope.report({
      code: "parameter-range",
      severity: "error",
      message: `${name.text} must be ${describeRange(range)}, not ${number}`,
      span,
      ...declared("its bounds are"),
    });
    return false;
  };
  switch (type) {
    case "number":
    case "integer": {
      if (value.kind !== "number") return refuse(type === "number" ? "a number" : "an integer");
      if (value.value.kind !== "constant") {
        reportVarying(`the parameter ${name.text}`, span, scope.report);
        return POISON;
      }
      const number = value.value.value;
      if (type === "integer" && !Number.isSafeInteger(number))
        return refuseAs(`${name.text} takes ${integerInstead(number)}`);
      // Without a place of its own: what is wrong with it elsewhere is reported where it is used.
      return checkBounds(number) ? { kind: "number", value: { kind: "constant", value: number } } : POISON;
    }
    case "size":
      if (value.kind !== "size") return refuse("a size such as 5GB");
      return checkBounds(value.bytes) ? value : POISON;
    case "boolean":
      if (value.kind !== "boolean") return refuse("true or false");
      if (value.value.kind === "constant") return value;
      reportVarying(`the parameter ${name.text}`, span, scope.report);
      return POISON;
    case "string":
      return value.kind === "string" ? value : refuse('a string in " "');
    case "dtype": {
      if (value.kind !== "word") return refuse(`one of ${DTYPE_WORDS.join(", ")}`);
      if (value.value.kind === "constant") return value;
      reportVarying(`the parameter ${name.text}`, span, scope.report);
      return POISON;
    }
    case "list": {
      if (value.kind !== "list") return refuse("a list of numbers such as [0.5, 0.5]");
      const elements = value.elements.map((element) => {
        const number = takeConstant(`a member of ${name.text}`, element.value, element.span, scope.report);
        if (number === undefined || !checkBounds(number)) return undefined;
        return { value: { kind: "number", value: { kind: "constant", value: number } } as const, span: element.span };
      });
      const sound = elements.filter((element) => element !== undefined);
      return sound.length === elements.length ? { kind: "list", elements: sound } : POISON;
    }
  }
}

/** A parameter's value as plain data, for the record of a build. */
export function plainValue(result: Result): unknown {
  switch (result.kind) {
    case "number":
    case "boolean":
    case "word":
      return result.value.kind === "constant" ? result.value.value : undefined;
    case "size":
      return result.bytes;
    case "string":
      return result.text;
    case "list":
      return result.elements.map(({ value }) => plainValue(value));
    case "poison":
    case "model":
    case "models":
    case "vector":
    case "mask":
    case "strategy":
    case "range":
    case "slice":
      throw new Error(`a parameter cannot be ${describeKind(result)}`);
  }
}

const MOST_LISTED = 12;

function someOf(names: ReadonlySet<string>): string {
  const listed = [...names].slice(0, MOST_LISTED);
  const rest = names.size - listed.length;
  return `${listed.join(", ")}${rest > 0 ? ` and ${rest} more` : ""}`;
}

/** `owner`: whose parameters they are; `span`: of the name that none of them has. */
export function reportUnknownOverride(
  name: string,
  declared: ReadonlySet<string>,
  owner: string,
  span: Span,
  scope: Scope,
): void {
  const near = scope.suggest(name, declared);
  scope.report({
    code: "unknown-parameter",
    severity: "error",
    message: `${owner} has no parameter ${printable(name)}`,
    span,
    help:
      near !== undefined
        ? `did you mean ${near}?`
        : declared.size === 0
          ? "it declares no parameters"
          : `it has ${someOf(declared)}`,
  });
}
