// What tells two checkpoints apart, tensor by tensor.

import { changeOf, type Change, type ComparedPair } from "./change.ts";
import type { TensorPair } from "./pair-tensors.ts";
import { settle, type Payloads } from "./payloads.ts";

/**
 * - `same`: the bytes are equal;
 * - `equal`: the values are, the bytes are not: two dtypes, zeros of two signs, NaN of two kinds;
 * - `changed`: values differ;
 * - `shape`, `dtype`: another shape, or dtypes that have no values in common to compare;
 * - `only-a`, `only-b`: the other checkpoint has no tensor of this name.
 */
export const DIFF_STATES = ["changed", "equal", "shape", "dtype", "only-a", "only-b", "same"] as const;
export type DiffState = (typeof DIFF_STATES)[number];

export interface TensorDiff {
  readonly pair: TensorPair;
  readonly state: DiffState;
  /** Of `changed` and `equal`. */
  readonly change?: Change;
  /** What `change` was made of, to make that of several. */
  readonly compared?: ComparedPair;
}

/** In the order of `pairs`. */
export async function diffTensors(pairs: readonly TensorPair[], payloads: Payloads): Promise<readonly TensorDiff[]> {
  return settle(pairs.map((pair) => diffTensor(pair, payloads)));
}

async function diffTensor(pair: TensorPair, payloads: Payloads): Promise<TensorDiff> {
  if (pair.relation !== "comparable") return { pair, state: pair.relation };
  if (isKnownSame(pair, payloads)) return { pair, state: "same" };
  const compared = { a: pair.a, compared: await payloads.compare(pair.a, pair.b) };
  // What else could be said of it is not known of one whose digest spared reading it.
  if (compared.compared.comparison.sameBytes) return { pair, state: "same" };
  const change = changeOf([compared]);
  return { pair, state: change.changed === 0 ? "equal" : "changed", change, compared };
}

/** Without reading: the same place of one file, or digests that are known. */
function isKnownSame(pair: TensorPair, payloads: Payloads): boolean {
  if (pair.relation !== "comparable" || pair.a.dtype !== pair.b.dtype) return false;
  if (payloads.isSamePlace(pair.a, pair.b)) return true;
  const digest = payloads.digest(pair.a);
  return digest !== undefined && digest === payloads.digest(pair.b);
}

/** Bytes that `diffTensors` will read. */
export function bytesToCompare(pairs: readonly TensorPair[], payloads: Payloads): number {
  return pairs.reduce(
    (sum, pair) =>
      pair.relation === "comparable" && !isKnownSame(pair, payloads) ? sum + pair.a.bytes + pair.b.bytes : sum,
    0,
  );
}
