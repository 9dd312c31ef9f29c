// Arguments of a method against its row of the table: unknown, missing, twice, of the wrong kind, out of range.

import type { Argument } from "../../dsl/ast.ts";
import { didYouMean } from "../../dsl/did-you-mean.ts";
import type { Span } from "../../dsl/source.ts";
import { evaluate } from "./evaluate.ts";
import type { Result } from "./kinds.ts";
import type { MethodRow, Parameter, PerInputParameter } from "../methods/method-row.ts";
import { commonPerInputParameters, isPerInput, maskWith, parameterOf } from "../methods/method-table.ts";
import type { Scope } from "./names.ts";
import { parameterElsewhere } from "../methods/names-elsewhere.ts";
import { checkRange, takeNumber } from "./numbers.ts";
import { defaultValue, readParameter } from "./parameter-values.ts";
import type { NumberValue, ParameterValue } from "../recipe-graph.ts";
import { takesInstead } from "./wrong-kind.ts";

export interface Input {
  readonly value: Result;
  readonly span: Span;
}

/** A per-input parameter as a call gives it: a list with a value for each input, or one value that every input has. */
export type PerInputValues =
  | { readonly kind: "list"; readonly values: readonly NumberValue[]; readonly span: Span }
  | { readonly kind: "every"; readonly value: NumberValue };

export interface ReadArguments {
  readonly inputs: readonly Input[];
  /** Every shared parameter, defaults filled in; an optional one only when given. */
  readonly shared: ReadonlyMap<string, ParameterValue>;
  readonly perInput: ReadonlyMap<string, PerInputValues>;
}

interface Callee {
  readonly name: string;
  readonly methods: readonly MethodRow[];
  /** A declared strategy has its shared parameters already; a call of it gives inputs and what belongs to them. */
  readonly sharedGiven: boolean;
}

/** Undefined when something was wrong, which was reported; everything wrong in the arguments is, in one run. */
export function readArguments(
  callee: Callee,
  calleeSpan: Span,
  args: readonly Argument[],
  scope: Scope,
): ReadArguments | undefined {
  const inputs: Input[] = [];
  const shared = new Map<string, ParameterValue>();
  const perInput = new Map<string, PerInputValues>();
  const given = new Map<string, Span>();
  let isSound = true;
  for (const argument of args) {
    if (argument.label === undefined) {
      const value = evaluate(argument.value, scope);
      if (value.kind === "poison") isSound = false;
      inputs.push({ value, span: argument.value.span });
      continue;
    }
    const parameter = labelledParameter(callee, argument, given, scope);
    if (parameter === undefined) {
      isSound = false;
    } else if (isPerInput(parameter)) {
      const values = readPerInput(parameter, argument, scope);
      if (values === undefined) isSound = false;
      else perInput.set(parameter.name, values);
    } else {
      const value = readParameter(parameter, argument.value, scope);
      if (value === undefined) isSound = false;
      else shared.set(parameter.name, value);
    }
  }
  if (takesNoInputs(callee) && inputs.length > 0) {
    // Probably what is missing.
    isSound = false;
    reportPositional(callee, inputs[0]!, scope);
  } else if (!callee.sharedGiven && !fillDefaults(callee, calleeSpan, given, shared, scope)) isSound = false;
  return isSound ? { inputs, shared, perInput } : undefined;
}

function takesNoInputs({ methods }: Callee): boolean {
  return methods.every(({ maps }) => maps === "mask");
}

function reportPositional({ name, methods }: Callee, input: Input, scope: Scope): void {
  if (input.value.kind === "poison") return;
  const [first] = methods[0]!.parameters;
  scope.report({
    code: "unlabelled-argument",
    severity: "error",
    message: `every argument of ${name} has a name`,
    span: input.span,
    ...(first === undefined ? {} : { help: `write ${first.name}: in front of it, if that is what it is` }),
  });
}

