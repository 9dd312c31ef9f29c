// Generates tasks for the addon: one that could be right, with some of its values replaced.

import type { Choices } from "./choices.ts";

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

const DTYPES = ["F32", "BF16", "F64", "F16", "I64", "F4", "U8", "WHAT"];
const SHAPES: readonly (readonly number[])[] = [
  [4, 8],
  [32],
  [],
  [2, 3, 4],
  [0],
  [0, 8],
  [8, 0],
  [1024],
  [2 ** 40, 0],
  [0, 2 ** 40],
  [2 ** 53 - 1],
  [2 ** 31, 2 ** 31],
];
const SPOILT: readonly Json[] = [
  -1,
  0,
  1,
  2 ** 31,
  2 ** 53,
  0.5,
  1e308,
  "number:NaN",
  "number:Infinity",
  "number:undefined",
  "bigint:-1",
  "bigint:18446744073709551616",
  "bigint:7",
  null,
  true,
  "tensor",
  "\u0000",
  [],
  {},
  [[]],
];

/** The fields of each operation. `v`: a value; `V`: values; `W`: a weight for each of them; `m`: a value, a mask. */
const OPERATIONS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  load: { input: "input", nan: "nan" },
  resize: { input: "input", nan: "nan", base: "v" },
  lora: { a: "input", b: "input", rank: "count", scaling: "number", transposed: "boolean" },
  subtract: { left: "v", right: "v" },
  add: { left: "v", right: "v" },
  onto: { base: "v", vector: "v" },
  negate: { of: "v" },
  multiply: { of: "v", by: "number" },
  divide: { of: "v", by: "number" },
  magnitude: { of: "v", density: "number", per: "per", atLeastOne: "boolean", tie: "stream" },
  breadcrumbs: { of: "v", density: "number", dropTop: "number", per: "per", atLeastOne: "boolean", tie: "stream" },
  random: { density: "number", seed: "stream", stream: "stream" },
  della: { of: "v", density: "number", epsilon: "number", per: "per", tie: "stream", seed: "stream", stream: "stream" },
  "model-della": { of: "v", seed: "stream", stream: "stream", thresholds: "input", keepsAny: "boolean" },
  "mask-and": { left: "m", right: "m" },
  "mask-or": { left: "m", right: "m" },
  "mask-not": { of: "m" },
  select: { of: "v", mask: "m" },
  "rescale-inv": { of: "v", density: "number" },
  "rescale-della": { of: "v", mask: "m" },
  "rescale-l1": { of: "v", masked: "v" },
  sum: { of: "V", weights: "W", scale: "number" },
  mean: { of: "V", weights: "W", scale: "number" },
  ties: { of: "V", weights: "W", scale: "number", elect: "elect", divide: "divide" },
  variance: { of: "V" },
  largest: { of: "v", share: "number", tie: "stream" },
  sce: { of: "V", chosen: "m" },
  ram: { of: "V", epsilon: "number" },
  "ram-plus": { of: "V", epsilon: "number", r: "number", alpha: "number" },
  consensus: { of: "V", weights: "W", scale: "number", lambda: "number", atLeast: "count" },
  magmax: { of: "V", scale: "number" },
  extremes: { of: "v", clip: "number" },
  pcb: { of: "V", extremes: "V", weights: "W", scale: "number", select: "number" },
  divergence: { of: "v", base: "v" },
  "arcee-fusion": { of: "v", divergence: "v" },
  linear: { of: "V", weights: "W", normalize: "boolean" },
  slerp: { left: "v", right: "v", t: "number", per: "per" },
  karcher: { of: "V", weights: "W", maxIterations: "count", tolerance: "number" },
  "model-stock": { of: "V", per: "per" },
  nearswap: { of: "v", t: "number" },
};
const WORDS = Object.keys(OPERATIONS);
const CHOICES: Readonly<Record<string, readonly Json[]>> = {
  nan: ["propagate", "zero"],
  count: [2, 1, 3, 2 ** 31 - 1],
  number: [0.5, 1, 0, 2, -1, 1e-5, 1e308],
  boolean: [true, false],
  per: ["tensor", "row", "last"],
  stream: ["bigint:1", "bigint:18446744073709551615"],
  elect: ["weighted", "unweighted", "count", "none"],
  divide: ["weights", "count", "none"],
};

