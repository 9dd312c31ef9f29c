// `rebase(v, B)`: says that a vector is meant to be used with another base.

import type { Argument } from "../../dsl/ast.ts";
import type { Span } from "../../dsl/source.ts";
import { evaluate } from "./evaluate.ts";
import { POISON, type Result } from "./kinds.ts";
import type { Scope } from "./names.ts";
import { takesInstead } from "./wrong-kind.ts";

export function evaluateRebase(args: readonly Argument[], scope: Scope, span: Span): Result {
  const [first, second] = args;
  if (
    args.length !== 2 ||
    first === undefined ||
    second === undefined ||
    args.some(({ label }) => label !== undefined)
  ) {
    scope.report({
      code: "input-count",
      severity: "error",
      message: "rebase takes a vector and a base",
      span,
      help: "write rebase(vector, base)",
    });
    return POISON;
  }
  const vector = evaluate(first.value, scope);
  const base = evaluate(second.value, scope);
  if (vector.kind !== "poison" && vector.kind !== "vector") {
    scope.report(takesInstead("rebase", "a vector first", vector, first.value.span));
  }
  if (base.kind !== "poison" && base.kind !== "model") {
    scope.report(takesInstead("rebase", "a model second", base, second.value.span));
  }
  if (vector.kind !== "vector" || base.kind !== "model") return POISON;
  return {
    kind: "vector",
    node: { kind: "rebase", vector: vector.node, base: base.node, span },
    base: base.node,
  };
}
