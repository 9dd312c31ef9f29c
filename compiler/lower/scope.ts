// What lowering one tensor needs at hand, and the two functions through which its parts call each other.

import type { Span } from "../../dsl/source.ts";
import type { TensorInfo } from "../checkpoint.ts";
import type { Headers } from "../headers.ts";
import type { ProgramBuilder, Value } from "./program-builder.ts";
import type { CheckpointNode, MatchArm, ModelNode, VectorNode } from "../recipe-graph.ts";
import { nameTest } from "../selectors.ts";
import type { Naming } from "../naming.ts";
import type { ModelStatistics } from "./model-statistics.ts";
import type { TensorProblems } from "./tensor-problems.ts";

/**
 * "skip": the node lacks the tensor and takes no part. "base": it lacks it and counts as unchanged (`missing base`).
 * After an error the answer is "skip" too; the problem list keeps the action from being used.
 */
export type Found = Value | "skip" | "base";

export function isValue(found: Found): found is Value {
  return typeof found === "object";
}

export interface TensorScope {
  /** The stored name, then its tied names: the output's, or inside a stack those that the model there has. */
  readonly names: readonly [string, ...string[]];
  /** The output's stored name; another than the first of `names` where a stack renumbers layers. */
  readonly own: string;
  readonly shape: readonly number[];
  /** The tensor that the output's dtype and shape come from. */
  readonly donor: { readonly node: CheckpointNode; readonly tensor: TensorInfo };
  readonly headers: Headers;
  readonly builder: ProgramBuilder;
  readonly problems: TensorProblems;
  /** Sums of weights that something is divided by; judged once W is known. */
  readonly divisors: Divisor[];
  /** Numbers that float32 does not hold, and where the recipe says them; judged once W is known. */
  readonly unusual: Map<number, Span>;
  readonly statistics: ModelStatistics;
  /** The same action, where a stack takes the value from: the tensor that `model` has by one of the names. */
  inside(model: ModelNode, name: string): TensorScope;
  model(node: ModelNode): Found;
  vector(node: VectorNode): Value | "skip";
}

export interface Divisor {
  readonly node: ModelNode | VectorNode;
  readonly weights: readonly number[];
  /** The quotient is a number of the program, in float64, not one of W. */
  readonly scalar?: true;
}

interface Choice<T> {
  readonly arms: readonly MatchArm<T>[];
  readonly otherwise?: T;
}

/**
 * What a choice gives the tensor: the first arm that takes one of its names. A tied tensor can meet different arms by
 * different names; then there are several candidates, and whoever resolves them reports when they differ. None: no arm
 * takes it and there is no `else`.
 */
export function candidates<T>(choice: Choice<T>, naming: Naming, names: readonly string[]): readonly T[] {
  const found: T[] = [];
  for (const name of names) {
    const arm = choice.arms.find(({ selector }) => nameTest(selector, naming)(name));
    if (arm !== undefined && !found.includes(arm.value)) found.push(arm.value);
  }
  return found.length === 0 && choice.otherwise !== undefined ? [choice.otherwise] : found;
}
