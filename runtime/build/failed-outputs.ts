// Outputs that this build cannot make. The first failure ends a build, unless it was told to keep going: then it costs
// the outputs that it concerns, and they are told together at the end.

import { EXIT, Failure } from "../failure.ts";
import type { WantedOutput } from "./wanted-output.ts";

export class FailedOutputs {
  readonly #keepGoing: boolean;
  /** Without a cause of its own where the verdict on a tensor was an error: the observer heard that. */
  readonly #causes = new Map<WantedOutput, readonly Failure[]>();

  constructor(keepGoing: boolean) {
    this.#keepGoing = keepGoing;
  }

  has(output: WantedOutput): boolean {
    return this.#causes.has(output);
  }

  get any(): boolean {
    return this.#causes.size > 0;
  }

  /** A verdict on one of its tensors is an error. */
  condemn(output: WantedOutput): void {
    this.#causes.set(output, []);
  }

  /** Throws the first of the errors that ends the build. */
  add(output: WantedOutput, errors: readonly unknown[]): void {
    const failures = errors.map((error) => {
      if (this.#keepGoing && isOfOneOutput(error)) return error;
      throw error;
    });
    this.#causes.set(output, failures);
  }

  /** What became of an output is true of the one that takes its place. */
  carryOver(from: WantedOutput, to: WantedOutput): void {
    const causes = this.#causes.get(from);
    if (causes !== undefined) this.#causes.set(to, causes);
  }

  /** False when the step failed and the build goes on without the output. */
  attempt(output: WantedOutput, step: () => void): boolean {
    try {
      step();
      return true;
    } catch (error) {
      this.add(output, [error]);
      return false;
    }
  }

  /** In the order of the outputs, each thing that went wrong once, though it concern many tensors. */
  causes(outputs: readonly WantedOutput[]): readonly Failure[] {
    const all = outputs.flatMap((output) => this.#causes.get(output) ?? []);
    return [...new Map(all.map((failure) => [failure.message, failure])).values()];
  }

  /** That of the first failure of the first output that has one: it does not depend on which thread was faster. */
  exitCode(outputs: readonly WantedOutput[]): number {
    const first = outputs.find((output) => this.has(output));
    if (first === undefined) return EXIT.done;
    return this.#causes.get(first)![0]?.exitCode ?? EXIT.failed;
  }
}

/** As opposed to what would fail for every other one, and to what is a mistake of ours. */
export function isOfOneOutput(error: unknown): error is Failure {
  return error instanceof Failure && error.details.code !== "disk-full";
}
