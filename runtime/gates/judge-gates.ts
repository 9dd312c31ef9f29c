// Whether an output meets its gates, from what was measured. Pure: the same for measurements of this build and of earlier
// ones.

import { isMetBy } from "../../compiler/predicates.ts";
import type { Action, Gate, OutputGraph } from "../../compiler/tensor-graph.ts";
import type { PredicateNode } from "../../compiler/recipe-graph.ts";
import type { Measurements } from "./look-up-measurements.ts";
import { metricValue, type Term } from "./metric-value.ts";

export interface TensorValue {
  readonly tensor: string;
  readonly value: number;
}

export interface GateResult {
  /** As the recipe spells it. */
  readonly output: string;
  readonly predicate: PredicateNode;
  readonly passed: boolean;
  /** Behind `each` that of the worst tensor; see `metricValue`. */
  readonly value: number;
  /** How many tensors the metric is about. */
  readonly tensors: number;
  /** Behind `each`, and of `finite`: how many do not meet it. */
  readonly failing: number;
  /** Of a gate that is not met: those that pull the value to the wrong side, the worst first; behind `each` the failing ones. */
  readonly worst: readonly TensorValue[];
  /** What the metric is about, for the message. */
  readonly terms: readonly Term[];
}

/** Undefined while something that the gate needs is not measured. */
export function judgeGate(graph: OutputGraph, gate: Gate, measured: Measurements): GateResult | undefined {
  const { predicate } = gate;
  const { metric, each } = predicate;
  const terms: Term[] = [];
  for (const action of graph.actions) {
    if (action.work === "bytes" && metric !== "changed") continue;
    const term = termOf(action, gate, measured);
    if (term === undefined) return undefined;
    terms.push(term);
  }
  const values = terms.map((term) => ({ tensor: term.tensor, value: metricValue(metric, [term]) }));
  const failing = values.filter(({ value }) => !holds(predicate, value));
  const whole = each ? undefined : metricValue(metric, terms);
  const passed = whole === undefined ? failing.length === 0 : holds(predicate, whole);
  const isBlamed = ({ value }: TensorValue): boolean => !Number.isNaN(whole) || Number.isNaN(value);
  const blamed = passed ? [] : each || metric === "finite" ? failing : values.filter(isBlamed);
  const worse = (a: TensorValue, b: TensorValue): TensorValue => (rank(predicate, a.value, b.value) <= 0 ? a : b);
  return {
    output: graph.output.display,
    predicate,
    passed,
    value: whole ?? (values.length === 0 ? NaN : values.reduce(worse).value),
    tensors: terms.length,
    failing: failing.length,
    worst: blamed.sort((a, b) => rank(predicate, a.value, b.value)),
    terms,
  };
}

function termOf(action: Action, { operand }: Gate, { alone, pairs }: Measurements): Term | undefined {
  const { tensor, shape } = action;
  const elements = shape.reduce((product, size) => product * size, 1);
  if (operand === undefined) {
    const found = alone.get(action);
    return found && { tensor, elements, alone: found };
  }
  const compared = operand.tensors.get(tensor);
  const pair = compared && pairs.get(compared);
  return pair && { tensor, elements, pair };
}

function holds({ comparison }: PredicateNode, value: number): boolean {
  return comparison === undefined ? value === 0 : isMetBy(comparison, value);
}

/** Worse first: what has no value, then what lies farther on the wrong side. */
function rank({ comparison }: PredicateNode, a: number, b: number): number {
  if (Number.isNaN(a) || Number.isNaN(b)) return Number(Number.isNaN(b)) - Number(Number.isNaN(a));
  return comparison?.operator === ">" || comparison?.operator === ">=" ? a - b : b - a;
}
