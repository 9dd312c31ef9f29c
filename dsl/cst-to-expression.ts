// The expression part of the CST to the AST: precedence, literals, and what only the whole expression shows (operators
// mixed without parentheses, trees too high). See cst-to-ast.ts for the lines around expressions.

import type { IToken } from "chevrotain";
import type { Argument, BinaryOperator, CallExpression, Expression, MemberExpression, Name } from "./ast.ts";
import type { ArgumentCstNode, ArgumentsCstNode, ExpressionCstNode, OperandCstNode } from "./cst-types.ts";
import type { ParenthesizedCstNode, RangeCstNode, ReferenceCstNode } from "./cst-types.ts";
import type { Report } from "./diagnostic.ts";
import { endOf } from "./lexical-pass.ts";
import { MAX_HEIGHT } from "./limits.ts";
import { numberLiteral, sizeLiteral, stringLiteral } from "./literals.ts";
import { shortened } from "./shortened.ts";
import { joinSpans, type Source, type Span } from "./source.ts";

export interface ExpressionContext {
  readonly source: Source;
  readonly report: Report;
}

export function tokenSpan({ source }: ExpressionContext, token: IToken): Span {
  return { source, start: token.startOffset, end: endOf(token) };
}

export function toName(context: ExpressionContext, token: IToken): Name {
  return { kind: "name", span: tokenSpan(context, token), text: token.image };
}

// ------------------------------------------------------------------------------------------------------- operators

/** `*` `/` before `+` `-`, `&` before `|`. Between the two families there is no order; this one only serves recovery. */
const PRECEDENCE: Readonly<Record<BinaryOperator, number>> = { "|": 1, "&": 2, "+": 3, "-": 3, "*": 4, "/": 4 };

/** `depth` counts the levels of the tree above. */
export function toExpression(context: ExpressionContext, node: ExpressionCstNode, depth = 0): Expression {
  const { operand: operands, BinaryOperator: operators = [] } = node.children;
  const below = depth + operators.length + 1;
  if (below > MAX_HEIGHT) {
    const at = operators[0] ?? firstToken(operands[0]!);
    reportTooDeep(context, at);
    return { kind: "boolean", span: tokenSpan(context, at), value: false };
  }
  const values = operands.map((operand) => toOperand(context, operand, below));
  reportMixedOperators(context, operators, values);
  return climb(context, values, operators);
}

function climb(context: ExpressionContext, values: readonly Expression[], operators: readonly IToken[]): Expression {
  const done: Expression[] = [values[0]!];
  const waiting: IToken[] = [];
  const reduce = (): void => {
    const token = waiting.pop()!;
    const right = done.pop()!;
    const left = done.pop()!;
    done.push({
      kind: "binary",
      span: joinSpans(left.span, right.span),
      operator: token.image as BinaryOperator,
      operatorSpan: tokenSpan(context, token),
      left,
      right,
    });
  };
  for (const [at, operator] of operators.entries()) {
    while (waiting.length > 0 && precedence(waiting[waiting.length - 1]!) >= precedence(operator)) reduce();
    waiting.push(operator);
    done.push(values[at + 1]!);
  }
  while (waiting.length > 0) reduce();
  return done[0]!;
}

function precedence(operator: IToken): number {
  return PRECEDENCE[operator.image as BinaryOperator];
}

function isMaskOperator(operator: IToken): boolean {
  return operator.image === "&" || operator.image === "|";
}

function reportMixedOperators(
  context: ExpressionContext,
  operators: readonly IToken[],
  values: readonly Expression[],
): void {
  const at = operators.findIndex((token, i) => i > 0 && isMaskOperator(token) !== isMaskOperator(operators[i - 1]!));
  if (at === -1) return;
  const [first, second] = [operators[at - 1]!, operators[at]!];
  const [a, b, c] = [values[at - 1]!, values[at]!, values[at + 1]!].map((value) => shortText(context, value.span));
  const [left, right] = [first.image, second.image];
  context.report({
    code: "mixed-operators",
    severity: "error",
    message: `\`${left}\` and \`${right}\` have no order between them`,
    span: tokenSpan(context, second),
    help: `write \`(${a} ${left} ${b}) ${right} ${c}\` or \`${a} ${left} (${b} ${right} ${c})\``,
  });
}

function shortText(context: ExpressionContext, span: Span): string {
  const text = context.source.text.slice(span.start, Math.min(span.end, span.start + 200)).replaceAll(/\s+/g, " ");
  return shortened(text, 40);
}

// -------------------------------------------------------------------------------------------------------- operands

