// Strategies applied to inputs: the one place where a call (`ties(v, w)`) and a merge block become nodes, so that the
// two forms mean the same.

import { counted } from "../../dsl/counted.ts";
import type { Report } from "../../dsl/diagnostic.ts";
import type { Span } from "../../dsl/source.ts";
import { warnOfEqualRandomMasks } from "./checks/equal-random-masks.ts";
import { warnOfMissingMask } from "./checks/missing-mask.ts";
import { warnOfNeverEnough } from "./checks/never-enough.ts";
import { checkSameBase } from "./checks/vector-base.ts";
import {
  describeKind,
  type ModelResult,
  POISON,
  type Result,
  type StrategyResult,
  type VectorResult,
} from "./kinds.ts";
import type { Input, PerInputValues } from "./method-arguments.ts";
import type { MethodRow } from "../methods/method-row.ts";
import { METHODS, perInputParameters } from "../methods/method-table.ts";
import { baseName, type Scope } from "./names.ts";
import { ownWords } from "./own-words.ts";
import type { ModelNode, NumberValue, StrategyValue, Varying } from "../recipe-graph.ts";
import { stackHelp } from "./wrong-kind.ts";

/** Inputs that are lists stand for their members. */
function expandLists(inputs: readonly Input[]): Input[] {
  return inputs.flatMap(({ value, span }) =>
    value.kind === "models"
      ? value.nodes.map((node) => ({ value: { kind: "model", node } as const, span }))
      : [{ value, span }],
  );
}

/** A Vector or a Model, or poison. */
export function applyStrategy(
  strategy: StrategyResult,
  unexpanded: readonly Input[],
  given: ReadonlyMap<string, PerInputValues>,
  span: Span,
  scope: Scope,
): Result {
  const { report } = scope;
  const inputs = expandLists(unexpanded);
  if (inputs.some(({ value }) => value.kind === "poison")) return POISON;
  const row = strategy.methods[0]!;
  const isOverVectors = row.maps === "vectors" || (row.maps === "either" && inputs[0]?.value.kind === "vector");
  const models: ModelResult[] = [];
  const vectors: VectorResult[] = [];
  for (const { value, span: inputSpan } of inputs) {
    if (isOverVectors && value.kind === "vector") vectors.push(value);
    else if (!isOverVectors && value.kind === "model") models.push(value);
    else reportWrongInput(row, isOverVectors, value, inputSpan, scope);
  }
  const perInput = perInputValues(strategy, inputs.length, given, report);
  const isSound =
    vectors.length + models.length === inputs.length && isCountRight(strategy, inputs.length, span, report);
  if (!isSound || perInput === undefined) return POISON;
  if (!isOverVectors) {
    const nodes = models.map(({ node }) => node);
    return { kind: "model", node: modelMethod(strategy.strategy, nodes, perInput, span) };
  }
  const [first, ...others] = vectors;
  others.forEach((other, index) => checkSameBase(first!, other, inputs[index + 1]!.span, report));
  warnOfMissingMask(strategy, vectors, span, report);
  warnOfNeverEnough(strategy, vectors.length, report);
  warnOfEqualRandomMasks(vectors, report);
  return {
    kind: "vector",
    node: {
      kind: "vector-method",
      inputs: vectors.map(({ node }) => node),
      strategy: strategy.strategy,
      perInput,
      span,
    },
    base: first!.base,
  };
}

function reportWrongInput(row: MethodRow, isOverVectors: boolean, value: Result, span: Span, scope: Scope): void {
  const help = helpWithInput(row, isOverVectors, value, span, baseName(scope));
  scope.report({
    code: "wrong-kind",
    severity: "error",
    message: `${row.name} merges ${isOverVectors ? "vectors" : "models"}; this is ${describeKind(value)}`,
    span,
    ...(help === undefined ? {} : { help }),
  });
}

