// Which declared names a statement mentions, found in its text alone: the order of evaluation, cycles and unused
// declarations come from here. Words of closed lists (`per: model`, `dtype bf16`) are not names.

import type { Argument, Clause, Expression, Name, Setting, Statement } from "../../dsl/ast.ts";
import type { DeclaringStatement } from "./names.ts";
import { METHODS, parameterOf } from "../methods/method-table.ts";
import { DTYPE_WORDS } from "../settings.ts";

type Declarations = ReadonlyMap<string, DeclaringStatement>;

/** Names of `declarations` that `statement` mentions, in the order of the text; a name may come more than once. */
export function referencesOf(statement: Statement, declarations: Declarations): Name[] {
  const found: Name[] = [];
  const walk = (expression: Expression | undefined, words: readonly string[] = []) => {
    if (expression !== undefined) collect(expression, words, declarations, found);
  };
  const walkClauses = (clauses: readonly Clause[]) => {
    for (const clause of clauses) walk(clause.value);
  };
  const walkSettings = (settings: readonly Setting[]) => {
    for (const { name, value } of settings) {
      // Every other setting takes words only.
      if (name.text === "dtype") walk(value, DTYPE_WORDS);
      else if (["tokenizer", "config", "shard"].includes(name.text)) walk(value);
    }
  };
  switch (statement.kind) {
    case "import":
      collectArguments(statement.arguments, undefined, DTYPE_WORDS, declarations, found);
      break;
    case "param":
      for (const argument of statement.typeArguments) if (argument.label !== undefined) walk(argument.value);
      walk(statement.default, statement.type.text === "dtype" ? DTYPE_WORDS : []);
      break;
    case "model":
    case "models":
      walk(statement.source);
      break;
    case "adapter":
      walk(statement.source);
      walk(statement.on);
      break;
    case "vector":
      walk(statement.value);
      walk(statement.on);
      break;
    case "mask":
    case "strategy":
      walk(statement.value);
      break;
    case "merge": {
      const { body } = statement;
      if (body.kind === "merge-expression") {
        walk(body.value);
        break;
      }
      walk(body.onto);
      walk(body.using);
      for (const item of body.items) {
        if (item.kind === "at") {
          item.selectors.forEach((selector) => walk(selector));
          if (item.body.kind === "keep") walk(item.body.value);
          else for (const entry of item.body.entries) walkClauses(entry.clauses);
          continue;
        }
        if (item.kind === "entry") walk(item.value);
        walkClauses(item.clauses);
      }
      break;
    }
    case "expect":
      walk(statement.target);
      for (const { metric, comparison } of statement.predicates) {
        if (metric.kind === "call") collectArguments(metric.arguments, undefined, [], declarations, found);
        walk(comparison?.bound);
      }
      break;
    case "output":
      walk(statement.path);
      walk(statement.value);
      walkSettings(statement.settings);
      break;
  }
  return found;
}

/** Names that an expression from outside the recipe's text (`-p K=V`) mentions. */
export function referencesIn(expression: Expression, words: readonly string[], declarations: Declarations): Name[] {
  const found: Name[] = [];
  collect(expression, words, declarations, found);
  return found;
}

function collect(expression: Expression, words: readonly string[], declarations: Declarations, found: Name[]): void {
  switch (expression.kind) {
    case "name":
      if (!words.includes(expression.text) && declarations.has(expression.text)) found.push(expression);
      break;
    case "member":
      if (declarations.has(expression.object.text)) found.push(expression.object);
      break;
    case "number":
    case "size":
    case "string":
    case "boolean":
      break;
    case "list":
      for (const element of expression.elements) collect(element, words, declarations, found);
      break;
    case "range":
      collect(expression.from, [], declarations, found);
      if (expression.to !== undefined) collect(expression.to, [], declarations, found);
      break;
    case "call": {
      const { callee } = expression;
      collect(callee, [], declarations, found);
      const method = callee.kind === "name" && !declarations.has(callee.text) ? callee.text : undefined;
      collectArguments(expression.arguments, method, words, declarations, found);
      break;
    }
    case "unary":
      collect(expression.operand, [], declarations, found);
      break;
    case "binary":
      collect(expression.left, [], declarations, found);
      collect(expression.right, [], declarations, found);
      break;
    case "parenthesized":
      collect(expression.inner, words, declarations, found);
      break;
  }
}

function collectArguments(
  args: readonly Argument[],
  method: string | undefined,
  words: readonly string[],
  declarations: Declarations,
  found: Name[],
): void {
  const row = method === undefined ? undefined : METHODS.get(method);
  for (const { label, value } of args) {
    if (method === "match") {
      if (label !== undefined && label.kind !== "else") collect(label, [], declarations, found);
      collect(value, words, declarations, found);
      continue;
    }
    const parameter = row !== undefined && label?.kind === "name" ? parameterOf(row, label.text) : undefined;
    const expected = parameter?.kind === "word" ? parameter.words : row === undefined ? words : [];
    collect(value, expected, declarations, found);
  }
}