function toOperand(context: ExpressionContext, node: OperandCstNode, depth: number): Expression {
  const { PrefixOperator: prefixes = [] } = node.children;
  if (depth + prefixes.length > MAX_HEIGHT) {
    reportTooDeep(context, prefixes[0] ?? firstToken(node));
    return { kind: "boolean", span: tokenSpan(context, firstToken(node)), value: false };
  }
  let value = toPrimary(context, node, depth + prefixes.length);
  for (const prefix of prefixes.toReversed()) {
    const span = joinSpans(tokenSpan(context, prefix), value.span);
    value = { kind: "unary", span, operator: prefix.image as "-" | "!", operand: value };
  }
  return value;
}

function toPrimary(context: ExpressionContext, node: OperandCstNode, depth: number): Expression {
  const { children } = node;
  const { reference, list, parenthesized } = children;
  if (reference) return toReference(context, reference[0]!, depth);
  if (children.NumberLiteral) return numberLiteral(context, children.NumberLiteral[0]!);
  if (children.SizeLiteral) return sizeLiteral(context, children.SizeLiteral[0]!);
  if (children.StringLiteral) return stringLiteral(context, children.StringLiteral[0]!);
  if (list) {
    const { LSquare, RSquare, expression = [] } = list[0]!.children;
    const span = joinSpans(tokenSpan(context, LSquare[0]!), tokenSpan(context, RSquare[0]!));
    return { kind: "list", span, elements: expression.map((element) => toExpression(context, element, depth)) };
  }
  if (parenthesized) return toParenthesized(context, parenthesized[0]!, depth);
  const word = (children.True ?? children.False)![0]!;
  return { kind: "boolean", span: tokenSpan(context, word), value: children.True !== undefined };
}

function toParenthesized(context: ExpressionContext, node: ParenthesizedCstNode, depth: number): Expression {
  const { LParen, RParen, expression } = node.children;
  const span = joinSpans(tokenSpan(context, LParen[0]!), tokenSpan(context, RParen[0]!));
  return { kind: "parenthesized", span, inner: toExpression(context, expression[0]!, depth) };
}

function toReference(
  context: ExpressionContext,
  node: ReferenceCstNode,
  depth: number,
): Name | MemberExpression | CallExpression {
  const object = toName(context, node.children.object[0]!);
  const memberToken = node.children.member?.[0];
  const callee = memberToken ? toMember(object, toName(context, memberToken)) : object;
  const call = node.children.arguments?.[0];
  if (!call) return callee;
  const end = tokenSpan(context, call.children.RParen[0]!);
  return { kind: "call", span: joinSpans(callee.span, end), callee, arguments: toArguments(context, call, depth) };
}

function toMember(object: Name, member: Name): MemberExpression {
  return { kind: "member", span: joinSpans(object.span, member.span), object, member };
}

// ------------------------------------------------------------------------------------------------------- arguments

export function toArguments(context: ExpressionContext, node: ArgumentsCstNode, depth = 0): readonly Argument[] {
  return (node.children.argument ?? []).map((argument) => toArgument(context, argument, depth));
}

function toArgument(context: ExpressionContext, node: ArgumentCstNode, depth: number): Argument {
  const { Else, labelOrValue, value } = node.children;
  if (Else) {
    const span = tokenSpan(context, Else[0]!);
    const given = toRange(context, value![0]!, depth);
    return { kind: "argument", span: joinSpans(span, given.span), label: { kind: "else", span }, value: given };
  }
  const first = toRange(context, labelOrValue![0]!, depth);
  if (!value) return { kind: "argument", span: first.span, value: first };
  const given = toRange(context, value[0]!, depth);
  return { kind: "argument", span: joinSpans(first.span, given.span), label: first, value: given };
}

function toRange(context: ExpressionContext, node: RangeCstNode, depth: number): Expression {
  const { from, DotDot, to } = node.children;
  const start = toExpression(context, from[0]!, depth);
  if (!DotDot) return start;
  const end = to && toExpression(context, to[0]!, depth);
  return {
    kind: "range",
    span: joinSpans(start.span, end?.span ?? tokenSpan(context, DotDot[0]!)),
    from: start,
    ...(end ? { to: end } : {}),
  };
}

// ------------------------------------------------------------------------------------------------------------ depth

function reportTooDeep(context: ExpressionContext, at: IToken): void {
  context.report({
    code: "nested-too-deeply",
    severity: "error",
    message: `this expression is more than ${MAX_HEIGHT} levels deep`,
    span: tokenSpan(context, at),
    help: "every operator and every bracket is a level; a list or a call takes any number of values on one",
  });
}

/** The token an operand begins with. */
function firstToken(node: OperandCstNode): IToken {
  const { children } = node;
  const prefix = children.PrefixOperator?.[0];
  if (prefix) return prefix;
  const { reference, list, parenthesized } = children;
  if (reference) return reference[0]!.children.object[0]!;
  if (list) return list[0]!.children.LSquare[0]!;
  if (parenthesized) return parenthesized[0]!.children.LParen[0]!;
  return (children.NumberLiteral ??
    children.SizeLiteral ??
    children.StringLiteral ??
    children.True ??
    children.False)![0]!;
}
