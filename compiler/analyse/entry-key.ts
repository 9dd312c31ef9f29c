// What tells the entries of a merge apart: an `at` block speaks of an entry by writing it again. Knows nothing of what it means.

import type { Argument, Expression } from "../../dsl/ast.ts";

/** The expression without layout, comments and parentheses that change nothing: two lines with one key are the same entry. */
export function keyOf(expression: Expression): string {
  switch (expression.kind) {
    case "parenthesized":
      return keyOf(expression.inner);
    case "name":
      return expression.text;
    case "member":
      return `${expression.object.text}.${expression.member.text}`;
    case "unary":
      return `${expression.operator}(${keyOf(expression.operand)})`;
    case "binary":
      return `(${keyOf(expression.left)})${expression.operator}(${keyOf(expression.right)})`;
    case "number":
    case "boolean":
      return String(expression.value);
    case "size":
      return `${expression.bytes}B`;
    case "string":
      return JSON.stringify(expression.value);
    case "list":
      return `[${expression.elements.map(keyOf).join(", ")}]`;
    case "range":
      return `${keyOf(expression.from)}..${expression.to === undefined ? "" : keyOf(expression.to)}`;
    case "call":
      return `${keyOf(expression.callee)}(${expression.arguments.map(keyOfArgument).join(", ")})`;
  }
}

function keyOfArgument({ label, value }: Argument): string {
  if (label === undefined) return keyOf(value);
  return `${label.kind === "else" ? "else" : keyOf(label)}: ${keyOf(value)}`;
}
