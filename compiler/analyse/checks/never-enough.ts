// An element that more inputs must want than the merge has is dropped everywhere: legal, and the output is the base.

import type { Report } from "../../../dsl/diagnostic.ts";
import { strategiesIn } from "../../graph-walk.ts";
import type { StrategyResult } from "../kinds.ts";

/** `consensus` over fewer vectors than its `at_least`. */
export function warnOfNeverEnough({ strategy }: StrategyResult, inputs: number, report: Report): void {
  for (const { method, shared, span } of strategiesIn(strategy)) {
    const atLeast = method === "consensus" ? shared.get("at_least") : undefined;
    if (atLeast?.kind !== "number" || atLeast.value.kind !== "constant" || atLeast.value.value <= inputs) continue;
    report({
      code: "never-enough",
      severity: "warning",
      message: `consensus keeps what at least ${atLeast.value.value} inputs want, and there ${inputs === 1 ? "is one" : `are ${inputs}`}, so nothing changes`,
      span,
      help: inputs === 1 ? "write at_least: 1, or merge more" : `write at_least: ${inputs} or less, or merge more`,
    });
  }
}
