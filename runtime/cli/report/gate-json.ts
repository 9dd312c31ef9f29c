// A gate's result in the NDJSON of `build --json`: a line of its own when it is judged, and in the summary.

import { gateText } from "../../gates/gate-messages.ts";
import type { GateResult } from "../../gates/judge-gates.ts";

const MOST_TENSORS = 20;

/** JSON has no number for what is NaN or infinite: null. Behind `each`, `value` is the worst tensor's. */
export function gateJson({ output, predicate, passed, value, tensors, failing, worst }: GateResult): object {
  const { metric, each, comparison } = predicate;
  return {
    output,
    gate: gateText(predicate),
    passed,
    metric,
    each,
    ...(comparison && { operator: comparison.operator, bound: comparison.bound }),
    value: numberOrNull(value),
    tensors,
    failing,
    worst: passed
      ? []
      : worst.slice(0, MOST_TENSORS).map((one) => ({ tensor: one.tensor, value: numberOrNull(one.value) })),
  };
}

function numberOrNull(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}
