// How far two tensors, or two groups of tensors taken as one long tensor, lie apart.

import { isFloat, type TensorInfo } from "../../compiler/checkpoint.ts";
import { elementCount } from "./names-of.ts";
import type { Compared } from "./payloads.ts";

/**
 * Over the elements that are finite on both sides, in float64. Undefined where a number has no value: dtypes without
 * arithmetic, no such elements, a division by zero, sums that leave float64.
 */
export interface Change {
  readonly elements: number;
  /** Elements whose values differ; undefined where elements are not whole bytes. */
  readonly changed: number | undefined;
  /** max |a − b| */
  readonly max: number | undefined;
  /** mean |a − b| */
  readonly mean: number | undefined;
  /** ‖a − b‖ ÷ ‖a‖ */
  readonly relative: number | undefined;
  readonly cosine: number | undefined;
  /** What is not finite, and so left out of all but `changed`. */
  readonly notFinite: { readonly a: NotFinite; readonly b: NotFinite };
}

export interface NotFinite {
  readonly nan: number;
  readonly inf: number;
}

/** What reading a pair gave, with the tensor of a, whose shape is that of b. */
export interface ComparedPair {
  readonly a: TensorInfo;
  readonly compared: Compared;
}

/** At least one pair, all of floating dtypes or none. */
export function changeOf(pairs: readonly ComparedPair[]): Change {
  const sum = (of: (one: Compared) => number): number => pairs.reduce((total, { compared }) => total + of(compared), 0);
  const elements = pairs.reduce((total, { a }) => total + elementCount(a.shape), 0);
  const counted = pairs.every(({ compared }) => compared.comparison.different >= 0);
  const hasArithmetic = pairs.every(({ a }) => isFloat(a.dtype));
  const finite = sum(({ comparison }) => comparison.finite);
  const largest = pairs.reduce((most, { compared }) => Math.max(most, compared.comparison.largest), 0);
  const normOfA = Math.sqrt(sum(({ comparison }) => comparison.aSquares));
  const normOfB = Math.sqrt(sum(({ comparison }) => comparison.bSquares));
  const distance = Math.sqrt(sum(({ comparison }) => comparison.squares));
  const product = sum(({ comparison }) => comparison.product);
  const number = (value: number): number | undefined =>
    hasArithmetic && finite > 0 && Number.isFinite(value) ? value : undefined;
  return {
    elements,
    changed: counted ? sum(({ comparison }) => comparison.different) : undefined,
    max: number(largest),
    mean: number(sum(({ comparison }) => comparison.absolute) / finite),
    relative: number(distance === 0 ? 0 : distance / normOfA),
    // One division at a time: the product of two norms may leave float64. Rounding may lead beyond 1.
    cosine: number(Math.max(-1, Math.min(1, product / normOfA / normOfB))),
    notFinite: {
      a: { nan: sum((one) => one.a.nan), inf: sum((one) => one.a.inf) },
      b: { nan: sum((one) => one.b.nan), inf: sum((one) => one.b.inf) },
    },
  };
}
