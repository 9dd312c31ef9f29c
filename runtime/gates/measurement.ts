// What gates need to know of a tensor, and of a pair of tensors, as numbers that are kept: each is found by the digests of
// the bytes that it is about. Sums are float64 in the order of METHODS.md, so they are the same on every machine.

import { isResolved } from "../../compiler/resolve-statistics.ts";
import { actionKey } from "../../compiler/action-key.ts";
import type { Action } from "../../compiler/tensor-graph.ts";
import type { InputCounters, TensorComparison, TensorStatistics } from "../../native/addon-types.ts";
import { sha256 } from "../store/sha256.ts";
import type { InputFiles } from "../build/input-files.ts";

/** Raised when one of the numbers below comes to mean something else, or its bits change. */
const SCHEMA = "theta.measurement/1";

export interface NotFinite {
  readonly nan: number;
  readonly inf: number;
}

/** Of one tensor. */
export interface Alone {
  readonly notFinite: NotFinite;
  /** Σ x² over the finite elements. */
  readonly squares: number;
}

/** Of an output's tensor a and what it is compared with, b; sums over the pairs in which both are finite. */
export interface Pair {
  readonly ofA: NotFinite;
  readonly ofB: NotFinite;
  /** Σ (a − b)², Σ a², Σ b², Σ ab. */
  readonly squares: number;
  readonly aSquares: number;
  readonly bSquares: number;
  readonly product: number;
  /** Elements whose bits differ; −1 for two dtypes, and where elements are not whole bytes. */
  readonly differentBits: number;
}

export function aloneOf({ squares }: TensorStatistics, { nan, inf }: InputCounters): Alone {
  return { notFinite: { nan, inf }, squares };
}

export function pairOf(comparison: TensorComparison, [a, b]: readonly InputCounters[]): Pair {
  const { squares, aSquares, bSquares, product, differentBits } = comparison;
  const notFinite = ({ nan, inf }: InputCounters): NotFinite => ({ nan, inf });
  return { ofA: notFinite(a!), ofB: notFinite(b!), squares, aSquares, bSquares, product, differentBits };
}

/** What a comparison tells of its first tensor; nothing when pairs were left out for the second. */
export function aloneOfPair({ ofA, ofB, aSquares }: Pair): Alone | undefined {
  return ofB.nan + ofB.inf === 0 ? { notFinite: ofA, squares: aSquares } : undefined;
}

/** A tensor compared with its own bytes. */
export function pairWithItself({ notFinite, squares }: Alone): Pair {
  const same = { aSquares: squares, bSquares: squares, product: squares };
  return { ofA: notFinite, ofB: notFinite, squares: 0, ...same, differentBits: 0 };
}

/** How many numbers stand for one of each. */
export const ALONE_NUMBERS = 3;
export const PAIR_NUMBERS = 9;

export function aloneToNumbers({ notFinite, squares }: Alone): readonly number[] {
  return [notFinite.nan, notFinite.inf, squares];
}

export function aloneOfNumbers([nan, inf, squares]: readonly number[]): Alone {
  return { notFinite: { nan: nan!, inf: inf! }, squares: squares! };
}

export function pairToNumbers(pair: Pair): readonly number[] {
  const { ofA, ofB, squares, aSquares, bSquares, product, differentBits } = pair;
  return [ofA.nan, ofA.inf, ofB.nan, ofB.inf, squares, aSquares, bSquares, product, differentBits];
}

export function pairOfNumbers(numbers: readonly number[]): Pair {
  const [nanOfA, infOfA, nanOfB, infOfB, squares, aSquares, bSquares, product, differentBits] = numbers;
  return {
    ofA: { nan: nanOfA!, inf: infOfA! },
    ofB: { nan: nanOfB!, inf: infOfB! },
    squares: squares!,
    aSquares: aSquares!,
    bSquares: bSquares!,
    product: product!,
    differentBits: differentBits!,
  };
}

/** What a row of numbers is found by: `lines` say what they are about. */
export function rowKey(kind: "alone" | "pair" | "together", lines: readonly string[]): string {
  return sha256([SCHEMA, kind, ...lines].join("\n"));
}

/** `payload`: `sha256:<hex>` of the output's tensor. */
export function aloneKey({ dtype }: Action, payload: string): string {
  return rowKey("alone", [dtype, payload]);
}

/** `operand`: what `identityOf` gives. */
export function pairKey({ dtype }: Action, payload: string, operand: string): string {
  return rowKey("pair", [dtype, payload, operand]);
}

/** Stands for the bytes of an operand's tensor; undefined while an input's digest or a statistic is not known. */
export function identityOf(operand: Action, inputs: InputFiles): string | undefined {
  const digests = operand.inputs.map(({ tensor }) => inputs.digest(tensor));
  if (!isResolved(operand.program)) return undefined;
  if (!digests.every((digest): digest is string => digest !== undefined)) return undefined;
  return isPayload(operand) ? payloadIdentity(operand, digests[0]!) : `action ${actionKey(operand, digests)}`;
}

export function payloadIdentity({ dtype }: Action, payload: string): string {
  return `payload ${dtype} ${payload}`;
}

/** Whether the operand is a tensor as it lies in a checkpoint, so that nothing has to be computed. */
export function isPayload({ program, inputs, dtype }: Action): boolean {
  const [operation, ...more] = program.operations;
  return (
    more.length === 0 &&
    operation?.op === "load" &&
    operation.nan === "propagate" &&
    inputs[operation.input]!.tensor.dtype === dtype
  );
}
