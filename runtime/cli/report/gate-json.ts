// Gates in JSON. In the NDJSON of `build --json` each has a line of its own when it is judged, and stands in the summary.

import { predicateText } from "../../../compiler/predicates.ts";
import type { PredicateNode } from "../../../compiler/recipe-graph.ts";
import type { PlannedGate } from "../../gates/plan-gates.ts";
import type { GateResult } from "../../gates/judge-gates.ts";

const MOST_TENSORS = 20;

/** JSON has no number for what is NaN or infinite: null. Behind `each`, `value` is the worst tensor's. */
export function gateJson({ output, predicate, passed, value, tensors, failing, worst }: GateResult): object {
  return {
    output,
    ...predicateJson(predicate),
    passed,
    value: numberOrNull(value),
    tensors,
    failing,
    worst: passed
      ? []
      : worst.slice(0, MOST_TENSORS).map((one) => ({ tensor: one.tensor, value: numberOrNull(one.value) })),
  };
}

/** `value` is absent while it is not measured. */
export function plannedGateJson({ predicate, state, value }: PlannedGate): object {
  return { ...predicateJson(predicate), state, ...(value !== undefined && { value: numberOrNull(value) }) };
}

function predicateJson(predicate: PredicateNode): object {
  const { metric, each, comparison } = predicate;
  return {
    gate: predicateText(predicate),
    metric,
    each,
    ...(comparison && { operator: comparison.operator, bound: comparison.bound }),
  };
}

function numberOrNull(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}
