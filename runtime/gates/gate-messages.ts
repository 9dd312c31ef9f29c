// What is said of a gate that failed: the value against the bound, and the tensors that are to blame.

import { counted } from "../../dsl/counted.ts";
import type { Diagnostic } from "../../dsl/diagnostic.ts";
import type { PredicateNode } from "../../compiler/recipe-graph.ts";
import type { GateResult } from "./judge-gates.ts";
import { countOf, type Term } from "./metric-value.ts";

const MOST_TENSORS = 5;
const WORDS = { "<": "below", "<=": "at most", ">": "above", ">=": "at least" } as const;

/** `isFirst`: of the gates of its output that failed; what became of the output is said once. */
export function gateFailure(result: GateResult, isFirst: boolean): Diagnostic {
  const { output, predicate, worst, failing } = result;
  const shown = worst.slice(0, MOST_TENSORS);
  const more = (predicate.each || predicate.metric === "finite" ? failing : 0) - shown.length;
  const texts = shown.map(({ value }) => valueText(predicate, value));
  const width = Math.max(0, ...texts.map((text) => text.length));
  return {
    code: "gate-failed",
    severity: "error",
    message: messageOf(result),
    span: predicate.span,
    facts: [
      ...shown.map(({ tensor }, index) => `${texts[index]!.padStart(width)}  ${tensor}`),
      ...(more > 0 ? [`${" ".repeat(width)}  and ${more} more`] : []),
    ],
    notes: [
      ...whyWithoutValue(result).map((message) => ({ message })),
      ...(isFirst ? [{ message: `"${output}" stays as it was; what was merged is kept in the store` }] : []),
    ],
  };
}

function messageOf({ output, predicate, value, failing, tensors }: GateResult): string {
  const { comparison, each, subject } = predicate;
  if (comparison === undefined) return `"${output}" is not finite: ${notFiniteText(value)} in ${of(failing, tensors)}`;
  const wanted = `${WORDS[comparison.operator]} ${comparison.bound}`;
  return each
    ? `${subject} of "${output}" is not ${wanted} in ${of(failing, tensors)}`
    : `${subject} of "${output}" ${Number.isNaN(value) ? "has no value, so it is" : `is ${valueText(predicate, value)},`} not ${wanted}`;
}

function of(failing: number, tensors: number): string {
  return `${failing} of ${counted(tensors, "tensor")}`;
}

function notFiniteText(elements: number): string {
  return `${counted(elements, "element is", "elements are")} NaN or infinite`;
}

/** As short as leaves no doubt on which side of the bound it lies. */
function valueText({ comparison }: PredicateNode, value: number): string {
  if (comparison === undefined) return String(value);
  if (Number.isNaN(value)) return "no value";
  const { bound } = comparison;
  const side = Math.sign(value - bound);
  const short = [6, 9, 12, 15].map((digits) => Number(value.toPrecision(digits)));
  return String(short.find((rounded) => Math.sign(rounded - bound) === side) ?? value);
}

function whyWithoutValue({ predicate: { metric, each, subject }, value, terms, worst }: GateResult): readonly string[] {
  if (metric === "finite" || (!Number.isNaN(value) && !worst.some((one) => each && Number.isNaN(one.value)))) return [];
  const total = (count: (term: Term) => number): number => terms.reduce((sum, term) => sum + count(term), 0);
  const own = total(({ alone, pair }) => countOf((alone?.notFinite ?? pair?.ofA)!));
  const others = total(({ pair }) => (pair === undefined ? 0 : countOf(pair.ofB)));
  if (own > 0) return [`${metric} has no value where elements of the output are NaN or infinite: ${own} are`];
  if (others > 0)
    return [`${subject} has no value where elements of what it compares with are NaN or infinite: ${others} are`];
  if (metric === "changed") return ["elements that are not whole bytes cannot be counted"];
  const leavesFloat64 = terms.some(({ pair }) => pair !== undefined && !Number.isFinite(pair.aSquares + pair.bSquares));
  if (leavesFloat64) return [`${metric} has no value where sums of squares leave float64`];
  return ["a vector of zeros has no direction, so its cosine with one that is not zero has no value"];
}
