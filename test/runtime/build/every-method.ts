// Every method as recipes call it, on vectors of `one` and `two` onto `base`, or on the models: for tests that all must pass.

import { f32, type TestTensors } from "../../support/tensors.ts";

/** Strategies, and how many vectors each takes. */
export const ON_VECTORS: Readonly<Record<string, number>> = {
  sum: 2,
  mean: 2,
  ties: 2,
  "ties(elect: unweighted, divide: count)": 2,
  "ties(elect: none, divide: none)": 2,
  sce: 2,
  "sce(select: 0.5)": 2,
  ram: 2,
  ram_plus: 2,
  consensus: 2,
  magmax: 2,
  pcb: 2,
  model_stock: 2,
  "model_stock(per: row)": 2,
  lines: 1,
  nearswap: 1,
  arcee_fusion: 1,
  nuslerp: 2,
  "nuslerp(per: row)": 2,
  multislerp: 2,
};
export const ON_MODELS = ["linear", "slerp", "scale", "nuslerp", "multislerp", "karcher"];
const REQUIRED: Readonly<Record<string, string>> = {
  lines: "beta: 0.5",
  nearswap: "t: 0.25",
  slerp: "t: 0.25",
  scale: "by: 0.5",
};
const MASK_RULES = [
  "magnitude(density: DENSITY)",
  "magnitude(density: DENSITY, per: row, rescale: l1)",
  "magnitude(density: DENSITY, per: model)",
  "breadcrumbs(density: DENSITY, drop_top: 0, rescale: inv)",
  "random(density: DENSITY, seed: 1)",
  "random(density: DENSITY, seed: 1, rescale: l1)",
  "della(density: DENSITY, epsilon: DENSITY / 4, seed: 1)",
  "della(density: DENSITY, epsilon: DENSITY / 4, seed: 1, per: model, rescale: l1)",
];
/** Every mask, of this density. */
export const masks = (density: number): string[] =>
  MASK_RULES.map((rule) => rule.replaceAll("DENSITY", String(density)));

export const nameOf = (method: string): string => method.replace(/\(.*/, "");
const called = (method: string): string =>
  REQUIRED[nameOf(method)] === undefined ? method : `${method}(${REQUIRED[method]})`;

/** `merge … onto base using METHOD`, with this behind each line. */
export function onto(method: string, clause = "", inputs = ["one", "two"]): string {
  const lines = inputs.slice(0, ON_VECTORS[method]).map((input) => `  ${input}${clause}\n`);
  return `onto base using ${called(method)} {\n${lines.join("")}}`;
}

/** `= METHOD(one, two)` */
export function ofModels(method: string, inputs = ["one", "two"]): string {
  const taken = method === "scale" ? inputs.slice(0, 1) : inputs;
  return `= ${method}(${[...taken, ...(REQUIRED[method] === undefined ? [] : [REQUIRED[method]])].join(", ")})`;
}

/** For methods that run over layers; it has no dimension, so no mask takes it. */
export const LAYER: TestTensors = { "h.0.scalar": f32([], [1]) };

export const EVERY: readonly (readonly [method: string, merge: string])[] = [
  ...Object.keys(ON_VECTORS).map((method) => [method, onto(method)] as const),
  ...ON_MODELS.map((method) => [`${method} of models`, ofModels(method)] as const),
];
