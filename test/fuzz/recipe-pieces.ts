// What generated recipes are put together from: rows of the method table, texts that fit and texts that do not.

import type { MethodRow } from "../../compiler/methods/method-row.ts";
import { METHODS } from "../../compiler/methods/method-table.ts";

export type Kind =
  "model" | "vector" | "mask" | "element" | "selector" | "number" | "strategy" | "blend" | "list" | "path";

const rows = (maps: readonly MethodRow["maps"][]): readonly MethodRow[] =>
  [...METHODS.values()].filter((row) => maps.includes(row.maps) && row.notServed === undefined);
export const ON_MODELS = rows(["models", "either"]);
export const ON_VECTORS = rows(["vectors", "either"]);
export const MASKS = rows(["mask"]);
export const UNUSUAL = [...METHODS.values()].filter(({ notServed }) => notServed !== undefined);

export const GLOBS = [
  "*.mlp.*",
  "model.layers.{0,1}.*",
  "*norm*",
  "lm_head.*",
  "*embed_tokens*",
  "*[0-9].self_attn*",
  "*.1.*",
  "*.0.*q_proj*",
  "model.layers.[!0].*",
  "*",
];
export const BAD_GLOBS = [
  "{",
  "[",
  "nothing",
  "",
  "{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}",
  "*".repeat(60),
];
export const NUMBERS = ["0.5", "1", "0", "0.2", "2", "1e-5", "3"];
export const BAD_NUMBERS = ["1e308", "1e-320", "-1", "9007199254740993", "1 / 0", "true", '"x"', "5GB", "[1, 2]"];
/** What one may type behind `-p NAME=`. */
export const GIVEN = [
  ...BAD_NUMBERS,
  "",
  " ",
  "-0",
  "0.5 0.5",
  "1e999",
  "bf16",
  "llama",
  "ramp(0, 1)",
  'match("*": 1)',
  "1 # one",
  "_n3",
  "(".repeat(2000),
  "1".repeat(2000),
  "-".repeat(2000) + "1",
  "é𝒳\u202e",
];
export const RANGES = ["0..2", "1..", "0..4", "-2..", "1..3"];
export const BAD_RANGES = ["4..", "2..2", "0..99", "0..0.5", "-9..-8", "0..1e9"];
/** One that does not rescale, so that it goes with all others. */
export const EVERY_MASK = "magnitude(density: 0.5)";
export const DTYPES = ["bf16", "f32", "f16", "f64"];
export const METRICS = ["finite", "norm < 9", "cosine(%) > 0.5", "distance(%) <= 3", "each changed(%) <= 0.5"];

/** What is made of a name by mentioning it twice: of the kind of the name itself. `blend`: a strategy over models. */
export const DOUBLINGS: readonly (readonly [kind: Kind, word: string, make: (name: string) => string])[] = [
  ["vector", "vector", (v) => `${v} + ${v}`],
  ["vector", "vector", (v) => `ties(${v}, -${v})`],
  ["vector", "vector", (v) => `${v} & magnitude(density: 0.5, of: ${v})`],
  ["vector", "vector", (v) => `rebase(${v}, llama + ${v})`],
  ["vector", "vector", (v) => `match("*mlp*": ${v}, else: 0.5 * ${v})`],
  ["model", "merge", (m) => `linear(${m}, ${m}, llama)`],
  ["model", "merge", (m) => `${m} + (maths - ${m})`],
  ["model", "merge", (m) => `match("*mlp*": ${m}, else: scale(${m}, by: 0.5))`],
  ["model", "merge", (m) => `stack(slice(${m}, 0..2), slice(${m}, 2..4))`],
  ["mask", "mask", (k) => `match(layers(0..2): ${k}, else: ${k})`],
  ["mask", "mask", (k) => `match(layers(0..2): ${k}, else: ${k} & "*mlp*")`],
  ["element", "mask", (k) => `${k} | !${k} & "*mlp*"`],
  ["selector", "mask", (k) => `${k} & ("*mlp*" | ${k})`],
  ["selector", "mask", (k) => `${k} | ${k}`],
  ["strategy", "strategy", (s) => `match("*mlp*": ${s}, else: ${s})`],
  ["blend", "strategy", (s) => `match("*mlp*": ${s}, else: ${s})`],
];
