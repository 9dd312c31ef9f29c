// How much all programs of a recipe come to. Outputs, tensors and the merges under them multiply, so a page of text can
// ask for more than any memory holds.

import type { Program } from "../tensor-graph.ts";
import type { OutputNode } from "../recipe-graph.ts";
import type { TensorProblems } from "./tensor-problems.ts";

/** With their operands. Several merges of the largest models there are; about a gigabyte. */
const MOST_OPERATIONS = 5_000_000;

/** Lives as long as one lowering. */
export class OperationCount {
  #count = 0;
  #isTold = false;

  get isExceeded(): boolean {
    return this.#count > MOST_OPERATIONS;
  }

  add({ operations }: Program): void {
    for (const operation of operations) {
      this.#count += "of" in operation && typeof operation.of !== "number" ? 1 + operation.of.length : 1;
    }
  }

  /** Says so, once, when it is exceeded. */
  check({ span }: OutputNode, problems: TensorProblems): void {
    if (!this.isExceeded || this.#isTold) return;
    this.#isTold = true;
    problems.add("too-deep", this, () => ({
      message: `this recipe comes to more than ${MOST_OPERATIONS} operations on tensors; the outputs up to this one do`,
      span,
      help: "build some of the outputs by themselves, with --only, or write a merge as an output and use that as a model",
    }));
  }
}
