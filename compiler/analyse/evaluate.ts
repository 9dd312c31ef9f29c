// The value of an expression. Recursion follows the tree, whose height the parser bounds; what names stand for has been
// evaluated before.

import type { BinaryExpression, Expression, Name } from "../../dsl/ast.ts";
import { didYouMean } from "../../dsl/did-you-mean.ts";
import type { Span } from "../../dsl/source.ts";
import { evaluateCall, evaluateMethod } from "./evaluate-call.ts";
import { POISON, type Result } from "./kinds.ts";
import { globMask } from "./masks.ts";
import { METHODS } from "../methods/method-table.ts";
import { wordElsewhere } from "../methods/names-elsewhere.ts";
import { lookUp, lookUpMember, type Scope } from "./names.ts";
import { applyBinary, applyUnary } from "./operators.ts";
import { oneOf, wrongKind } from "./wrong-kind.ts";

/** What the place of an expression makes of bare words and strings. */
export interface Expectation {
  /** A string, or the name of one, is a selector of one glob. */
  readonly mask?: true;
  /** Words of this list are searched before names. */
  readonly words?: { readonly of: string; readonly list: readonly string[] };
}

const NOTHING: Expectation = {};
export const A_MASK: Expectation = { mask: true };

export function evaluate(expression: Expression, scope: Scope, expected: Expectation = NOTHING): Result {
  const result = evaluateAsIs(expression, scope, expected);
  return expected.mask && result.kind === "string" ? globMask(result.text, expression.span) : result;
}

function evaluateAsIs(expression: Expression, scope: Scope, expected: Expectation): Result {
  switch (expression.kind) {
    case "name":
      return evaluateName(expression, scope, expected);
    case "member":
      return lookUpMember(expression.object, expression.member, scope);
    case "number":
      if (Number.isNaN(expression.value)) return POISON;
      return { kind: "number", value: { kind: "constant", value: expression.value, span: expression.span } };
    case "size":
      return { kind: "size", bytes: expression.bytes };
    case "string":
      return { kind: "string", text: expression.value, directory: scope.directory };
    case "boolean":
      return { kind: "boolean", value: { kind: "constant", value: expression.value } };
    case "list":
      return {
        kind: "list",
        elements: expression.elements.map((element) => ({
          value: evaluate(element, scope),
          span: element.span,
        })),
      };
    case "range":
      scope.report(wrongKind("a range A..B stands only in layers(…) and slice(…), and behind over:", expression.span));
      return POISON;
    case "call":
      return evaluateCall(expression, scope, expected);
    case "unary": {
      const operand = evaluate(expression.operand, scope, expression.operator === "!" ? A_MASK : NOTHING);
      return applyUnary(expression, operand, scope);
    }
    case "binary":
      return evaluateBinary(expression, scope);
    case "parenthesized":
      return evaluate(expression.inner, scope, expected);
  }
}

function evaluateName(name: Name, scope: Scope, { words, mask }: Expectation): Result {
  if (words?.list.includes(name.text)) return { kind: "word", value: { kind: "constant", value: name.text } };
  if (!scope.values.has(name.text) && !scope.declarations.has(name.text)) {
    if (words !== undefined) {
      const here = wordElsewhere(name.text, words.list);
      const near = here === undefined ? didYouMean(name.text, words.list) : undefined;
      scope.report({
        code: "unknown-word",
        severity: "error",
        message: `${words.of} is ${oneOf(words.list)}, not ${name.text}`,
        span: name.span,
        ...(here === undefined ? {} : { help: `write ${here}`, edit: { span: name.span, text: here } }),
        ...(near === undefined ? {} : { help: `did you mean ${near}?`, edit: { span: name.span, text: near } }),
      });
      return POISON;
    }
    const row = METHODS.get(name.text);
    if (row !== undefined) return evaluateMethod(row, name.span, [], scope);
  }
  return lookUp(name, scope, mask ? `a glob of tensor names stands in quotes: "*${name.text}*"` : undefined);
}

function evaluateBinary(expression: BinaryExpression, scope: Scope): Result {
  const { operator } = expression;
  const name = hyphenatedName(expression);
  if (name !== undefined && isMeantAsName(name, scope)) {
    // Else its declaration was reported.
    if (!scope.declarations.has(name)) reportHyphen(name, expression.span, scope);
    return POISON;
  }
  const expected = operator === "&" || operator === "|" ? A_MASK : NOTHING;
  const left = evaluate(expression.left, scope, expected);
  const right = evaluate(expression.right, scope, expected);
  return applyBinary(expression, left, right, scope);
}

/** `a-b-c` without a space, as a name would be. */
function hyphenatedName({ operator, operatorSpan, left, right }: BinaryExpression): string | undefined {
  if (operator !== "-" || right.kind !== "name") return undefined;
  if (left.span.end !== operatorSpan.start || operatorSpan.end !== right.span.start) return undefined;
  const first = left.kind === "name" ? left.text : left.kind === "binary" ? hyphenatedName(left) : undefined;
  return first === undefined ? undefined : `${first}-${right.text}`;
}

function isMeantAsName(name: string, { declarations, values }: Scope): boolean {
  const isKnown = (part: string): boolean => declarations.has(part) || values.has(part) || METHODS.has(part);
  return declarations.has(name) || !name.split("-").some(isKnown);
}

function reportHyphen(name: string, span: Span, { declarations, report }: Scope): void {
  const meant = name.replaceAll("-", "_");
  const isThere = declarations.has(meant) || METHODS.has(meant);
  const edit = isThere ? { edit: { span, text: meant } } : {};
  const help = isThere ? `names have no hyphen; write ${meant}` : "names have no hyphen";
  report({ code: "hyphenated-name", severity: "error", message: `\`${name}\` is not a name`, span, help, ...edit });
}
