// Bounds of gates against what their metrics can be: a gate that nothing meets would be told only when all is merged, and one
// that everything meets tests nothing. A share written in percent is both.

import type { Report } from "../../dsl/diagnostic.ts";
import type { Span } from "../../dsl/source.ts";
import { isMetBy } from "../predicates.ts";
import type { Comparison, Metric } from "../recipe-graph.ts";

/** The least and the most that a metric can be. */
const RANGES: Readonly<Record<Exclude<Metric, "finite">, readonly [least: number, most: number]>> = {
  cosine: [-1, 1],
  distance: [0, Infinity],
  norm: [0, Infinity],
  changed: [0, 1],
};

/** False when no output can meet it, which is reported. A bound that is the least or the most of all is taken as meant. */
export function checkBound(
  metric: Exclude<Metric, "finite">,
  comparison: Comparison,
  span: Span,
  report: Report,
): boolean {
  const [least, most] = RANGES[metric];
  const { operator, bound } = comparison;
  const isMet = isMetBy(comparison, least) || isMetBy(comparison, most);
  if (isMet && least <= bound && bound <= most) return true;
  const range = most === Infinity ? `at least ${least}` : `between ${least} and ${most}`;
  report({
    code: "gate-bound",
    severity: isMet ? "warning" : "error",
    message: `${metric} is ${range}, so it is ${isMet ? "always" : "never"} ${operator} ${bound}`,
    span,
    help: most === Infinity ? `choose a bound above ${least}` : `choose a bound between ${least} and ${most}`,
  });
  return isMet;
}
