// Bounds of gates against what their metrics can be: a gate that no value meets fails, but only when all is merged, and one
// that every value meets tests nothing but that there is one. A share written in percent is both. Who means it may: warned of.

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

/** An end of the range is taken as meant where some value meets it. */
export function warnOfBound(
  metric: Exclude<Metric, "finite">,
  comparison: Comparison,
  span: Span,
  report: Report,
): void {
  const [least, most] = RANGES[metric];
  const { operator, bound } = comparison;
  const isMet = isMetBy(comparison, least) || isMetBy(comparison, most);
  if (isMet && least <= bound && bound <= most) return;
  const range = most === Infinity ? `at least ${least}` : `between ${least} and ${most}`;
  const isFromBelow = operator === "<" || operator === "<=";
  report({
    code: "gate-bound",
    severity: "warning",
    message: `${metric} is ${range}, so ${isMet ? "every" : "no"} value of it is ${operator} ${bound}`,
    span,
    help: `choose a bound ${isMet === isFromBelow ? `below ${most}` : `above ${least}`}`,
  });
}
