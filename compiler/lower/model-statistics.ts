// The model-wide statistics of one output: met one by one while tensors are lowered, completed when all are. Knows no
// payload.

import type { Dtype } from "../checkpoint.ts";
import type { VectorNode } from "../recipe-graph.ts";
import type { ModelStatistic, StatisticMember } from "../tensor-graph.ts";
import type { Value } from "./program-builder.ts";
import type { TensorScope } from "./scope.ts";
import { streamId } from "./stream-id.ts";

type Rule = Pick<ModelStatistic, "density" | "dropTop" | "atLeastOne">;

export interface OutputScope extends TensorScope {
  /** What the vector was lowered to, if it was. */
  known(node: VectorNode): Value | "skip" | undefined;
}

/** One tensor of the output. */
export interface LoweredTensor {
  readonly scope: OutputScope;
  /** Of the output's tensor. */
  readonly dtype: Dtype;
  /** A scope of its own, whose problems nobody hears of: a vector may be lacking where the output does not read it. */
  readonly aside: () => OutputScope;
}

interface Wanted {
  readonly vector: VectorNode;
  readonly rule: Rule;
  readonly stream: number;
}

export class ModelStatistics {
  readonly #wanted: Wanted[] = [];

  /** The number of the statistic, new or met before. */
  indexOf(vector: VectorNode, rule: Rule, stream: number): number {
    const known = this.#wanted.findIndex((other) => {
      const { density, dropTop, atLeastOne } = other.rule;
      const isSameRule = density === rule.density && dropTop === rule.dropTop && atLeastOne === rule.atLeastOne;
      return other.vector === vector && other.stream === stream && isSameRule;
    });
    return known === -1 ? this.#wanted.push({ vector, rule, stream }) - 1 : known;
  }

  get any(): boolean {
    return this.#wanted.length > 0;
  }

  finish(tensors: readonly LoweredTensor[]): readonly ModelStatistic[] {
    const statistics: ModelStatistic[] = [];
    // Completing one may meet others: a vector that was masked before.
    for (const { vector, rule, stream } of this.#wanted) {
      const members = tensors.flatMap((tensor) => memberOf(tensor, vector, stream));
      statistics.push({ vector: nameOf(vector), ...rule, members });
    }
    return statistics;
  }
}

function memberOf({ scope, dtype, aside }: LoweredTensor, node: VectorNode, stream: number): StatisticMember[] {
  if (scope.shape.length === 0 || scope.shape.includes(0)) return [];
  const known = scope.known(node);
  const used = known === undefined ? aside() : scope;
  const value = known ?? used.vector(node);
  if (value === "skip" || used.problems.errors > 0) return [];
  const tensor = scope.names[0];
  const wide = dtype === "F64" || scope.builder.wide || used.builder.wide;
  return [
    {
      tensor,
      ...used.builder.finish(value),
      shape: scope.shape,
      work: wide ? "F64" : "F32",
      tie: streamId("tie", stream, tensor),
    },
  ];
}

/** `maths - llama`, or the name that it was given. */
function nameOf(node: VectorNode): string {
  if (node.name !== undefined) return node.name;
  if (node.kind === "difference" && node.model.name !== undefined && node.base.name !== undefined) {
    return `${node.model.name} - ${node.base.name}`;
  }
  return "a vector without a name";
}
