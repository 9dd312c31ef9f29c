// TIES without trimming is legal and rarely meant.

import type { Report } from "../../../dsl/diagnostic.ts";
import type { Span } from "../../../dsl/source.ts";
import { maskWith } from "../../methods/method-table.ts";
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
  const mask = maskWith("density");
  report({
    code: "ties-without-mask",
    severity: "warning",
    message: "ties without a mask on any input; the TIES of the paper keeps the largest 20 % of each vector",
    span,
    ...(mask !== undefined && { help: `write each mask ${mask} in the merge, or & ${mask} behind each vector` }),
  });
}

const bare = new WeakMap<VectorNode, boolean>();

/** A task vector as it is, at most scaled. What one vector says of another is remembered: they may be a long chain. */
function isBare(node: VectorNode): boolean {
  const passed: VectorNode[] = [];
  let answer: boolean | undefined;
  for (let at = node; answer === undefined; at = operandOf(at) ?? at) {
    passed.push(at);
    answer = bare.get(at) ?? (operandOf(at) === undefined ? isTaskVector(at) : undefined);
  }
  for (const each of passed) bare.set(each, answer);
  return answer;
}

/** What it is but for a factor or its base. */
function operandOf(node: VectorNode): VectorNode | undefined {
  switch (node.kind) {
    case "vector-negate":
    case "vector-multiply":
    case "vector-divide":
      return node.operand;
    case "rebase":
      return node.vector;
    case "masked":
    case "vector-choice":
    case "vector-method":
    case "vector-add":
    case "vector-subtract":
    case "difference":
    case "adapter":
    case "stored-vector":
      return undefined;
  }
}

function isTaskVector({ kind }: VectorNode): boolean {
  return kind === "difference" || kind === "adapter" || kind === "stored-vector";
}
