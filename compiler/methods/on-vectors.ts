// Rows of the method table: strategies, which map task vectors to one vector. They never mask; masks are rows of
// their own (masks-and-selectors.ts).

import type { MethodRow, NumberParameter, PerInputParameter, WordParameter } from "./method-row.ts";

export const WEIGHT: PerInputParameter = {
  name: "weight",
  kind: "number",
  range: {},
  default: 1,
  perInput: true,
  meaning: "weight is the factor of each input; with 0 it is not looked at, so that NaN in it is no error",
};

/** Of methods that look at the inputs themselves, too. */
export const WEIGHT_OF_ALL: PerInputParameter = {
  ...WEIGHT,
  meaning: "weight is the factor of each input; with 0 it is looked at all the same, and NaN in it is an error",
};

const WEIGHT_IN_ELECTION: PerInputParameter = {
  ...WEIGHT,
  meaning:
    "weight is the factor of each input; with 0 it is not looked at, so that NaN in it is no error, but where `elect: unweighted` does",
};

const SCALE: NumberParameter = {
  name: "scale",
  kind: "number",
  range: {},
  default: 1,
  meaning: "scale is the factor of the combined vector",
};

const EPSILON: NumberParameter = {
  name: "epsilon",
  kind: "number",
  range: { min: 0 },
  default: 1e-5,
  meaning: "epsilon is the size above which an element counts as active",
};

const PER_TENSOR_OR_ROW: WordParameter = {
  name: "per",
  kind: "word",
  words: ["tensor", "row"],
  default: "tensor",
  meaning: "per is the group in which norms and cosines are taken",
};

