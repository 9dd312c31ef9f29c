// Values that the command line and a parameter file give: text and JSON become values of the parameter's kind.

import { dirname, resolve } from "node:path";
import type { Expression, ParamStatement } from "../../dsl/ast.ts";
import type { Report } from "../../dsl/diagnostic.ts";
import { parse } from "../../dsl/parse.ts";
import type { Source, Span } from "../../dsl/source.ts";
import { evaluate } from "./evaluate.ts";
import { POISON, type Result } from "./kinds.ts";
import type { Scope } from "./names.ts";
import { expectationOf, type Override } from "./parameters.ts";
import { DTYPE_WORDS } from "./words.ts";

/** `-p K=V`, V as it was typed; or a member of `--params FILE`. The flag beats the file; the caller has seen to that. */
export type ParameterInput =
  | { readonly from: "flag"; readonly text: string }
  | { readonly from: "file"; readonly value: unknown; readonly path: string };

/** An input with its text parsed: what names it mentions is known before anything is evaluated. */
export type ParsedInput =
  | { readonly kind: "expression"; readonly expression: Expression; readonly from: string }
  | { readonly kind: "value"; readonly value: Result; readonly from: string; readonly span?: Span };

/** Poison when it was reported. */
export function parseInput(
  statement: ParamStatement,
  input: ParameterInput,
  workingDirectory: string,
  report: Report,
): ParsedInput {
  if (input.from === "file") {
    const directory = dirname(resolve(workingDirectory, input.path));
    return { ...parseJson(statement, input.value, directory, input.path, report), from: input.path };
  }
  if (statement.type.text === "string") {
    return { kind: "value", value: { kind: "string", text: input.text, directory: workingDirectory }, from: "-p" };
  }
  return { ...parseText(statement, input.text, "-p", report), from: "-p" };
}

export function evaluateInput(input: ParsedInput, statement: ParamStatement, scope: Scope): Override {
  if (input.kind === "value") return input;
  const { expression } = input;
  return {
    value: evaluate(expression, scope, expectationOf(statement)),
    span: expression.span,
    from: input.from,
  };
}

type Parsed =
  { readonly kind: "expression"; readonly expression: Expression } | { readonly kind: "value"; readonly value: Result };

/** The text as the default of the parameter it is for: then errors in it have a line to stand under. */
function parseText({ name, type }: ParamStatement, text: string, path: string, report: Report): Parsed {
  const source: Source = { path, directory: "", text: `param ${name.text}: ${type.text} = ${text}` };
  const { recipe, diagnostics } = parse(source);
  const errors = diagnostics.filter(({ code }) => code !== "version-missing");
  for (const error of errors) report(error);
  const [statement, ...others] = recipe.statements;
  if (statement?.kind === "param" && statement.default !== undefined && others.length === 0 && errors.length === 0) {
    return { kind: "expression", expression: statement.default };
  }
  if (errors.length === 0) {
    report({
      code: "wrong-kind",
      severity: "error",
      message: `the value of ${name.text} is one expression`,
      span: { source, start: source.text.length - text.length, end: source.text.length },
    });
  }
  return { kind: "value", value: POISON };
}

function parseJson(statement: ParamStatement, value: unknown, directory: string, path: string, report: Report): Parsed {
  const { name, type } = statement;
  if (typeof value === "number") {
    if (type.text === "size" && Number.isSafeInteger(value) && value >= 0) {
      return { kind: "value", value: { kind: "size", bytes: value } };
    }
    return { kind: "value", value: { kind: "number", value: { kind: "constant", value } } };
  }
  if (typeof value === "boolean") {
    return { kind: "value", value: { kind: "boolean", value: { kind: "constant", value } } };
  }
  if (typeof value === "string") {
    if (type.text === "size") return parseText(statement, value, path, report);
    if (type.text === "dtype" && DTYPE_WORDS.includes(value)) {
      return { kind: "value", value: { kind: "word", value: { kind: "constant", value } } };
    }
    return { kind: "value", value: { kind: "string", text: value, directory } };
  }
  if (Array.isArray(value) && value.every((element) => typeof element === "number")) {
    const elements = value.map((element: number) => ({
      value: { kind: "number", value: { kind: "constant", value: element } } as const,
      span: name.span,
    }));
    return { kind: "value", value: { kind: "list", elements } };
  }
  report({
    code: "wrong-kind",
    severity: "error",
    message: `${name.text} is a ${type.text}; ${path} gives it ${value === null ? "null" : Array.isArray(value) ? "a list of other things than numbers" : "an object"}`,
    span: name.span,
  });
  return { kind: "value", value: POISON };
}
