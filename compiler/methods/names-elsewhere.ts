// What methods, masks and parameters are called elsewhere, in mergekit and in papers, and how a recipe has them.
// METHODS.md, "Coming from mergekit", tells the rest.

import { parameterOf } from "./method-table.ts";
import type { MethodRow } from "./method-row.ts";

const DARE = "each mask random(density: 0.5, seed: 7, rescale: l1)";
const DELLA = "each mask della(density: 0.5, epsilon: 0.15, seed: 7, rescale: l1)";
const CRUMBS = "breadcrumbs(density: 0.9, drop_top: 0.01, per: tensor)";

/** By name: what to write instead. Those of mergekit compute what it does. */
export const NAMES_ELSEWHERE: ReadonlyMap<string, string> = new Map([
  ["task_arithmetic", "write using sum"],
  ["dare", "write using sum, and each mask random(density: 0.5, seed: 7)"],
  ["dare_linear", `write using sum, and ${DARE}`],
  ["dare_ties", `write using ties(divide: none), and ${DARE}`],
  ["breadcrumbs_ties", `write using ties(divide: none), and each mask ${CRUMBS}`],
  ["della_linear", `write using sum, and ${DELLA}`],
  ["della_ties", `write using ties, and ${DELLA}`],
  ["ramplus_tl", "write using ram_plus"],
  ["passthrough", "name the model itself, scale(maths, by: 0.5), or stack(slice(maths, 0..8), slice(code, 4..12))"],
  ["average", "write linear"],
  ["lerp", "write linear"],
  ["topk", "write magnitude"],
  ["tall_masks", "write consensus"],
  [
    "localize_and_stitch",
    "write using ties(elect: none, divide: count), and each mask magnitude(density: 0.05, per: model)",
  ],
  ["pcb_merging", "write pcb"],
  ["bernoulli", "write random"],
]);

interface ParameterElsewhere {
  readonly name: string;
  /** The method, or a parameter that the method has, where the help is right; everywhere without it. */
  readonly where?: string;
  readonly help: string;
}

const PARAMETERS_ELSEWHERE: readonly ParameterElsewhere[] = [
  { name: "lambda", where: "scale", help: "write scale, as in scale: 0.5" },
  { name: "normalize", where: "sum", help: "normalize: true is using mean, and sum never divides" },
  { name: "normalize", where: "mean", help: "normalize: false is using sum, and mean always divides" },
  {
    name: "normalize",
    where: "divide",
    help: "normalize: true is divide: weights, and normalize: false is divide: none",
  },
  { name: "normalize_weights", where: "multislerp", help: "leave it out: weights are always divided by their sum" },
  { name: "eps", where: "multislerp", help: "leave it out" },
  { name: "int8_mask", help: "leave it out: it changes no result" },
  { name: "nuslerp_flatten", where: "nuslerp", help: "nuslerp_flatten: false is per: row" },
  {
    name: "nuslerp_row_wise",
    where: "nuslerp",
    help: "angles are of the tensor or, with per: row, of each row; columns are not offered",
  },
  { name: "filter_wise", where: "model_stock", help: "filter_wise: true is per: row" },
  { name: "select_topk", where: "select", help: "write select" },
  { name: "weight", where: "slerp", help: "the way from the first to the second is t, as in using slerp(t: 0.5)" },
  { name: "weight", where: "model_stock", help: "leave it out: how far to go follows from the angles" },
  { name: "weight", where: "sce", help: "leave it out: weights follow from the changes" },
  { name: "gamma", where: "drop_top", help: "write drop_top" },
  { name: "gamma", where: "weight", help: `gamma is drop_top of a mask: each mask ${CRUMBS}` },
  { name: "epsilon", where: "weight", help: `epsilon belongs to a mask: ${DELLA}` },
  { name: "rescale", where: "weight", help: `rescale belongs to a mask, where true is l1 and false is none: ${DARE}` },
];

/** What a method has in the place of a parameter that mergekit's has. */
export function parameterElsewhere(name: string, methods: readonly MethodRow[]): string | undefined {
  return PARAMETERS_ELSEWHERE.find(
    (each) =>
      each.name === name &&
      (each.where === undefined ||
        methods.some((row) => row.name === each.where || parameterOf(row, each.where!) !== undefined)),
  )?.help;
}

const WORDS_ELSEWHERE: ReadonlyMap<string, string> = new Map([
  ["float64", "f64"],
  ["double", "f64"],
  ["float32", "f32"],
  ["fp32", "f32"],
  ["float", "f32"],
  ["float16", "f16"],
  ["fp16", "f16"],
  ["half", "f16"],
  ["bfloat16", "bf16"],
  ["fp8", "f8_e4m3"],
  ["float8_e4m3fn", "f8_e4m3"],
  ["float8_e5m2", "f8_e5m2"],
]);

/** A dtype by its name in torch, as the list has it. */
export function wordElsewhere(word: string, list: readonly string[]): string | undefined {
  const here = WORDS_ELSEWHERE.get(word.replace(/^torch\./, ""));
  return here !== undefined && list.includes(here) ? here : undefined;
}

/** By name: settings of a merge in mergekit, as the outputs of a recipe have them. */
export const SETTINGS_ELSEWHERE: ReadonlyMap<string, string> = new Map([
  ["out_dtype", "write dtype"],
  ["tokenizer_source", "write tokenizer and the model whose files are copied; tokens are not aligned"],
  ["chat_template", "it is copied with the tokenizer: write tokenizer and the model whose files are copied"],
  ["max_shard_size", "write shard, as in shard 5GB"],
  ["out_shard_size", "write shard, as in shard 5GB"],
]);
