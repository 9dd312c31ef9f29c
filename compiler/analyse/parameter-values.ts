// One parameter of a method: its value from an expression, or its default.

import type { Expression } from "../../dsl/ast.ts";
import type { Report } from "../../dsl/diagnostic.ts";
import type { Span } from "../../dsl/source.ts";
import { evaluate } from "./evaluate.ts";
import type { Result } from "./kinds.ts";
import type { Parameter, WordParameter } from "../methods/method-row.ts";
import { wordElsewhere } from "../methods/names-elsewhere.ts";
import { baseName, type Scope } from "./names.ts";
import { ownWords } from "./own-words.ts";
import { checkRange, rampHelp, takeInteger, takeNumber } from "./numbers.ts";
import type { ParameterValue, Varying } from "../recipe-graph.ts";
import { oneOf, takesInstead, wrongKind } from "./wrong-kind.ts";

/** Undefined when it was reported. */
export function readParameter(parameter: Parameter, expression: Expression, scope: Scope): ParameterValue | undefined {
  const { report } = scope;
  const { span } = expression;
  const { name, meaning } = parameter;
  if (parameter.notServed !== undefined) {
    evaluate(expression, scope);
    report(notServed(`${name}: is`, parameter.notServed, span));
    return undefined;
  }
  switch (parameter.kind) {
    case "number": {
      const result = evaluate(expression, scope);
      const value = takeNumber(name, result, span, report, rampHelp(result));
      if (value === undefined || !checkRange(name, parameter.range, value, span, report, meaning)) return undefined;
      return { kind: "number", value };
    }
    case "integer": {
      const value = takeInteger(name, evaluate(expression, scope), span, report);
      if (value === undefined) return undefined;
      const number = { kind: "constant", value, span } as const;
      if (!checkRange(name, parameter.range, number, span, report, meaning)) return undefined;
      return { kind: "number", value: number };
    }
    case "boolean": {
      const result = evaluate(expression, scope);
      if (result.kind === "boolean") return { kind: "boolean", value: result.value };
      if (result.kind !== "poison") report(takesInstead(name, "true or false", result, span));
      return undefined;
    }
    case "word": {
      const value = takeWord(name, parameter.words, expression, scope);
      if (value === undefined || !areWordsServed(parameter, value, span, report)) return undefined;
      return { kind: "word", value };
    }
    case "vector": {
      const result = evaluate(expression, scope);
      if (result.kind === "vector") return { kind: "vector", node: result.node };
      if (result.kind === "poison") return undefined;
      const base = baseName(scope);
      const help = result.kind === "model" ? `write ${ownWords(span, "model")} - ${base}` : undefined;
      report(takesInstead(name, "a vector", result, span, help));
      return undefined;
    }
  }
}

/** A word of a closed list, that may vary; undefined when it was reported. */
export function takeWord(
  name: string,
  list: readonly string[],
  expression: Expression,
  scope: Scope,
): Varying<string> | undefined {
  const result = evaluate(expression, scope, { words: { of: name, list } });
  if (result.kind === "poison") return undefined;
  if (result.kind !== "word") {
    scope.report(takesInstead(name, oneOf(list), result, expression.span, helpForWord(list, result)));
    return undefined;
  }
  const stray = wordsIn(result.value).find((word) => !list.includes(word));
  if (stray === undefined) return result.value;
  scope.report(wrongKind(`${name} is ${oneOf(list)}, not ${stray}`, expression.span));
  return undefined;
}

function helpForWord(list: readonly string[], result: Result): string | undefined {
  if (result.kind === "string") {
    const word = list.includes(result.text) ? result.text : wordElsewhere(result.text, list);
    return word === undefined ? undefined : `write ${word} without quotes`;
  }
  // mergekit's rescale is true or false.
  return result.kind === "boolean" && list.includes("l1")
    ? "what mergekit calls true is l1, and false is none"
    : undefined;
}

/** A word that is the same for every tensor. */
export function takeConstantWord(
  name: string,
  list: readonly string[],
  expression: Expression,
  scope: Scope,
): string | undefined {
  const value = takeWord(name, list, expression, scope);
  if (value === undefined || value.kind === "constant") return value?.value;
  scope.report({
    code: "must-be-constant",
    severity: "error",
    message: `${name} must be the same for every tensor; this varies`,
    span: expression.span,
  });
  return undefined;
}

/** Every word that it is for some tensor. */
export function wordsIn(value: Varying<string>): string[] {
  if (value.kind === "constant") return [value.value];
  return [...value.arms.map((arm) => arm.value), ...(value.otherwise ? [value.otherwise] : [])].flatMap(wordsIn);
}

function areWordsServed(parameter: WordParameter, value: Varying<string>, span: Span, report: Report): boolean {
  for (const word of wordsIn(value)) {
    const why = parameter.wordsNotServed?.get(word);
    if (why === undefined) continue;
    report(notServed(`${parameter.name}: ${word} is`, why, span));
    return false;
  }
  return true;
}

function notServed(what: string, why: string, span: Span) {
  return {
    code: "not-served",
    severity: "error",
    message: `${what} known to theta but not served yet; ${why}`,
    span,
  } as const;
}

/** "none": absence has a meaning of its own. */
export function defaultValue(parameter: Parameter): ParameterValue | "required" | "none" {
  switch (parameter.kind) {
    case "number":
    case "integer":
      if (parameter.default !== undefined) {
        return { kind: "number", value: { kind: "constant", value: parameter.default } };
      }
      return parameter.kind === "integer" && parameter.optional ? "none" : "required";
    case "word":
      return { kind: "word", value: { kind: "constant", value: parameter.default } };
    case "boolean":
      return { kind: "boolean", value: { kind: "constant", value: parameter.default } };
    case "vector":
      return "none";
  }
}
