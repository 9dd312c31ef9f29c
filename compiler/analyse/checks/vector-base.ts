// A vector belongs to the base it was taken from. Using it with another one is often a mistake and sometimes the point
// (an analogy), so it is a warning that rebase(v, B) turns off.

import type { Report } from "../../../dsl/diagnostic.ts";
import type { Span } from "../../../dsl/source.ts";
import { isSameBase, modelName, type VectorResult } from "../kinds.ts";
import { ownWords } from "../own-words.ts";
import type { ModelNode } from "../../recipe-graph.ts";

/** `span` is where the vector is used. */
export function checkBase(vector: VectorResult, base: ModelNode, span: Span, report: Report): void {
  if (isSameBase(vector.base, base)) return;
  report({
    code: "other-base",
    severity: "warning",
    message: `this vector was taken from ${modelName(vector.base)} and is used with ${modelName(base)}`,
    span,
    help: `if it is meant, write rebase(${ownWords(span, "vector")}, ${modelName(base)})`,
  });
}

export function checkSameBase(first: VectorResult, other: VectorResult, span: Span, report: Report): void {
  checkBase(other, first.base, span, report);
}