/** Bits of magnitudes in float32 and in float64: the largest, 1, 0, a NaN. */
const KEYS: readonly Json[] = [
  "bigint:2139095039",
  "bigint:1065353216",
  "bigint:0",
  "bigint:2143289344",
  "bigint:4607182418800017408",
  "bigint:18446744073709551615",
];
const SAMPLES: readonly Json[] = [
  { run: 4, period: 8 },
  { run: 1, period: 1 },
  { run: 256, period: 2 ** 40 },
  { run: 2 ** 20, period: 2 ** 20 },
  { run: 8, period: 4 },
];

export function makeTask(choices: Choices): Json {
  const kind = choices.pick([
    "compute",
    "compute",
    "compute",
    "gather",
    "gather",
    "rank",
    "find",
    "hash",
    "measure",
    "compare",
    "copy",
    "what",
  ]);
  const shape = choices.pick(SHAPES);
  const dtype = choices.pick(DTYPES);
  const tensor = (): { readonly [key: string]: Json } => {
    const other = choices.chance(1, 20);
    return {
      fd: "fd:in",
      offset: 0,
      dtype: other ? choices.pick(DTYPES) : dtype,
      shape: other ? choices.pick(SHAPES) : shape,
      digest: choices.chance(1, 4),
      ...(dtype === "WHAT" ? { bytes: 64 } : {}),
    };
  };
  const input = tensor();
  const output = { ...tensor(), fd: "fd:out", overflow: choices.pick(["inf", "saturate"]) };
  const inputs = choices.list(1, 3, tensor);
  const task: Json =
    kind === "compute"
      ? {
          kind,
          label: "fuzz",
          inputs,
          operations: operations(inputs.length, choices),
          work: choices.pick(["F32", "F64", "bytes"]),
          output,
          ...(choices.chance(1, 4) ? { measure: { alone: true, against: choices.list(0, 2, tensor) } } : {}),
        }
      : kind === "gather"
        ? gatherTask(inputs, shape, choices)
        : kind === "rank"
          ? rankTask(tensor, shape, choices)
          : kind === "find"
            ? findTask(choices)
            : kind === "copy"
              ? { kind, label: "", from: { fd: "fd:in", offset: 0 }, to: { fd: "fd:out", offset: 8 }, bytes: 64 }
              : { kind, label: "", inputs, input, a: input, b: tensor() };
  return spoilt(task, choices) ?? null;
}

function gatherTask(inputs: readonly Json[], shape: readonly number[], choices: Choices): Json {
  const all = operations(inputs.length, choices);
  const place = (): Json => ({ key: choices.pick(KEYS), tie: choices.pick(CHOICES["stream"]!) });
  const window = (): Json => ({
    of: choices.below(all.length),
    stream: choices.pick(CHOICES["stream"]!),
    first: place(),
    last: place(),
    thinning: choices.pick([0, 1, 30, 63]),
    limit: choices.pick([64, 1, 4096, 2 ** 40]),
  });
  return {
    kind: "gather",
    label: "fuzz",
    inputs,
    operations: all,
    work: choices.pick(["F32", "F64"]),
    shape,
    windows: choices.list(0, 3, window),
    sums: choices.list(0, 2, () => choices.below(all.length)),
    ...(choices.chance(1, 4) ? { sample: choices.pick(SAMPLES) } : {}),
  };
}

