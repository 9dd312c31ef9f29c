// What can only be judged once the work type W is known: numbers too large for it, sums of weights that vanish in it.

import type { TensorScope } from "./scope.ts";
import type { OutputNode } from "../recipe-graph.ts";
import type { Operation, Program } from "../tensor-graph.ts";

type Work = "F32" | "F64";

/** METHODS.md, "Strategies on vectors": a sum this small beside the weights' sizes is rounding, and counts as zero. */
const VANISHING = 2 ** -40;

export function checkDivisors(work: Work, scope: TensorScope): void {
  for (const { node, weights } of scope.divisors) {
    let sum = 0;
    let sizes = 0;
    for (const weight of weights) {
      sum += weight;
      sizes += Math.abs(weight);
    }
    if (Math.abs(sum) > VANISHING * sizes && toWork(sum, work) !== 0) continue;
    scope.problems.add("weights-sum-to-zero", node, () => ({
      message: `the weights sum to zero for ${scope.names[0]}, so their mean is undefined`,
      span: node.span,
      notes: [{ message: `the weights there are ${weights.join(", ")}` }],
      help: "change a weight, or use sum, which does not divide",
    }));
  }
}

export function checkNumbers(program: Program, work: Work, output: OutputNode, scope: TensorScope): void {
  for (const operation of program.operations) {
    for (const value of numbersOf(operation)) {
      if (Number.isFinite(toWork(value, work))) continue;
      scope.problems.add("number-too-large", output, () => ({
        message: `${value}, a parameter of ${operation.op} for ${scope.names[0]}, is infinite in ${work.toLowerCase()}, the type of the work`,
        span: output.span,
      }));
    }
  }
}

function toWork(value: number, work: Work): number {
  return work === "F64" ? value : Math.fround(value);
}

/** Numbers that the recipe sets freely; the others have ranges that every work type holds. */
function numbersOf(operation: Operation): readonly number[] {
  const numbers: number[] = [];
  if ("by" in operation) numbers.push(operation.by);
  if ("scaling" in operation) numbers.push(operation.scaling);
  if ("weights" in operation) numbers.push(...operation.weights);
  if ("scale" in operation) numbers.push(operation.scale);
  return numbers;
}
