// What can only be judged once the work type W is known: numbers too large for it, divisors
// and sums of weights that vanish in it.

import type { Span } from "../../dsl/source.ts";
import type { TensorScope } from "./scope.ts";
import type { OutputNode } from "../recipe-graph.ts";
import type { Operation, Program } from "../tensor-graph.ts";

type Work = "F32" | "F64";

/** METHODS.md, "Strategies on vectors": a sum this small beside the weights' sizes is rounding, and counts as zero. */
const VANISHING = 2 ** -40;

export function checkDivisors(work: Work, scope: TensorScope): void {
  for (const { node, weights, scalar } of scope.divisors) {
    let sum = 0;
    let sizes = 0;
    for (const weight of weights) {
      sum += weight;
      sizes += Math.abs(weight);
    }
    if (Math.abs(sum) > VANISHING * sizes && (scalar === true || toWork(sum, work) !== 0)) continue;
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
    const divisor = divisorOf(operation);
    if (divisor !== undefined && toWork(divisor, work) === 0) {
      const span = spanOf(divisor, output, scope);
      scope.problems.add("division-by-zero", span, () => ({
        message: `${scope.names[0]} is divided by ${divisor}, which is 0 in ${work.toLowerCase()}, the type of the work`,
        span,
        help: "divide by a larger number, or write the output as f64",
      }));
    }
    for (const value of numbersOf(operation)) {
      if (Number.isFinite(toWork(value, work))) continue;
      const span = spanOf(value, output, scope);
      scope.problems.add("number-too-large", span, () => ({
        message: `${value} is infinite in ${work.toLowerCase()}, the type of the work for ${scope.names[0]}`,
        span,
        help: `choose a smaller number${work === "F64" ? "" : ", or write the output as f64"}`,
      }));
    }
  }
}

/** Where the recipe says the number; of one that was computed from others the output. */
function spanOf(value: number, output: OutputNode, scope: TensorScope): Span {
  return scope.unusual.get(value) ?? scope.unusual.get(-value) ?? output.span;
}

function toWork(value: number, work: Work): number {
  return work === "F64" ? value : Math.fround(value);
}

/** What the operation divides a vector by: a number of the recipe's own, or the density of a mask that rescales. */
function divisorOf(operation: Operation): number | undefined {
  if (operation.op === "divide") return operation.by;
  return operation.op === "rescale-inv" ? operation.density : undefined;
}

/** Numbers that the recipe sets freely; no work type is too small for the ranges of the others. */
function numbersOf(operation: Operation): readonly number[] {
  const numbers: number[] = [];
  if ("by" in operation) numbers.push(operation.by);
  if ("scaling" in operation) numbers.push(operation.scaling);
  // Those of karcher meet no element.
  if ("weights" in operation && operation.op !== "karcher")
    for (const weight of operation.weights) numbers.push(weight);
  if ("scale" in operation) numbers.push(operation.scale);
  if (operation.op === "nearswap") numbers.push(operation.t);
  if (operation.op === "ram" || operation.op === "ram-plus") numbers.push(operation.epsilon);
  if (operation.op === "consensus") numbers.push(operation.lambda);
  return numbers;
}
