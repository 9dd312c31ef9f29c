// Values that the command line and a parameter file give: text and JSON become values of the parameter's kind.

import type { Expression, ParamStatement } from "../../dsl/ast.ts";
import type { Report } from "../../dsl/diagnostic.ts";
import { parseExpression } from "../../dsl/parse.ts";
import type { Span } from "../../dsl/source.ts";
import { evaluate } from "./evaluate.ts";
import { POISON, type Result } from "./kinds.ts";
import type { Scope } from "./names.ts";
import { expectationOf, type Override } from "./parameters.ts";
import { DTYPE_WORDS } from "../settings.ts";
import { wrongKind } from "./wrong-kind.ts";

/**
 * `NAME=VALUE` of `-p`, or a member of `--params FILE`: where its name and its value stand, in an argument or a file.
 * Paths in the value are relative to the source's directory. The flag beats the file; the caller has seen to that.
 */
export type ParameterInput =
  | { readonly from: "flag"; readonly name: Span; readonly value: Span }
  | { readonly from: "file"; readonly name: Span; readonly value: Span; readonly json: unknown };

/** An input with its text parsed: what names it mentions is known before anything is evaluated. */
export type ParsedInput =
  | { readonly kind: "expression"; readonly expression: Expression }
  | { readonly kind: "value"; readonly value: Result; readonly span: Span };

/** Poison when it was reported. */
export function parseInput(statement: ParamStatement, input: ParameterInput, report: Report): ParsedInput {
  if (input.from === "file") return parseJson(statement, input.json, input.value, report);
  const { source, start, end } = input.value;
  if (statement.type.text !== "string") return parseText(input.value, report);
  const { directory } = source;
  const value = { kind: "string", text: source.text.slice(start, end), directory } as const;
  return { kind: "value", value, span: input.value };
}

export function evaluateInput(input: ParsedInput, statement: ParamStatement, scope: Scope): Override {
  if (input.kind === "value") return input;
  const { expression } = input;
  return { value: evaluate(expression, scope, expectationOf(statement)), span: expression.span };
}

function parseText(span: Span, report: Report): ParsedInput {
  const expression = parseExpression(span, report);
  return expression === undefined ? { kind: "value", value: POISON, span } : { kind: "expression", expression };
}

function parseJson({ name, type }: ParamStatement, json: unknown, span: Span, report: Report): ParsedInput {
  const refuse = (what: string): ParsedInput => {
    report(wrongKind(`${name.text} takes a ${type.text}, not ${what}`, span));
    return { kind: "value", value: POISON, span };
  };
  const valueOf = (value: Result): ParsedInput => ({ kind: "value", value, span });
  if (typeof json === "number") {
    if (!Number.isFinite(json)) return refuse(String(json));
    if (type.text === "size" && Number.isSafeInteger(json) && json >= 0) return valueOf({ kind: "size", bytes: json });
    return valueOf({ kind: "number", value: { kind: "constant", value: json } });
  }
  if (typeof json === "boolean") return valueOf({ kind: "boolean", value: { kind: "constant", value: json } });
  if (typeof json === "string") {
    // Between the quotes: no size has anything to escape.
    if (type.text === "size") return parseText({ ...span, start: span.start + 1, end: span.end - 1 }, report);
    if (type.text === "dtype" && DTYPE_WORDS.includes(json)) {
      return valueOf({ kind: "word", value: { kind: "constant", value: json } });
    }
    return valueOf({ kind: "string", text: json, directory: span.source.directory });
  }
  if (!Array.isArray(json)) return refuse(json === null ? "null" : "an object");
  if (!json.every((element) => Number.isFinite(element))) return refuse("a list of other things than numbers");
  const elements = json.map((element: number) => ({
    value: { kind: "number", value: { kind: "constant", value: element } } as const,
    span,
  }));
  return valueOf({ kind: "list", elements });
}
