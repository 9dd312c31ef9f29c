// A program's operations as the addon takes them: what is a number once its statistic is known is one there.

import type { Operation, Program } from "../../compiler/tensor-graph.ts";

/** The values of its statistics must be known. */
export function nativeOperations({ operations }: Program): readonly Operation[] {
  return operations.map((operation) => {
    if (operation.op !== "lines") return operation;
    const { of, alpha, rise, ratio } = operation;
    if (ratio === undefined) throw new Error("a program ran before its statistic was known");
    return { op: "multiply", of, by: alpha * ratio + rise };
  });
}
