// Calls: which row of the method table, or which declared strategy, is meant, and what comes out.

import type { Argument, CallExpression } from "../../dsl/ast.ts";
import type { Span } from "../../dsl/source.ts";
import type { Expectation } from "./evaluate.ts";
import { evaluateMatch } from "./evaluate-match.ts";
import { evaluateRamp } from "./evaluate-ramp.ts";
import { evaluateRebase } from "./evaluate-rebase.ts";
import { evaluateSlice, evaluateStack } from "./evaluate-stack.ts";
import { evaluateSelectorCall } from "./evaluate-selector.ts";
import { describeKind, POISON, type Result } from "./kinds.ts";
import { readArguments, type ReadArguments } from "./method-arguments.ts";
import type { MethodRow } from "../methods/method-row.ts";
import { METHODS } from "../methods/method-table.ts";
import { hasOneThreshold } from "./checks/one-threshold.ts";
import { helpForUnknown, lookUp, lookUpMember, type Scope } from "./names.ts";
import { applyStrategy } from "./strategies.ts";
import { wrongKind } from "./wrong-kind.ts";

export function evaluateCall(call: CallExpression, scope: Scope, expected: Expectation): Result {
  const { callee } = call;
  if (callee.kind === "name" && !scope.values.has(callee.text) && !scope.declarations.has(callee.text)) {
    const row = METHODS.get(callee.text);
    if (row !== undefined) return evaluateMethod(row, callee.span, call.arguments, scope, call, expected);
    scope.report({
      code: "unknown-name",
      severity: "error",
      message: `no method is named ${callee.text}`,
      span: callee.span,
      ...helpForUnknown(callee.text, callee.span, methodsAndStrategies(scope), scope),
    });
    return POISON;
  }
  const value = callee.kind === "name" ? lookUp(callee, scope) : lookUpMember(callee.object, callee.member, scope);
  if (value.kind === "poison") return POISON;
  if (value.kind !== "strategy") {
    scope.report(
      wrongKind(`only methods and strategies are called with ( ); this is ${describeKind(value)}`, callee.span),
    );
    return POISON;
  }
  const name = callee.kind === "name" ? callee.text : `${callee.object.text}.${callee.member.text}`;
  const read = readArguments({ name, methods: value.methods, sharedGiven: true }, callee.span, call.arguments, scope);
  if (read === undefined) return POISON;
  if (!requireInputs(name, read, callee.span, scope)) return POISON;
  return applyStrategy(value, read.inputs, read.perInput, call.span, scope);
}

function* methodsAndStrategies({ declarations }: Scope): Generator<string> {
  yield* METHODS.keys();
  for (const [name, { kind }] of declarations) if (kind === "strategy") yield name;
}

function requireInputs(name: string, read: ReadArguments, span: Span, scope: Scope): boolean {
  if (read.inputs.length > 0) return true;
  scope.report({
    code: "missing-inputs",
    severity: "error",
    message: `${name} is a strategy already; called, it needs inputs`,
    span,
    help: `write ${name} without ( )`,
  });
  return false;
}

/** A method of the table with its arguments; a bare name is a call without arguments. `call` is absent for one. */
export function evaluateMethod(
  row: MethodRow,
  calleeSpan: Span,
  args: readonly Argument[],
  scope: Scope,
  call?: CallExpression,
  expected: Expectation = {},
): Result {
  const span = call?.span ?? calleeSpan;
  switch (row.maps) {
    case "function":
      return evaluateFunction(row, calleeSpan, args, scope, span, expected);
    case "selector":
      return evaluateSelectorCall(row, calleeSpan, args, scope, span);
    case "mask": {
      const read = readArguments({ name: row.name, methods: [row], sharedGiven: false }, calleeSpan, args, scope);
      if (isNotServed(row, calleeSpan, scope) || read === undefined) return POISON;
      if (!hasOneThreshold(read.shared, span, scope.report)) return POISON;
      const rescale = read.shared.get("rescale");
      const isRescaling =
        rescale?.kind === "word" && !(rescale.value.kind === "constant" && rescale.value.value === "none");
      return {
        kind: "mask",
        mask: { kind: "constant", value: { kind: "mask-method", method: row.name, shared: read.shared, span } },
        wholeTensors: false,
        rescales: isRescaling,
        nesting: 1,
      };
    }
    case "models":
    case "vectors":
    case "either": {
      const read = readArguments({ name: row.name, methods: [row], sharedGiven: false }, calleeSpan, args, scope);
      if (isNotServed(row, calleeSpan, scope) || read === undefined) return POISON;
      const strategy: Result = {
        kind: "strategy",
        strategy: { kind: "constant", value: { method: row.name, shared: read.shared, span } },
        methods: [row],
        nesting: 1,
      };
      if (read.inputs.length > 0) return applyStrategy(strategy, read.inputs, read.perInput, span, scope);
      const [stray] = read.perInput.keys();
      if (stray === undefined) return strategy;
      scope.report({
        code: "missing-inputs",
        severity: "error",
        message: `${stray} gives one value for each input, and there is no input`,
        span,
        help: `give it in the merge's entries, as a clause: maths ${stray} 0.5`,
      });
      return POISON;
    }
  }
}

function evaluateFunction(
  row: MethodRow,
  calleeSpan: Span,
  args: readonly Argument[],
  scope: Scope,
  span: Span,
  expected: Expectation,
): Result {
  if (isNotServed(row, calleeSpan, scope)) return POISON;
  switch (row.name) {
    case "match":
      return evaluateMatch(args, scope, span, expected);
    case "ramp":
      return evaluateRamp(args, scope, span);
    case "rebase":
      return evaluateRebase(args, scope, span);
    case "slice":
      return evaluateSlice(args, scope, span);
    case "stack":
      return evaluateStack(args, scope, span);
    default:
      throw new Error(`the method table serves ${row.name}, which nothing evaluates`);
  }
}

function isNotServed(row: MethodRow, span: Span, scope: Scope): boolean {
  if (row.notServed === undefined) return false;
  scope.report({
    code: "not-served",
    severity: "error",
    message: `${row.name} is known to theta but not served yet; ${row.notServed}`,
    span,
  });
  return true;
}
