// Which elements of a vector are looked at for a first guess, where its tensors can be looked at in parts.

import type { Operation, StatisticMember } from "../../../compiler/tensor-graph.ts";

/** Elements of a vector: enough to say within a thousandth where a cut lies. */
export const SAMPLED = 2 ** 21;

/** Elements that follow each other: each run is a call to the system, and a page of a file that is not in memory. */
const RUN = 256;

/** Elements of it depend on those of its inputs at the same place alone. */
export function isSampleable({ program, inputs, shape }: StatisticMember): boolean {
  return program.operations.every(isElementwise) && inputs.every(({ tensor }) => tensor.shape.join() === shape.join());
}

export function sampleOf(
  members: readonly StatisticMember[],
  sampled: number,
): { readonly run: number; readonly period: number } {
  const total = members.reduce((sum, { shape }) => sum + shape.reduce((product, size) => product * size, 1), 0);
  return { run: RUN, period: Math.max(RUN, Math.floor((total * RUN) / sampled)) };
}

function isElementwise({ op }: Operation): boolean {
  switch (op) {
    case "load":
    case "subtract":
    case "add":
    case "onto":
    case "negate":
    case "multiply":
    case "lines":
    case "divide":
    case "sum":
    case "mean":
    case "ties":
    case "linear":
    case "nearswap":
    case "ram":
    case "consensus":
    case "magmax":
      return true;
    case "resize":
    case "lora":
    case "magnitude":
    case "breadcrumbs":
    case "model-cut":
    case "random":
    case "della":
    case "model-della":
    case "rescale-della":
    case "mask-and":
    case "mask-or":
    case "mask-not":
    case "select":
    case "rescale-inv":
    case "rescale-l1":
    case "slerp":
    case "karcher":
    case "model-stock":
    case "variance":
    case "largest":
    case "sce":
    case "ram-plus":
    case "extremes":
    case "pcb":
    case "divergence":
    case "arcee-fusion":
      return false;
  }
}
