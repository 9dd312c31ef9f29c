// A mask `per: model` is one for all tensors, so nothing that it is found by may vary over them.

import type { Report } from "../../../dsl/diagnostic.ts";
import type { Span } from "../../../dsl/source.ts";
import { wordsIn } from "../parameter-values.ts";
import type { ParameterValue } from "../../recipe-graph.ts";

/** False when something varies, which was reported. `span` is the mask's. */
export function hasOneThreshold(shared: ReadonlyMap<string, ParameterValue>, span: Span, report: Report): boolean {
  const per = shared.get("per");
  if (per?.kind !== "word" || !wordsIn(per.value).includes("model")) return true;
  const varying = ["density", "drop_top", "epsilon", "at_least_one"].filter((name) => {
    const parameter = shared.get(name);
    return parameter !== undefined && parameter.kind !== "vector" && parameter.value.kind !== "constant";
  });
  for (const name of varying) {
    report({
      code: "must-be-constant",
      severity: "error",
      message: `${name} must be the same for every tensor under per: model; this varies`,
      span,
      help: "the tensors of the vector are masked as one; use per: tensor, or another mask for some of them",
    });
  }
  return varying.length === 0;
}
