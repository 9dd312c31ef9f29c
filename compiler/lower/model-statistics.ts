// The model-wide statistics of one output: met one by one while tensors are lowered, completed when all are. Knows no
// payload.

import type { VectorNode } from "../recipe-graph.ts";
import type { ModelStatistic, StatisticMember } from "../tensor-graph.ts";
import type { TensorScope } from "./scope.ts";
import { streamId } from "./stream-id.ts";

type Rule = Pick<ModelStatistic, "density" | "dropTop" | "atLeastOne">;

/** One tensor of the output. */
export interface LoweredTensor {
  readonly name: string;
  readonly shape: readonly number[];
  /** Whether its action is computed in F64. */
  readonly wide: boolean;
  /**
   * A scope of its own, whose problems nobody hears of: a vector may be lacking where the output does not read it. The one
   * that the action was made in is gone: those of ten thousand tensors would outweigh all that comes of them.
   */
  readonly aside: () => TensorScope;
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

function memberOf(
  { name, shape, wide, aside }: LoweredTensor,
  node: VectorNode,
  stream: number,
): readonly StatisticMember[] {
  if (shape.length === 0 || shape.includes(0)) return [];
  const scope = aside();
  const value = scope.vector(node);
  if (value === "skip" || scope.problems.errors > 0) return [];
  const work = wide || scope.builder.wide ? "F64" : "F32";
  return [{ tensor: name, ...scope.builder.finish(value), shape, work, tie: streamId("tie", stream, name) }];
}

/** `maths - llama`, or the name that it was given. */
function nameOf(node: VectorNode): string {
  if (node.name !== undefined) return node.name;
  if (node.kind === "difference" && node.model.name !== undefined && node.base.name !== undefined) {
    return `${node.model.name} - ${node.base.name}`;
  }
  return "a vector without a name";
}