function helpWithInput(
  { name }: MethodRow,
  isOverVectors: boolean,
  value: Result,
  span: Span,
  base: string,
): string | undefined {
  const shown = ownWords(span, value.kind);
  if (isOverVectors && value.kind === "model") {
    const onto = `onto ${base} using ${name}`;
    if (value.node.kind === "checkpoint" && value.node.name === base) {
      return `a base is named once, and no input: ${onto}`;
    }
    return `write ${shown} - ${base}, or name the base of the merge: ${onto}`;
  }
  return !isOverVectors && value.kind === "vector" ? `write ${base} + ${shown}` : stackHelp(value, span);
}

const COUNTS = ["no inputs", "one input", "two inputs", "three inputs"];

function isCountRight({ methods }: StrategyResult, count: number, span: Span, report: Report): boolean {
  for (const { name, inputs } of methods) {
    if (inputs === undefined || (count >= inputs.min && count <= (inputs.max ?? count))) continue;
    const range = inputs.max === inputs.min ? "" : "at least ";
    report({
      code: "input-count",
      severity: "error",
      message: `${name} takes ${range}${COUNTS[inputs.min] ?? `${inputs.min} inputs`}, not ${count}`,
      span,
    });
    return false;
  }
  return true;
}

/** Every per-input parameter, one value an input; the default where none is given. */
function perInputValues(
  { methods }: StrategyResult,
  count: number,
  given: ReadonlyMap<string, PerInputValues>,
  report: Report,
): ReadonlyMap<string, readonly NumberValue[]> | undefined {
  const values = new Map<string, readonly NumberValue[]>();
  let isSound = true;
  for (const parameter of methods.flatMap(perInputParameters)) {
    const list: PerInputValues = given.get(parameter.name) ?? {
      kind: "every",
      value: { kind: "constant", value: parameter.default },
    };
    if (list.kind === "every") {
      values.set(parameter.name, new Array<NumberValue>(count).fill(list.value));
    } else if (list.values.length === count) {
      values.set(parameter.name, list.values);
    } else {
      isSound = false;
      report({
        code: "list-length",
        severity: "error",
        message: `${parameter.name} has ${counted(list.values.length, "value")} for ${counted(count, "input")}`,
        span: list.span,
      });
    }
  }
  return isSound ? values : undefined;
}

/** The strategy under the name it is declared by; one that has a name already keeps it. */
export function nameStrategy(result: StrategyResult, name: string): StrategyResult {
  const { strategy } = result;
  if (strategy.kind === "match") {
    return strategy.name === undefined ? { ...result, strategy: { ...strategy, name } } : result;
  }
  if (strategy.value.name !== undefined) return result;
  return { ...result, strategy: { kind: "constant", value: { ...strategy.value, name } } };
}

/** A strategy that differs by tensor chooses between models. One that it names twice becomes one node. */
function modelMethod(
  strategy: Varying<StrategyValue>,
  inputs: readonly ModelNode[],
  perInput: ReadonlyMap<string, readonly NumberValue[]>,
  span: Span,
): ModelNode {
  const made = new Map<Varying<StrategyValue>, ModelNode>();
  const nodeFor = (part: Varying<StrategyValue>): ModelNode => {
    let node = made.get(part);
    if (node === undefined) made.set(part, (node = newNode(part)));
    return node;
  };
  const newNode = (part: Varying<StrategyValue>): ModelNode => {
    if (part.kind === "constant") {
      const { method, shared } = part.value;
      const known = new Set(perInputParameters(METHODS.get(method)!).map(({ name }) => name));
      const own = new Map([...perInput].filter(([name]) => known.has(name)));
      return { kind: "model-method", method, inputs, parameters: { shared, perInput: own }, span };
    }
    return {
      kind: "model-choice",
      arms: part.arms.map(({ selector, value }) => ({ selector, value: nodeFor(value) })),
      ...(part.otherwise === undefined ? {} : { otherwise: nodeFor(part.otherwise) }),
      span,
    };
  };
  return nodeFor(strategy);
}