/** The parameter that a labelled argument gives, unless it is unknown, given twice or fixed already. */
function labelledParameter(
  { name, methods, sharedGiven }: Callee,
  { label }: Argument,
  given: Map<string, Span>,
  scope: Scope,
): Parameter | undefined {
  if (label?.kind !== "name") {
    scope.report({
      code: "unknown-parameter",
      severity: "error",
      message: `${name} has no ${label?.kind === "else" ? "else" : "parameter of this name"}; selectors as labels belong to match(…)`,
      span: label!.span,
    });
    return undefined;
  }
  const { text, span } = label;
  const known = sharedGiven ? commonPerInputParameters(methods) : methods.flatMap((row) => row.parameters);
  const parameter = known.find((each) => each.name === text);
  if (parameter === undefined) {
    const shared = methods.map((row) => parameterOf(row, text)).find((each) => each !== undefined && !isPerInput(each));
    if (shared !== undefined) {
      scope.report({
        code: "unknown-parameter",
        severity: "error",
        message: `${text} was given where the strategy ${name} is declared`,
        span,
      });
    } else reportUnknownParameter(name, methods, text, span, scope);
    return undefined;
  }
  const earlier = given.get(text);
  if (earlier !== undefined) {
    scope.report({
      code: "duplicate-parameter",
      severity: "error",
      message: `${text} is given twice`,
      span,
      notes: [{ message: "the first time", span: earlier }],
    });
    return undefined;
  }
  given.set(text, span);
  return parameter;
}

function reportUnknownParameter(
  name: string,
  methods: readonly MethodRow[],
  text: string,
  span: Span,
  scope: Scope,
): void {
  const mask = maskWith(text);
  if (mask !== undefined && methods.every(({ maps }) => maps !== "mask")) {
    scope.report({
      code: "strategy-never-masks",
      severity: "error",
      message: `${name} has no ${text}; strategies never mask`,
      span,
      help: `write each mask ${mask} in the merge, and using ${name}`,
    });
    return;
  }
  const names = [...new Set(methods.flatMap((row) => row.parameters.map((parameter) => parameter.name)))];
  const elsewhere = parameterElsewhere(text, methods);
  const near = elsewhere === undefined ? didYouMean(text, names) : undefined;
  scope.report({
    code: "unknown-parameter",
    severity: "error",
    message: `${name} has no parameter ${text}`,
    span,
    help:
      elsewhere !== undefined
        ? elsewhere
        : near !== undefined
          ? `did you mean ${near}?`
          : names.length === 0
            ? `${name} has no parameters`
            : `it has ${names.join(", ")}`,
    ...(near === undefined ? {} : { edit: { span, text: near } }),
  });
}

/** Reports what is required and missing. */
function fillDefaults(
  { methods }: Callee,
  span: Span,
  given: ReadonlyMap<string, Span>,
  shared: Map<string, ParameterValue>,
  scope: Scope,
): boolean {
  let isComplete = true;
  for (const row of methods) {
    for (const parameter of row.parameters) {
      if (isPerInput(parameter) || given.has(parameter.name)) continue;
      const value = defaultValue(parameter);
      if (value === "none") continue;
      if (value !== "required") {
        shared.set(parameter.name, value);
        continue;
      }
      isComplete = false;
      scope.report({
        code: "missing-parameter",
        severity: "error",
        message: `${row.name} needs ${parameter.name}`,
        span,
        notes: [{ message: parameter.meaning }],
        help: `for example ${row.example}`,
      });
    }
  }
  return isComplete;
}

/** `weight: [0.5, 0.5]`, or `weight: 0.5` for every input. */
function readPerInput(parameter: PerInputParameter, { value }: Argument, scope: Scope): PerInputValues | undefined {
  const { name, range, meaning } = parameter;
  const given = evaluate(value, scope);
  if (given.kind === "poison") return undefined;
  if (given.kind === "number") {
    const isInside = checkRange(name, range, given.value, value.span, scope.report, meaning);
    return isInside ? { kind: "every", value: given.value } : undefined;
  }
  if (given.kind !== "list") {
    const takes = "a list with a number for each input, or one number for all";
    scope.report(takesInstead(name, takes, given, value.span, `write ${name}: [0.5, 0.5]`));
    return undefined;
  }
  const values: NumberValue[] = [];
  for (const element of given.elements) {
    const number = takeNumber(name, element.value, element.span, scope.report);
    if (number === undefined) continue;
    if (checkRange(name, range, number, element.span, scope.report, meaning)) values.push(number);
  }
  return values.length === given.elements.length ? { kind: "list", values, span: value.span } : undefined;
}