export const VECTOR_METHODS: readonly MethodRow[] = [
  {
    name: "sum",
    maps: "vectors",
    parameters: [WEIGHT, SCALE],
    summary: "scale × Σ weight × τ, the task arithmetic; terms are added in the order of the inputs.",
    source: "Ilharco et al., Editing Models with Task Arithmetic, ICLR 2023, arXiv 2212.04089",
    example: "merge soup onto llama using sum(scale: 0.8) { maths }",
    op: "sum",
  },
  {
    name: "mean",
    maps: "vectors",
    parameters: [WEIGHT, SCALE],
    summary:
      "scale × (Σ weight × τ) ÷ Σ weight over the vectors that have the tensor. Weights whose sum is 0 beside their size are an error.",
    source: "Wortsman et al., Model Soups, ICML 2022, arXiv 2203.05482",
    example: "merge soup onto llama using mean { maths weight 2 }",
    op: "mean",
  },
  {
    name: "ties",
    maps: "vectors",
    parameters: [
      WEIGHT_IN_ELECTION,
      SCALE,
      {
        name: "elect",
        kind: "word",
        words: ["weighted", "unweighted", "count", "none"],
        default: "weighted",
        meaning:
          "elect is what the sign of an element is elected by: the sum of the weighted elements, of the elements, or of the signs of the weighted ones; without an election all that are not 0 stay",
      },
      {
        name: "divide",
        kind: "word",
        words: ["weights", "count", "none"],
        default: "weights",
        meaning:
          "divide is what the sum of the agreeing elements is divided by: their weights, their number, or nothing",
      },
    ],
    summary:
      "Elects a sign for each element, drops the elements that disagree with it and averages the rest. The trimming of the paper is a mask: `each mask magnitude(density: 0.2)`.",
    source: "Yadav et al., TIES-Merging, NeurIPS 2023, arXiv 2306.01708",
    example: "merge soup onto llama using ties { maths mask magnitude(density: 0.2) }",
    op: "ties",
  },
  {
    name: "sce",
    maps: "vectors",
    parameters: [
      {
        name: "select",
        kind: "number",
        range: { above: 0, max: 1 },
        default: 1,
        meaning: "select is the share of the elements whose variance is not 0, the most varying first, that takes part",
      },
    ],
    summary:
      "Selects the elements that vary most over the inputs, weighs each input by the energy of what it has there (calculate), elects a sign for each element and drops what disagrees (erase), and averages the rest by weight. Weights are found, not given; the selection is of the whole tensor, by a variance of float64.",
    source: "Wan et al., FuseChat, arXiv 2408.07990",
    example: "merge soup onto llama using sce(select: 0.1) { maths }",
    op: "sce",
  },
  {
    name: "ram",
    maps: "vectors",
    parameters: [EPSILON],
    summary:
      "Keeps what only one input changed as it is and averages what several changed, so that sparse changes are not diluted; an element counts as changed when it is larger than epsilon.",
    source: "Reinforced Agent Merging, arXiv 2601.13572",
    example: "merge soup onto llama using ram { maths }",
    op: "ram",
  },
  {
    name: "ram_plus",
    maps: "vectors",
    parameters: [
      EPSILON,
      { name: "r", kind: "number", range: { min: 0 }, default: 0.1, meaning: "r is the strength of the rescaling" },
      {
        name: "alpha",
        kind: "number",
        range: { min: 0 },
        default: 0.2,
        meaning: "alpha is the largest ratio of shared to unique elements that counts",
      },
    ],
    summary:
      "ram, with what only one input changed times 1 + r × min(ρ, alpha), ρ that input's shared elements for each of its unique ones in the tensor.",
    source: "Reinforced Agent Merging, arXiv 2601.13572",
    example: "merge soup onto llama using ram_plus { maths }",
    op: "ram-plus",
  },
  {
    name: "consensus",
    maps: "vectors",
    parameters: [
      WEIGHT_OF_ALL,
      SCALE,
      {
        name: "lambda",
        kind: "number",
        range: { min: 0 },
        default: 0.4,
        meaning: "lambda is how large an element must be beside what the other inputs make of it to count as active",
      },
      {
        name: "at_least",
        kind: "integer",
        range: { min: 1 },
        default: 2,
        meaning: "at_least is the number of inputs in which an element must be active",
      },
    ],
    summary:
      "Consensus merging with TALL masks: the task arithmetic M = scale × Σ weight × τ, kept where enough inputs are active, |τ| ≥ lambda × |M − τ|; what one input alone wants, or none, is dropped.",
    source:
      "Wang et al., Localizing Task Information for Improved Model Merging and Compression, ICML 2024, arXiv 2405.07813",
    example: "merge soup onto llama using consensus(scale: 0.5, at_least: 1) { maths }",
    op: "consensus",
  },
  {
    name: "magmax",
    maps: "vectors",
    parameters: [SCALE],
    summary:
      "For each element the input that changed it most, by absolute value; of equal ones the last. The paper uses `scale: 0.5`.",
    source: "Marczak et al., MagMax, ECCV 2024, arXiv 2407.06322",
    example: "merge soup onto llama using magmax(scale: 0.5) { maths }",
    op: "magmax",
  },
  {
    name: "pcb",
    maps: "vectors",
    parameters: [
      WEIGHT_OF_ALL,
      SCALE,
      {
        name: "select",
        kind: "number",
        range: { above: 0, max: 1 },
        default: 0.05,
        meaning: "select is the share of the elements of each input, those of the best balance, that takes part",
      },
      {
        name: "clip",
        kind: "number",
        range: { min: 0, below: 0.5 },
        default: 0.01,
        meaning: "clip is the share of the smallest and of the largest elements that are held at the size of the next",
      },
      {
        name: "per",
        kind: "word",
        words: ["tensor", "model"],
        wordsNotServed: new Map([["model", "use per: tensor, which balances each tensor by itself"]]),
        default: "tensor",
        meaning: "per is the group of elements that are balanced against each other",
      },
    ],
    summary:
      "PCB merging, parameter competition balancing: an element counts by its size within its own input (intra-balancing) and by how it agrees with what all inputs change in its place (inter-balancing); the best balanced share of each input is averaged by what is above the rest. Balances are of the tensor, in float64. The authors use `scale: 1.2`.",
    source: "Du et al., Parameter Competition Balancing for Model Merging, NeurIPS 2024, arXiv 2410.02396",
    example: "merge soup onto llama using pcb(scale: 1.2) { maths }",
    op: "pcb",
  },
  {
    name: "lines",
    maps: "vectors",
    inputs: { min: 1, max: 1 },
    parameters: [
      {
        name: "alpha",
        kind: "number",
        range: {},
        default: 1,
        meaning: "alpha is the factor of the first layer and of all tensors outside the layers",
      },
      {
        name: "beta",
        kind: "number",
        range: {},
        meaning: "beta is what the factor of the last layer has more than that of the first",
      },
      {
        name: "like",
        kind: "vector",
        meaning:
          "like is the vector as large as which alpha makes its input, by the sum of absolute values over all tensors; each tensor of both is measured in float64 where the output's is merged in float64 or the vector has an F64 input there, else in float32",
      },
    ],
    summary:
      "LiNeS: a vector, of one model or merged, times a factor that rises linearly over the layers, from alpha to alpha + beta, so that early layers stay closer to the base. With `like` alpha is multiplied by the size of that vector over the input's: `like: mean(…)` of the vectors that were merged is the rule of the paper.",
    source: "Wang et al., LiNeS, ICLR 2025, arXiv 2410.17146",
    example: "merge soup onto llama using lines(alpha: 0.3, beta: 0.7) { maths }",
    op: "lines",
  },
  {
    name: "model_stock",
    maps: "vectors",
    parameters: [PER_TENSOR_OR_ROW],
    summary:
      "Moves from the base towards the mean of the vectors by t = k × c ÷ (1 + (k − 1) × c), c the mean cosine between the k of them: all the way where they agree, not at all where they are at right angles or opposed. One vector is taken whole.",
    source: "Jang et al., Model Stock, ECCV 2024, arXiv 2403.19522",
    example: "merge soup onto llama using model_stock { maths }",
    op: "model-stock",
  },
  {
    name: "nearswap",
    maps: "vectors",
    inputs: { min: 1, max: 1 },
    parameters: [
      {
        name: "t",
        kind: "number",
        range: { min: 0 },
        meaning: "t is the difference up to which an element is taken over whole",
      },
    ],
    summary: "Takes over what differs from the base by t at most, and moves the rest by t towards the other model.",
    source: "mergekit, nearswap",
    example: "merge soup onto llama using nearswap(t: 0.001) { maths }",
    op: "nearswap",
  },
  {
    name: "arcee_fusion",
    maps: "vectors",
    inputs: { min: 1, max: 1 },
    parameters: [],
    summary:
      "Takes over the elements of one model whose change matters most: by size times the divergence of the row's softmax, from the median plus 1.5 interquartile ranges of the tensor on. Quantiles are exact.",
    source: "mergekit, arcee_fusion",
    example: "merge soup onto llama using arcee_fusion { maths }",
    op: "arcee-fusion",
  },
  {
    name: "regmean",
    maps: "vectors",
    parameters: [],
    summary: "Least squares against the inputs' own activations; needs Gram matrices of each model.",
    source: "Jin et al., RegMean, ICLR 2023, arXiv 2212.09849",
    example: "merge soup onto llama using regmean { maths }",
    notServed: "it needs activation statistics, which have no source yet; use mean",
  },
  {
    name: "lorm",
    maps: "vectors",
    parameters: [],
    summary: "RegMean for LoRA adapters that share a factor; needs Gram matrices of each model.",
    source: "arXiv 2410.17961",
    example: "merge soup onto llama using lorm { maths }",
    notServed: "it needs activation statistics, which have no source yet; use mean",
  },
];
