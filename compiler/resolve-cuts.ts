// Programs whose masks need model-wide statistics, once their values are known.

import type { Operation, Program, TensorCuts } from "./tensor-graph.ts";

/** Whether the program needs no statistic whose value is unknown. */
export function isResolved({ operations }: Program): boolean {
  return !operations.some(isOpen);
}

/** Numbers of the statistics whose values the program still needs. */
export function unresolvedStatistics({ operations }: Program): readonly number[] {
  const numbers = operations.flatMap((operation) => (isOpen(operation) ? [operation.statistic] : []));
  return [...new Set(numbers)];
}

/** `cuts` by the number of the statistic; those that it lacks stay open. */
export function resolveCuts(program: Program, cuts: ReadonlyMap<number, TensorCuts>): Program {
  if (isResolved(program)) return program;
  return {
    operations: program.operations.map((operation) => {
      const found = isOpen(operation) ? cuts.get(operation.statistic) : undefined;
      return found === undefined ? operation : { ...operation, cuts: found };
    }),
  };
}

function isOpen(operation: Operation): operation is Extract<Operation, { op: "model-cut" }> {
  return operation.op === "model-cut" && operation.cuts === undefined;
}
