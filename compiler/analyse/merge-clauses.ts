// Clauses of a merge: `weight 0.6 mask crumbs` behind an entry, behind `each`, or for an entry inside `at`.

import type { Clause } from "../../dsl/ast.ts";
import { didYouMean } from "../../dsl/did-you-mean.ts";
import type { Span } from "../../dsl/source.ts";
import { A_MASK, evaluate } from "./evaluate.ts";
import type { MaskResult, StrategyResult } from "./kinds.ts";
import { commonPerInputParameters, maskWith, parameterOf } from "../methods/method-table.ts";
import { parameterElsewhere } from "../methods/names-elsewhere.ts";
import type { Scope } from "./names.ts";
import { checkRange, rampHelp, takeNumber } from "./numbers.ts";
import type { NumberValue } from "../recipe-graph.ts";
import { takesInstead } from "./wrong-kind.ts";

/** What a line states. A clause that was reported is in `spans` only: it counts as stated, with no value. */
export interface ReadClauses {
  readonly numbers: ReadonlyMap<string, NumberValue>;
  readonly mask?: MaskResult;
  /** Where each stated clause stands. */
  readonly spans: ReadonlyMap<string, Span>;
  readonly isSound: boolean;
}

/** `strategy` is undefined when it was reported; then names of clauses are not judged. */
export function readClauses(
  clauses: readonly Clause[],
  strategy: StrategyResult | undefined,
  isOntoBase: boolean,
  scope: Scope,
): ReadClauses {
  const numbers = new Map<string, NumberValue>();
  const spans = new Map<string, Span>();
  let mask: MaskResult | undefined;
  let isSound = true;
  for (const { name, value } of clauses) {
    const first = spans.get(name.text);
    if (first !== undefined) {
      scope.report({
        code: "duplicate-clause",
        severity: "error",
        message: `${name.text} is stated twice`,
        span: name.span,
        notes: [{ message: "the first time", span: first }],
      });
      isSound = false;
      continue;
    }
    spans.set(name.text, name.span);
    if (name.text === "mask") {
      const read = readMask(name.span, value, isOntoBase, scope);
      if (read === undefined) isSound = false;
      else mask = read;
      continue;
    }
    const parameter = commonPerInputParameters(strategy?.methods ?? []).find((each) => each.name === name.text);
    const result = evaluate(value, scope);
    if (parameter === undefined) {
      if (strategy !== undefined) reportUnknownClause(name.text, name.span, strategy, isOntoBase, scope);
      isSound = false;
      continue;
    }
    const number = takeNumber(name.text, result, value.span, scope.report, rampHelp(result));
    if (
      number !== undefined &&
      checkRange(name.text, parameter.range, number, value.span, scope.report, parameter.meaning)
    ) {
      numbers.set(name.text, number);
    } else isSound = false;
  }
  return { numbers, spans, isSound, ...(mask === undefined ? {} : { mask }) };
}

function readMask(nameSpan: Span, value: Clause["value"], isOntoBase: boolean, scope: Scope): MaskResult | undefined {
  const result = evaluate(value, scope, A_MASK);
  if (!isOntoBase) {
    scope.report({
      code: "mask-on-model",
      severity: "error",
      message: "a mask chooses elements of a vector; the entries of a merge without a base are models",
      span: nameSpan,
      help: "name the base of the merge with onto, or take tensors from one model with at … keep",
    });
    return undefined;
  }
  if (result.kind === "mask") return result;
  if (result.kind !== "poison") scope.report(takesInstead("mask", "a mask", result, value.span));
  return undefined;
}

function reportUnknownClause(
  name: string,
  span: Span,
  { methods }: StrategyResult,
  isOntoBase: boolean,
  scope: Scope,
): void {
  const strategy = methods.map((row) => row.name).join(" or ");
  const known = commonPerInputParameters(methods).map((parameter) => parameter.name);
  // Models are not masked.
  if (isOntoBase) known.push("mask");
  const isShared = methods.some((row) => parameterOf(row, name) !== undefined);
  const mask = maskWith(name);
  const elsewhere = parameterElsewhere(name, methods);
  const near = elsewhere === undefined ? didYouMean(name, known) : undefined;
  const help = isShared
    ? `${name} belongs to the strategy: using ${strategy}(${name}: …)`
    : mask !== undefined
      ? `write mask ${mask}`
      : (elsewhere ?? (near === undefined ? clausesHere(known) : `did you mean ${near}?`));
  scope.report({
    code: "unknown-clause",
    severity: "error",
    message: `an entry of ${strategy} has no clause ${name}`,
    span,
    help,
    ...(near === undefined || isShared ? {} : { edit: { span, text: near } }),
  });
}

function clausesHere(known: readonly string[]): string {
  if (known.length === 0) return "its entries have no clauses";
  return known.length === 1 ? `the only clause here is ${known[0]!}` : `clauses here are ${known.join(" and ")}`;
}