/** The tensors of `shape`, and now and then of another one. */
function rankTask(input: () => Json, shape: readonly number[], choices: Choices): Json {
  const tensors = choices.list(1, 3, (): Json => {
    const inputs = choices.list(1, 2, input);
    return {
      inputs,
      operations: operations(inputs.length, choices),
      work: choices.pick(["F32", "F64"]),
      shape: choices.chance(1, 8) ? choices.pick(SHAPES) : shape,
      isSampleable: choices.chance(1, 3),
      tie: choices.pick(CHOICES["stream"]!),
      word: choices.pick(CHOICES["stream"]!),
    };
  });
  const rules = choices.list(1, 3, (): Json => {
    const density = choices.pick([0.5, 0.3, 1e-9, 0.999, 2]);
    return { density, epsilon: choices.pick([0.15, 0.4999999, 1e-12, 1]), seed: choices.pick(CHOICES["stream"]!) };
  });
  const target = (): Json => ({
    tensor: choices.below(tensors.length),
    rule: choices.below(rules.length),
    offset: choices.pick([0, 4096, 1, 2 ** 53 - 1]),
  });
  return { kind: "rank", label: "fuzz", tensors, rules, targets: choices.list(0, 4, target), to: "fd:out" };
}

/** Elements as gather tasks keep them, or any bytes. */
function findTask(choices: Choices): Json {
  const part = (): Json => ({
    elements: `bytes:${choices.list(0, 40, () => choices.pick(["00", "01", "7f", "80", "ff", "8101", "2a"])).join("")}`,
    work: choices.pick(["F32", "F64"]),
    firstKey: choices.pick(KEYS),
    lastKey: choices.pick(KEYS),
    stream: choices.pick(CHOICES["stream"]!),
    weight: choices.pick([1, 0, 64, -1, 1e308]),
  });
  const ranks = choices.list(0, 3, () => choices.pick([0, 1, -1, 30, 1e308]));
  return { kind: "find", label: "fuzz", parts: choices.list(0, 4, part), ranks };
}

/** Loads, then operations, masks where masks belong as far as there are some. */
function operations(inputs: number, choices: Choices): Json[] {
  const all: Json[] = Array.from({ length: inputs }, (_, input) => ({ op: "load", input, nan: "propagate" }));
  const values = all.map((_, index) => index);
  const masks: number[] = [];
  const more = choices.below(6);
  for (let count = 0; count < more; count++) {
    const op = choices.pick(WORDS);
    const of = choices.list(1, 3, () => choices.pick(values));
    const field = (form: string): Json => {
      if (form === "v") return choices.pick(values);
      if (form === "m") return choices.pick(masks.length === 0 ? values : masks);
      if (form === "V") return of;
      if (form === "W") return of.map(() => choices.pick(CHOICES["number"]!));
      return form === "input" ? choices.below(inputs) : choices.pick(CHOICES[form]!);
    };
    const fields = Object.entries(OPERATIONS[op]!).map(([name, form]) => [name, field(form)] as const);
    const isMask = /^(?:magnitude|breadcrumbs|random|della|model-della|largest|mask-)/.test(op);
    (isMask ? masks : values).push(all.length);
    all.push({ op, ...Object.fromEntries(fields) });
  }
  return all;
}

/** The same with values replaced or left out, about one in forty. Undefined leaves a field out. */
function spoilt(value: Json, choices: Choices): Json | undefined {
  if (choices.chance(1, 80)) return choices.chance(1, 4) ? undefined : choices.pick(SPOILT);
  if (Array.isArray(value)) return value.map((element) => spoilt(element as Json, choices) ?? null);
  if (typeof value !== "object" || value === null) return value;
  const fields = Object.entries(value).flatMap(([key, inner]) => {
    const now = spoilt(inner, choices);
    return now === undefined ? [] : [[key, key === "fd" || key === "to" ? safeDescriptor(now) : now] as const];
  });
  return Object.fromEntries(fields);
}

/** A number could be any descriptor of the process. */
function safeDescriptor(value: Json): Json {
  return typeof value === "number" && value >= 0 && Number.isInteger(value) ? 2 ** 31 - 1 : value;
}
