// Rows of the method table: masks, which choose elements of a vector, and selectors, which choose whole tensors.

import type {
  BooleanParameter,
  IntegerParameter,
  MethodRow,
  NumberParameter,
  VectorParameter,
  WordParameter,
} from "./method-row.ts";

const DENSITY: NumberParameter = {
  name: "density",
  kind: "number",
  range: { above: 0, max: 1 },
  meaning: "density is the share of each task vector that survives the mask",
};

const AT_LEAST_ONE: BooleanParameter = {
  name: "at_least_one",
  kind: "boolean",
  default: false,
  meaning: "at_least_one keeps one element of a group that would keep none",
};

const ORDER = "the order of equal elements is";

/** `drawn`: what is drawn from it, with the verb. */
const stream = (drawn: string): IntegerParameter => ({
  name: "stream",
  kind: "integer",
  range: { min: 0 },
  optional: true,
  meaning: `stream is the number that ${drawn} drawn from; by default the vector's position in its merge block, 0 elsewhere`,
});

const SEED: IntegerParameter = {
  name: "seed",
  kind: "integer",
  range: { min: 0 },
  meaning: "seed is the key of the counter-based random numbers",
};

const OF: VectorParameter = {
  name: "of",
  kind: "vector",
  meaning: "of is the vector that the mask is computed from; by default the one that it is applied to",
};

const EPSILON: NumberParameter = {
  name: "epsilon",
  kind: "number",
  range: { above: 0, below: 1 },
  default: 0.15,
  meaning: "epsilon is how far the probability of keeping an element lies from density, by rank",
};

function per(byDefault: string): WordParameter {
  return {
    name: "per",
    kind: "word",
    words: ["row", "last", "tensor", "model"],
    default: byDefault,
    meaning:
      "per is the group of elements that is ordered: all that lies behind the first dimension, the last dimension alone, the tensor, or all tensors of the vector",
  };
}

function rescale(byDefault: string): WordParameter {
  return {
    name: "rescale",
    kind: "word",
    words: ["none", "inv", "l1"],
    default: byDefault,
    meaning:
      "rescale makes up for what the mask drops: not at all, by dividing by density, or by restoring the sum of absolute values",
  };
}

export const MASKS: readonly MethodRow[] = [
  {
    name: "magnitude",
    maps: "mask",
    parameters: [DENSITY, per("tensor"), AT_LEAST_ONE, stream(ORDER), rescale("none"), OF],
    summary:
      "Keeps the trunc(g·density) largest elements of each group of g, by absolute value; equal ones in an order that prefers no position.",
    source: "Yadav et al., TIES-Merging, NeurIPS 2023, arXiv 2306.01708",
    example: "mask trim = magnitude(density: 0.2)",
    op: "magnitude",
  },
  {
    name: "breadcrumbs",
    maps: "mask",
    parameters: [
      DENSITY,
      {
        name: "drop_top",
        kind: "number",
        range: { min: 0, below: 1 },
        meaning: "drop_top is the share of the largest elements that the mask drops",
      },
      per("row"),
      AT_LEAST_ONE,
      stream(ORDER),
      rescale("none"),
      OF,
    ],
    summary:
      "Of each group of g elements, by absolute value: drops the trunc(g·drop_top) largest as outliers, keeps the next trunc(g·density) and drops the rest.",
    source: "Davari and Belilovsky, Model Breadcrumbs, ECCV 2024, arXiv 2312.06795",
    example: "mask crumbs = breadcrumbs(density: 0.15, drop_top: 0.006)",
    op: "breadcrumbs",
  },
  {
    name: "random",
    maps: "mask",
    parameters: [DENSITY, SEED, stream("with seed the random numbers are"), rescale("inv")],
    summary: "Keeps each element with probability density (DARE), by a counter-based generator.",
    source: "Yu et al., Language Models are Super Mario, ICML 2024, arXiv 2311.03099",
    example: "mask dare = random(density: 0.3, seed: 7)",
    op: "random",
  },
  {
    name: "della",
    maps: "mask",
    parameters: [
      DENSITY,
      EPSILON,
      SEED,
      stream("the order of equal elements and with seed the random numbers are"),
      rescale("inv"),
      per("row"),
      OF,
    ],
    summary:
      "Keeps each element with a probability that rises with its rank in its group, by absolute value: from density − epsilon for the smallest to density + epsilon for the largest. Both must lie between 0 and 1.",
    source: "Deep et al., DELLA-Merging, arXiv 2406.11617",
    example: "mask ranks = della(density: 0.5, seed: 7)",
    op: "della",
  },
  {
    name: "tensors",
    maps: "selector",
    parameters: [],
    summary:
      "Takes the tensors whose output name matches one of the globs (`*`, `?`, `[0-9]`, `{a,b}`; `*` crosses dots).",
    example: 'mask attention = tensors("*self_attn*", "*attention*")',
  },
  {
    name: "layers",
    maps: "selector",
    parameters: [],
    summary: "Takes the tensors of layers A up to, not including, B; a negative number counts from the end.",
    example: "mask early = layers(0..8)",
  },
];
