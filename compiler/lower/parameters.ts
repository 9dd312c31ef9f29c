// Parameters of a method, resolved for one tensor. A problem is reported and the answer is undefined.

import type { Span } from "../../dsl/source.ts";
import { candidates, type TensorScope } from "./scope.ts";
import { describeRange, isInRange, rangeCode } from "../methods/method-row.ts";
import { METHODS, parameterOf } from "../methods/method-table.ts";
import { resolveNumber, spanOf, type NumberProblem } from "./number-values.ts";
import type { ModelNode, NumberValue, ParameterValue, Varying, VectorNode } from "../recipe-graph.ts";

type Node = ModelNode | VectorNode;
type Shared = ReadonlyMap<string, ParameterValue>;

/** `node` is whose model the value varies over. */
export function lowerNumber(value: NumberValue, node: Node, scope: TensorScope): number | undefined {
  const resolved = resolveNumber(value, scope.headers.naming(node), scope.names);
  if (typeof resolved === "number") {
    notePlace(resolved, spanOf(value) ?? node.span, scope);
    return resolved;
  }
  reportNumber(resolved, node, scope);
  return undefined;
}

/** Remembers where a number is said, should it be one that the work type cannot hold. */
export function notePlace(value: number, span: Span, scope: TensorScope): void {
  if (isUnusual(value)) scope.unusual.set(value, span);
}

/** Infinite or 0 in float32, though it is neither. */
function isUnusual(value: number): boolean {
  const rounded = Math.fround(value);
  return !Number.isFinite(rounded) || (rounded === 0 && value !== 0);
}

export function numberParameter(
  method: string,
  shared: Shared,
  name: string,
  node: Node,
  scope: TensorScope,
): number | undefined {
  const parameter = shared.get(name);
  if (parameter?.kind !== "number") throw new Error(`${method} was given no number ${name}`);
  const value = lowerNumber(parameter.value, node, scope);
  const row = METHODS.get(method);
  const declared = row === undefined ? undefined : parameterOf(row, name);
  if (value === undefined || (declared?.kind !== "number" && declared?.kind !== "integer")) return value;
  if (isInRange(declared.range, value)) return value;
  scope.problems.add(rangeCode(name), parameter, () => ({
    message: `${name} must be ${describeRange(declared.range)}, not ${value}, which it is for ${scope.names[0]}`,
    span: spanOf(parameter.value) ?? node.span,
    notes: [{ message: declared.meaning }],
  }));
  return undefined;
}

/** The value of an integer that has one; it is constant. */
export function integerParameter(method: string, shared: Shared, name: string): bigint {
  const value = optionalInteger(shared, name);
  if (value === undefined) throw new Error(`${method} was given no integer ${name}`);
  return BigInt(value);
}

/** The value of an integer that may be left out; it is constant. */
export function optionalInteger(shared: Shared, name: string): number | undefined {
  const parameter = shared.get(name);
  return parameter?.kind === "number" && parameter.value.kind === "constant" ? parameter.value.value : undefined;
}

export function wordParameter(
  method: string,
  shared: Shared,
  name: string,
  node: Node,
  scope: TensorScope,
): string | undefined {
  const parameter = shared.get(name);
  if (parameter?.kind !== "word") throw new Error(`${method} was given no word ${name}`);
  return lowerWord(parameter.value, node, scope);
}

export function booleanParameter(
  method: string,
  shared: Shared,
  name: string,
  node: Node,
  scope: TensorScope,
): boolean | undefined {
  const parameter = shared.get(name);
  if (parameter?.kind !== "boolean") throw new Error(`${method} was given no boolean ${name}`);
  return lowerWord(parameter.value, node, scope);
}

/** Words and booleans: compared by value when a tied tensor meets several. */
export function lowerWord<T extends string | boolean>(
  value: Varying<T>,
  node: Node,
  scope: TensorScope,
): T | undefined {
  if (value.kind === "constant") return value.value;
  const values: T[] = [];
  for (const candidate of candidates(value, scope.headers.naming(node), scope.names)) {
    const resolved = lowerWord(candidate, node, scope);
    if (resolved === undefined) return undefined;
    values.push(resolved);
  }
  const [first] = values;
  if (first === undefined) {
    reportNoValue(value, value.span, scope);
    return undefined;
  }
  const other = values.find((one) => one !== first);
  if (other === undefined) return first;
  reportTiedNames(value, value.span, `${first} and ${other}`, scope);
  return undefined;
}

export function reportNoValue(about: object, span: Span, scope: TensorScope): void {
  scope.problems.add("match-incomplete", about, () => ({
    message: `match leaves ${scope.names[0]} without a value`,
    span,
    help: "add an else",
  }));
}

/** `values` says what the names ask for; empty when that takes no few words. */
export function reportTiedNames(about: object, span: Span, values: string, scope: TensorScope): void {
  scope.problems.add("tied-names-differ", about, () => ({
    message: `${scope.names.join(" and ")} are one tensor but are given different values${values === "" ? "" : `, ${values}`}`,
    span,
    help: "let one selector take all of its names",
  }));
}

function reportNumber(problem: NumberProblem, node: Node, scope: TensorScope): void {
  switch (problem.kind) {
    case "no-value":
      reportNoValue(problem.span, problem.span, scope);
      break;
    case "tied-names":
      reportTiedNames(problem.span, problem.span, problem.values.join(" and "), scope);
      break;
    case "not-finite":
      scope.problems.add("number-not-finite", problem.span ?? node, () => ({
        message: `this number is not finite for ${scope.names[0]}`,
        span: problem.span ?? node.span,
        help: "keep divisors away from 0",
      }));
      break;
  }
}
