// TIES without trimming is legal and rarely meant.

import type { Report } from "../../../dsl/diagnostic.ts";
import type { Span } from "../../../dsl/source.ts";
import type { StrategyResult, VectorResult } from "../kinds.ts";
import type { VectorNode } from "../../recipe-graph.ts";

/** `ties` over vectors of which none is masked. */
export function warnOfMissingMask(
  { methods }: StrategyResult,
  vectors: readonly VectorResult[],
  span: Span,
  report: Report,
): void {
  if (!methods.some(({ name }) => name === "ties") || !vectors.every(({ node }) => isBare(node))) return;
  report({
    code: "ties-without-mask",
    severity: "warning",
    message: "ties without a mask on any input; the TIES of the paper keeps the largest 20 % of each vector",
    span,
    help: "write each mask magnitude(density: 0.2) in the merge, or & magnitude(density: 0.2) behind each vector",
  });
}

/** A task vector as it is, at most scaled. */
function isBare(node: VectorNode): boolean {
  for (let at = node; ;) {
    switch (at.kind) {
      case "vector-negate":
      case "vector-multiply":
      case "vector-divide":
        at = at.operand;
        break;
      case "rebase":
        at = at.vector;
        break;
      case "masked":
      case "vector-choice":
      case "vector-method":
      case "vector-add":
      case "vector-subtract":
        return false;
      case "difference":
      case "adapter":
      case "stored-vector":
        return true;
    }
  }
}
