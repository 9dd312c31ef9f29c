// Rows of the method table: methods that map models to a model, and the two that do both.

import type { IntegerParameter, MethodRow } from "./method-row.ts";
import { WEIGHT, WEIGHT_OF_ALL } from "./on-vectors.ts";

const MAX_ITER = {
  name: "max_iter",
  kind: "integer",
  range: { min: 0, max: 10_000 },
  meaning: "max_iter is the most steps that are taken; 0 leaves the weighted mean of the directions",
} as const satisfies IntegerParameter;

export const MODEL_METHODS: readonly MethodRow[] = [
  {
    name: "linear",
    maps: "models",
    parameters: [
      WEIGHT,
      {
        name: "normalize",
        kind: "boolean",
        default: true,
        meaning: "normalize divides by the sum of the weights",
      },
    ],
    summary:
      "The weighted mean of models, computed so that equal models come back bit for bit; `normalize: false` is the plain weighted sum.",
    source: "Wortsman et al., Model Soups, ICML 2022, arXiv 2203.05482",
    example: "merge soup = linear(maths, code, weight: [0.5, 0.5])",
    op: "linear",
  },
  {
    name: "slerp",
    maps: "models",
    inputs: { min: 2, max: 2 },
    parameters: [
      {
        name: "t",
        kind: "number",
        range: { min: 0, max: 1 },
        meaning: "t is the way from the first model (0) to the second (1)",
      },
    ],
    summary:
      "Spherical interpolation of two models, tensor by tensor; linear where they point the same way or one is zero. t = 0 and t = 1 take the tensor over unchanged.",
    source: "Shoemake, Animating Rotation with Quaternion Curves, SIGGRAPH 1985",
    example: 'merge halfway = slerp(maths, code, t: match("*self_attn*": ramp(0, 0.5, 1), else: 0.5))',
    op: "slerp",
  },
  {
    name: "scale",
    maps: "models",
    inputs: { min: 1, max: 1 },
    parameters: [
      {
        name: "by",
        kind: "number",
        range: {},
        meaning: "by is what every element is multiplied with",
      },
    ],
    summary:
      "Every element of a model times a number, which may differ by tensor: what mergekit's passthrough does with `scale`. Where it is 1 the tensor is taken over unchanged.",
    source: "mergekit, passthrough",
    example: 'merge half = scale(maths, by: match("*.o_proj.weight": 0.5, else: 1))',
    op: "multiply",
  },
  {
    name: "nuslerp",
    maps: "either",
    inputs: { min: 2, max: 2 },
    parameters: [
      WEIGHT,
      {
        name: "per",
        kind: "word",
        words: ["tensor", "row"],
        default: "tensor",
        meaning: "per is the group in which the angle is taken",
      },
    ],
    summary:
      "`slerp` by weights, of a tensor or of each of its rows, on models or on vectors: t is the share of the second weight in their sum. Directions are those of the values themselves; where they are opposite the values are interpolated linearly, with a warning.",
    source: "mergekit, nuslerp",
    example: "merge halfway = nuslerp(maths, code, weight: [0.3, 0.7])",
    op: "slerp",
  },
  {
    name: "multislerp",
    maps: "either",
    parameters: [WEIGHT_OF_ALL, { ...MAX_ITER, default: 1 }],
    summary:
      "The first step of `karcher`, on models or on vectors: from the weighted mean of the directions along the mean of the tangents. `max_iter: 0` is mergekit's, whose tangents cancel. Tensors that are all zero have no direction and only shorten the result.",
    source: "mergekit, multislerp",
    example: "merge centre = multislerp(maths, code, weight: [0.5, 0.5])",
    op: "karcher",
  },
  {
    name: "karcher",
    maps: "models",
    parameters: [
      WEIGHT_OF_ALL,
      { ...MAX_ITER, default: 10 },
      {
        name: "tol",
        kind: "number",
        range: { above: 0, max: 1 },
        default: 1e-5,
        meaning: "tol is the angle below which the steps end",
      },
    ],
    summary:
      "The barycentre of the models' directions on the sphere (the Karcher mean), tensor by tensor, as long as the weighted mean of their norms. The steps work on dot products alone, so their number costs nothing.",
    source: "arXiv 2603.04972",
    example: "merge centre = karcher(maths, code)",
    op: "karcher",
  },
];
