// A program as the addon takes it: what is a number once its statistic is known is one there, and thresholds that are known are
// inputs behind the program's own.

import type { Operation, Program } from "../../compiler/tensor-graph.ts";
import type { NativeInput, NativeOperation } from "../../native/addon-types.ts";

/** Of a della `per: model` at one tensor: 32 bits an element. */
export interface Thresholds {
  readonly fd: number;
  readonly offset: number;
  /** Whether the mask keeps any element of the model. */
  readonly keepsAny: boolean;
}

/** Where the size of what a program takes is all that is asked for. */
export const NO_THRESHOLDS: Thresholds = { fd: 0, offset: 0, keepsAny: true };

/** The values of its statistics must be known; `thresholds`: one an operation, of those that need them. */
export function nativeProgram(
  { operations }: Program,
  inputs: readonly NativeInput[],
  shape: readonly number[],
  thresholds: readonly (Thresholds | undefined)[],
): { readonly operations: readonly NativeOperation[]; readonly inputs: readonly NativeInput[] } {
  const all = [...inputs];
  const native = operations.map((operation, index): NativeOperation => {
    if (operation.op !== "model-della") return nativeOperation(operation);
    const known = thresholds[index];
    if (known === undefined) throw new Error("a program ran before its elements were ranked");
    const { op, of, seed, stream } = operation;
    const { fd, offset, keepsAny } = known;
    const place = all.push({ fd, offset, dtype: "U32", shape, digest: false }) - 1;
    return { op, of, seed, stream, thresholds: place, keepsAny } as NativeOperation;
  });
  return { operations: native, inputs: all };
}

function nativeOperation(operation: Operation): NativeOperation {
  if (operation.op !== "lines") return operation;
  const { of, alpha, rise, ratio } = operation;
  if (ratio === undefined) throw new Error("a program ran before its statistic was known");
  return { op: "multiply", of, by: alpha * ratio + rise } as NativeOperation;
}
