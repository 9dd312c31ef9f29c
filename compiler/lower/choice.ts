// A choice between models or vectors (`keep`, `match`), resolved for one tensor.

import type { Span } from "../../dsl/source.ts";
import type { Naming } from "../naming.ts";
import { reportNoValue, reportTiedNames } from "./parameters.ts";
import { candidates, isValue, type Found, type TensorScope } from "./scope.ts";
import type { MatchArm } from "../recipe-graph.ts";

interface Choice<T> {
  readonly arms: readonly MatchArm<T>[];
  readonly otherwise?: T;
  readonly span: Span;
}

/** Arms that a tied tensor meets by different names must come to the same program. */
export function lowerChoice<T, F extends Found>(
  choice: Choice<T>,
  naming: Naming,
  scope: TensorScope,
  lower: (candidate: T) => F,
): F | "skip" {
  const [first, ...others] = candidates(choice, naming, scope.names).map(lower);
  if (first === undefined) {
    reportNoValue(choice, choice.span, scope);
    return "skip";
  }
  if (others.some((other) => !isSame(first, other))) {
    reportTiedNames(choice, choice.span, "", scope);
    return "skip";
  }
  return first;
}

function isSame(left: Found, right: Found): boolean {
  return isValue(left) && isValue(right) ? left.id === right.id : left === right;
}
