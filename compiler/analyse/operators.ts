// What the operators mean, by the kinds of their operands; everything else is refused with what was probably meant.

import type { BinaryExpression, UnaryExpression } from "../../dsl/ast.ts";
import { checkBase, checkSameBase } from "./checks/vector-base.ts";
import { type ModelResult, POISON, type Result, describeKind, type VectorResult } from "./kinds.ts";
import { applyMask, combineMasks, negateMask } from "./masks.ts";
import { baseName, type Scope } from "./names.ts";
import { numberArithmetic } from "./numbers.ts";
import { ownWords } from "./own-words.ts";
import type { NumberValue } from "../recipe-graph.ts";
import { wrongKind } from "./wrong-kind.ts";

export function applyUnary(expression: UnaryExpression, operand: Result, scope: Scope): Result {
  const { operator, span } = expression;
  if (operand.kind === "poison") return POISON;
  if (operator === "!") {
    if (operand.kind === "mask") return negateMask(operand, span, scope.report);
    scope.report(wrongKind(`! turns a mask around; this is ${describeKind(operand)}`, span));
    return POISON;
  }
  if (operand.kind === "number") {
    const { value } = operand;
    if (value.kind === "constant") return { kind: "number", value: { kind: "constant", value: -value.value, span } };
    return { kind: "number", value: { kind: "negate", operand: value } };
  }
  if (operand.kind === "vector") {
    return { kind: "vector", node: { kind: "vector-negate", operand: operand.node, span }, base: operand.base };
  }
  const base = baseName(scope);
  const help =
    operand.kind === "model"
      ? `to subtract what it changed: ${base} - (${ownWords(expression.operand.span, "model")} - ${base})`
      : undefined;
  scope.report(wrongKind(`- takes a number or a vector, not ${describeKind(operand)}`, span, help));
  return POISON;
}

export function applyBinary(expression: BinaryExpression, left: Result, right: Result, scope: Scope): Result {
  if (left.kind === "poison" || right.kind === "poison" || isMixed(expression)) return POISON;
  switch (expression.operator) {
    case "+":
    case "-":
      return addOrSubtract(expression, expression.operator, left, right, scope);
    case "*":
    case "/":
      return multiplyOrDivide(expression, expression.operator, left, right, scope);
    case "&":
    case "|":
      return joinMasks(expression, expression.operator, left, right, scope);
  }
}

/** Arithmetic and mask operators side by side, which the parser has reported. */
function isMixed({ operator, left, right }: BinaryExpression): boolean {
  const isMask = isMaskOperator(operator);
  return [left, right].some((side) => side.kind === "binary" && isMaskOperator(side.operator) !== isMask);
}

function isMaskOperator(operator: BinaryExpression["operator"]): boolean {
  return operator === "&" || operator === "|";
}

function addOrSubtract(
  expression: BinaryExpression,
  operator: "+" | "-",
  left: Result,
  right: Result,
  scope: Scope,
): Result {
  const { span } = expression;
  if (left.kind === "number" && right.kind === "number") {
    return numberArithmetic(operator, left.value, right.value, span, scope.report);
  }
  if (left.kind === "model" && right.kind === "vector") return ontoModel(expression, operator, left, right, scope);
  if (left.kind === "vector" && right.kind === "vector") {
    checkSameBase(left, right, expression.right.span, scope.report);
    const kind = operator === "+" ? "vector-add" : "vector-subtract";
    return { kind: "vector", node: { kind, left: left.node, right: right.node, span }, base: left.base };
  }
  const first = ownWords(expression.left.span, "the left side");
  const second = ownWords(expression.right.span, "the right side");
  const base = baseName(scope);
  if (left.kind === "model" && right.kind === "model") {
    if (operator === "-") {
      return {
        kind: "vector",
        node: { kind: "difference", model: left.node, base: right.node, span },
        base: right.node,
      };
    }
    scope.report({
      code: "model-plus-model",
      severity: "error",
      message: "two models cannot be added",
      span,
      help: `write linear(${first}, ${second}) for their mean, or ${first} + (${second} - ${base}) to add what ${second} changed`,
    });
    return POISON;
  }
  if (left.kind === "vector" && right.kind === "model") {
    const help =
      operator === "+"
        ? `write ${second} + ${first}`
        : `write ${second} - ${first}, or ${first} - (${second} - ${base})`;
    scope.report(
      wrongKind(`a model cannot be ${operator === "+" ? "added to" : "subtracted from"} a vector`, span, help),
    );
    return POISON;
  }
  refuse(expression, left, right, "numbers, vectors, or a model and a vector", scope);
  return POISON;
}

