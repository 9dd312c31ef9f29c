// The value of a metric over one tensor, or over several taken as one vector: METHODS.md, "Gates". Sums run in the order of
// the tensors. NaN where the metric has no value, which no bound is met by.

import type { Metric } from "../../compiler/recipe-graph.ts";
import type { Alone, NotFinite, Pair } from "./measurement.ts";

/** What is known of one tensor that the metric is about: `pair` of metrics that compare, else `alone`. */
export interface Term {
  readonly tensor: string;
  readonly elements: number;
  readonly alone?: Alone;
  readonly pair?: Pair;
}

/** `finite`: how many elements are not. `changed`: a share from 0 to 1. */
export function metricValue(metric: Metric, terms: readonly Term[]): number {
  switch (metric) {
    case "finite":
      return sum(terms, ({ alone }) => countOf(alone!.notFinite));
    case "norm":
      return terms.some(({ alone }) => countOf(alone!.notFinite) > 0)
        ? NaN
        : Math.sqrt(sum(terms, ({ alone }) => alone!.squares));
    case "distance":
      return isFinite(terms) ? Math.sqrt(sum(terms, ({ pair }) => pair!.squares)) : NaN;
    case "cosine":
      return isFinite(terms) ? cosine(terms) : NaN;
    case "changed":
      return changedShare(terms);
  }
}

function cosine(terms: readonly Term[]): number {
  const a = sum(terms, ({ pair }) => pair!.aSquares);
  const b = sum(terms, ({ pair }) => pair!.bSquares);
  // A vector of zeros has no direction; two of them are equal.
  if (a === 0 || b === 0) return a === b ? 1 : NaN;
  const dot = sum(terms, ({ pair }) => pair!.product);
  const squares = a * b;
  // One root gives exactly 1 for equal vectors; two do not leave float64 where the product of both squares does.
  const isNormal = squares > SMALLEST_NORMAL && squares < Infinity;
  const value = isNormal ? dot / Math.sqrt(squares) : dot / Math.sqrt(a) / Math.sqrt(b);
  return Math.max(-1, Math.min(1, value));
}

const SMALLEST_NORMAL = 2 ** -1022;

function changedShare(terms: readonly Term[]): number {
  if (terms.some(({ pair }) => pair!.differentBits < 0)) return NaN;
  const elements = sum(terms, (term) => term.elements);
  return elements === 0 ? 0 : sum(terms, ({ pair }) => pair!.differentBits) / elements;
}

/** Over what is NaN or infinite no sum says anything. */
function isFinite(terms: readonly Term[]): boolean {
  return terms.every(({ pair }) => countOf(pair!.ofA) + countOf(pair!.ofB) === 0);
}

export function countOf({ nan, inf }: NotFinite): number {
  return nan + inf;
}

function sum(terms: readonly Term[], of: (term: Term) => number): number {
  return terms.reduce((total, term) => total + of(term), 0);
}