function ontoModel(
  expression: BinaryExpression,
  operator: "+" | "-",
  model: ModelResult,
  vector: VectorResult,
  scope: Scope,
): Result {
  checkBase(vector, model.node, expression.right.span, scope.report);
  const node =
    operator === "+"
      ? vector.node
      : ({ kind: "vector-negate", operand: vector.node, span: expression.right.span } as const);
  return { kind: "model", node: { kind: "onto", base: model.node, vector: node, span: expression.span } };
}

function multiplyOrDivide(
  expression: BinaryExpression,
  operator: "*" | "/",
  left: Result,
  right: Result,
  scope: Scope,
): Result {
  const { span } = expression;
  if (left.kind === "number" && right.kind === "number") {
    return numberArithmetic(operator, left.value, right.value, span, scope.report);
  }
  if (operator === "*" && left.kind === "number" && right.kind === "vector") {
    return scaled(right, "vector-multiply", left.value, expression);
  }
  if (left.kind === "vector" && right.kind === "number") {
    if (operator === "*") return scaled(left, "vector-multiply", right.value, expression);
    if (right.value.kind === "constant" && right.value.value === 0) {
      scope.report({
        code: "division-by-zero",
        severity: "error",
        message: "division by zero",
        span: expression.right.span,
      });
      return POISON;
    }
    return scaled(left, "vector-divide", right.value, expression);
  }
  const isModelTimesNumber =
    (left.kind === "model" && right.kind === "number") || (left.kind === "number" && right.kind === "model");
  if (isModelTimesNumber) {
    const model = ownWords((left.kind === "model" ? expression.left : expression.right).span, "model");
    const number = ownWords((left.kind === "model" ? expression.right : expression.left).span, "factor");
    const base = baseName(scope);
    scope.report({
      code: "number-times-model",
      severity: "error",
      message: `a model cannot be ${operator === "*" ? "multiplied" : "divided"} by a number`,
      span,
      help:
        operator === "*"
          ? `to scale what it changed: ${base} + ${number} * (${model} - ${base}); to scale every tensor: scale(${model}, by: ${number})`
          : `to scale what it changed: ${base} + (${model} - ${base}) / ${number}`,
    });
    return POISON;
  }
  refuse(
    expression,
    left,
    right,
    operator === "*" ? "numbers, or a number and a vector" : "numbers, or a vector and a number",
    scope,
  );
  return POISON;
}

function scaled(
  operand: VectorResult,
  kind: "vector-multiply" | "vector-divide",
  factor: NumberValue,
  { span }: BinaryExpression,
): VectorResult {
  return { kind: "vector", node: { kind, operand: operand.node, factor, span }, base: operand.base };
}

function joinMasks(
  expression: BinaryExpression,
  operator: "&" | "|",
  left: Result,
  right: Result,
  scope: Scope,
): Result {
  const { span } = expression;
  if (left.kind === "mask" && right.kind === "mask") return combineMasks(operator, left, right, span, scope.report);
  const first = ownWords(expression.left.span, "vector");
  const second = ownWords(expression.right.span, "mask");
  const base = baseName(scope);
  if (left.kind === "vector" && right.kind === "mask") {
    if (operator === "&") return applyMask(left, right, 0, span);
    scope.report(wrongKind("a mask is applied with &; | joins masks", span, `write ${first} & (… | ${second})`));
    return POISON;
  }
  const isModel = left.kind === "model" || left.kind === "models";
  if (isModel && right.kind === "mask") {
    scope.report({
      code: "mask-on-model",
      severity: "error",
      message: "a mask chooses elements of a vector; this is a model",
      span,
      help: `mask what it changed: (${first} - ${base}) & ${second}`,
    });
    return POISON;
  }
  if (left.kind === "mask" && (right.kind === "vector" || right.kind === "model")) {
    const what = right.kind === "vector" ? second : `(${second} - ${base})`;
    const code = right.kind === "vector" ? "wrong-kind" : "mask-on-model";
    scope.report({
      code,
      severity: "error",
      message: "the vector stands before its mask",
      span,
      help: `write ${what} & ${first}`,
    });
    return POISON;
  }
  refuse(expression, left, right, operator === "&" ? "masks, or a vector and a mask" : "masks", scope);
  return POISON;
}

function refuse(expression: BinaryExpression, left: Result, right: Result, takes: string, scope: Scope): void {
  const { operator, span } = expression;
  const list = left.kind === "models" || right.kind === "models";
  scope.report(
    wrongKind(
      `${operator} takes ${takes}, not ${describeKind(left)} and ${describeKind(right)}`,
      span,
      list ? "a list stands only as an entry of a merge or among a call's inputs" : undefined,
    ),
  );
}
