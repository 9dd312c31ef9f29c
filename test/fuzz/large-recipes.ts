// Recipes that are long, deep or name things often: what a careless walk would take minutes, or all memory, over. Each
// ends in a moment, with graphs or with a sentence.

import type { DiagnosticCode } from "../../dsl/diagnostic-codes.ts";

export interface LargeRecipe {
  readonly text: string;
  /** The first error; none when the recipe is right. */
  readonly refused?: DiagnosticCode;
}

const HEAD = 'theta 1\nbase llama = "llama"\nmodel maths = "maths"\nmodel code = "code"\n';

function lines(count: number, line: (index: number) => string): string {
  return Array.from({ length: count }, (_, index) => line(index)).join("\n");
}

function list(count: number, item: (index: number) => string): string {
  return Array.from({ length: count }, (_, index) => item(index)).join(", ");
}

const masked = (mask: string) => `output "d" = llama + ((maths - llama) & ${mask})`;

/** Each name mentions the one before twice, so that there are 2 to the power of the count ways down. */
const DOUBLING: Readonly<Record<string, string>> = {
  "vectors added to themselves": `vector v0 = maths - llama
${lines(60, (i) => `vector v${i + 1} = v${i} + v${i}`)}
output "d" = llama + v60`,
  "merges of themselves": `merge m0 = linear(maths, code)
${lines(60, (i) => `merge m${i + 1} = linear(m${i}, m${i}, llama)`)}
output "d" = m60`,
  "blocks onto themselves that keep themselves": `merge m0 = linear(maths, code)
${lines(40, (i) => `merge m${i + 1} onto m${i} using sum {\nmaths\nat "*.${i % 4}.mlp*" keep m${i}\n}`)}
output "d" = m40`,
  "selectors joined with themselves": `mask k0 = layers(0..2)
${lines(60, (i) => `mask k${i + 1} = k${i} | k${i} & !k${i}`)}
merge m onto llama using sum {\nmaths mask k60\nat k60 { maths weight 2 }\n}
output "d" = m { dtype match(k60: f32, else: bf16) }`,
  "globs joined with themselves": `mask k0 = "*mlp*"
${lines(60, (i) => `mask k${i + 1} = k${i} | k${i}`)}
${masked("k60")}`,
  "masks of elements joined with themselves": `mask k0 = magnitude(density: 0.5, rescale: none)
${lines(60, (i) => `mask k${i + 1} = k${i} | k${i} & k${i}`)}
${masked("k60")}`,
  "masks chosen from themselves": `mask k0 = random(density: 0.5, seed: 1)
${lines(60, (i) => `mask k${i + 1} = match("*mlp*": k${i}, else: k${i})`)}
merge m onto llama using sum {\neach mask k60\nmaths\ncode\n}
output "d" = m`,
  "masks computed from what they mask": `vector v0 = maths - llama
${lines(40, (i) => `vector v${i + 1} = v${i} & magnitude(density: 0.5, of: v${i})`)}
output "d" = llama + v40`,
  "strategies over vectors chosen from themselves": `strategy s0 = ties
${lines(60, (i) => `strategy s${i + 1} = match("*mlp*": s${i}, else: s${i})`)}
merge m onto llama using s60 {\nmaths\n}
output "d" = m`,
  "strategies over models chosen from themselves": `strategy s0 = linear
${lines(60, (i) => `strategy s${i + 1} = match("*mlp*": s${i}, "*attn*": linear, else: s${i})`)}
merge m using s60 {\nmaths\ncode\n}
output "d" = m`,
  "models chosen from themselves": `merge m0 = linear(maths, code)
${lines(60, (i) => `merge m${i + 1} = match("*mlp*": m${i}, "*attn*": linear(m${i}, llama), else: m${i})`)}
output "d" = m60`,
  "vectors rebased to themselves": `vector v0 = maths - llama
${lines(60, (i) => `vector v${i + 1} = rebase(v${i}, llama + v${i})`)}
output "d" = llama + v60`,
  "numbers multiplied by themselves": `param p0: number = 0.5
${lines(60, (i) => `param p${i + 1}: number = p${i} * p${i} + 0.1`)}
output "d" = linear(maths, code, weight: [p60, 1])`,
  "stacks of themselves, halved": `merge m0 = linear(maths, code)
${lines(8, (i) => `merge m${i + 1} = stack(slice(m${i}, 0..2), slice(m${i}, 2..4))`)}
output "d" = m8`,
  "gates against themselves": `merge m0 = linear(maths, code)
${lines(40, (i) => `merge m${i + 1} = linear(m${i}, m${i}, llama)`)}
output "d" = m40
expect m40 {\n${lines(40, (i) => `cosine(m${i}) > 0.5`)}\n}`,
};

const LONG: Readonly<Record<string, string>> = {
  "inputs of a merge": `merge m onto llama using ties {\n${lines(3000, (i) => `maths weight 0.${i + 1}`)}\n}
output "d" = m`,
  "inputs of a call": `output "d" = linear(${list(3000, () => "maths")})`,
  "inputs with numbers that vary": `merge m onto llama using ties {
each weight match(${list(1000, (i) => `"*${i % 4}*": ${i}`)}, else: 1) mask match(${list(200, () => `"*mlp*": magnitude(density: 0.5)`)}, else: random(density: 0.5, seed: 1))
${lines(1000, (i) => `${i + 1} * d`)}\n}
vector d = maths - llama
output "d" = m`,
  "arms of a match": `merge m = scale(maths, by: match(${list(3000, (i) => `"*${i % 4}*": ${i}`)}, else: 1))
output "d" = m`,
  "parts of a mask": `mask k = ${Array.from({ length: 500 }, () => '"*mlp*"').join(" & ")}\n${masked("k")}`,
  "globs of a selector": `mask k = tensors(${list(20_000, (i) => `"*${i % 4}*"`)})\n${masked("k")}`,
  "stars of a glob": `mask k = tensors("${"*e".repeat(2)}${"*".repeat(4000)}")\n${masked("k")}`,
  "braces of a glob": `mask k = tensors("${"{*,l}".repeat(10)}${"*".repeat(300)}")\n${masked("k")}`,
  outputs: lines(300, (i) => `output "d${i}" = linear(maths, code)`),
  gates: `output "d" = linear(maths, code)
${lines(2000, (i) => `expect linear(maths, code) {\nnorm < ${i + 1}\n}`)}`,
  "gates against as many models": `merge m = linear(maths, code)
output "d" = m
expect m {\n${lines(500, (i) => `cosine(linear(maths, llama, weight: [1, ${i + 1}])) > 0.5`)}\n}`,
  "outputs with the same gates": `merge m = linear(maths, code)
${lines(40, (i) => `output "d${i}" = m`)}
expect m {\n${lines(40, (i) => `cosine(llama) > 0.${i + 1}`)}\n}`,
  "outputs with gates of their own": lines(
    500,
    (i) => `merge m${i} = linear(maths, code, weight: [1, ${i + 1}])\noutput "d${i}" = m${i}\nexpect m${i} { finite }`,
  ),
  "expectations of chains that say what outputs say": `merge a0 = linear(maths, code)
merge b0 = linear(maths, code)
${lines(200, (i) => `merge a${i + 1} = linear(a${i}, llama)\nmerge b${i + 1} = linear(b${i}, llama)`)}
${lines(50, (i) => `output "d${i}" = a${i + 100}\nexpect b${i + 100} { finite }`)}`,
  "uses of a long mask": `mask k = match(${list(1000, (i) => `"*${i % 4}*": magnitude(density: 0.${i + 1})`)}, else: "*")
merge m onto llama using sum {\neach mask k\n${lines(1000, (i) => `${i + 1} * d`)}\n}
vector d = maths - llama
output "d" = m`,
  "merges of a chain of vectors": `vector v0 = maths - llama
${lines(10_000, (i) => `vector v${i + 1} = -v${i}\nmerge m${i} = llama + ties(v${i}, v${i})`)}
output "d" = llama`,
  "merges of a chain of masked vectors": `vector v0 = maths - llama
${lines(3000, (i) => `vector v${i + 1} = v${i} & random(density: 0.5, seed: ${i})\nmerge m${i} = llama + ties(v${i}, v0)`)}
output "d" = llama`,
  "slices of a deep model": `merge m0 = linear(maths, code)
${lines(100, (i) => `merge m${i + 1} = linear(m${i}, llama, weight: [match("*mlp*": 1, else: 2), 1])`)}
output "d" = stack(${list(200, (i) => `slice(m100, ${i % 4}..${(i % 4) + 1})`)})`,
  "thresholds of whole models": `vector v0 = maths - llama
${lines(100, (i) => `vector v${i + 1} = v${i} & magnitude(density: 0.5, per: model)`)}
output "d" = llama + v100`,
  "selectors behind one at": `merge m onto llama using sum {
maths\nat ${list(30_000, (i) => `layers(0..${(i % 3) + 1})`)} { maths weight 2 }\n}
output "d" = m`,
  "points of a ramp": `output "d" = scale(maths, by: ramp(${list(50_000, String)}))`,
  "entries of an at block": `merge m onto llama using sum {
${lines(500, (i) => `${i} * d`)}
${lines(4, (k) => `at "*.${k}.*" {\n${lines(500, (i) => `${i} * d weight ${k}`)}\n}`)}\n}
vector d = maths - llama
output "d" = m`,
  "masks that nobody uses": lines(20_000, (i) => `mask k${i} = "*mlp*" | "*attn*"`),
  "vectors that nobody uses": lines(20_000, (i) => `vector v${i} = maths - llama`),
};

const REFUSED: Readonly<Record<string, LargeRecipe>> = {
  "stacks of themselves, four times as high each": {
    text: `merge m0 = linear(maths, code)
${lines(12, (i) => `merge m${i + 1} = stack(m${i}, m${i}, m${i}, m${i})`)}
output "d" = m12`,
    refused: "too-deep",
  },
  "a chain of merges": {
    text: `merge m0 = linear(maths, code)
${lines(20_000, (i) => `merge m${i + 1} = linear(m${i}, llama)`)}
output "d" = m20000`,
    refused: "too-deep",
  },
  "names that nobody declares": {
    text: lines(20_000, (i) => `vector v${i} = nobody${i} - nowhere${i}`),
    refused: "unknown-name",
  },
  "globs that match nothing": {
    text: `mask k = tensors(${list(20_000, (i) => `"*nothing${i}*"`)})\n${masked("k")}`,
    refused: "no-such-tensor",
  },
  "layers that are not there": {
    text: `merge m onto llama using sum {\nmaths\n${lines(5000, (i) => `at layers(${i}..${i + 1}) { maths weight ${i} }`)}\n}
output "d" = m`,
    refused: "no-such-layer",
  },
  "a cycle that closes everywhere": {
    text: lines(20_000, (i) => `vector v${i} = v${(i + 1) % 20_000} - v0`),
    refused: "cycle",
  },
  "clauses that nobody knows": {
    text: `merge m onto llama using sum {\n${lines(20_000, (i) => `each foo${i} ${i}`)}\nmaths\n}\noutput "d" = m`,
    refused: "unknown-clause",
  },
  "operations beyond all memory": {
    text: `merge m onto llama using sum {\n${lines(20_000, (i) => `maths weight ${i + 1}`)}\n}
${lines(100, (i) => `output "d${i}" = m`)}`,
    refused: "too-deep",
  },
  "gates beyond all memory": {
    text: `merge m onto llama using sum {\n${lines(5000, (i) => `maths weight ${i + 1}`)}\n}
${lines(100, (i) => `output "d${i}" = maths`)}
expect maths {\n${lines(100, (i) => `cosine(m + ${i} * (maths - llama)) > 0.5`)}\n}`,
    refused: "too-deep",
  },
  "blocks of which nothing is left": {
    text: `merge m onto llama using sum {\nmaths\n${lines(3000, (i) => `at "*.${i}.*" | "*mlp*${i}" { maths weight 0.${i + 1} }`)}\n}
output "d" = m`,
    refused: "no-such-tensor",
  },
};

export const LARGE_RECIPES: ReadonlyMap<string, LargeRecipe> = new Map([
  ...Object.entries({ ...DOUBLING, ...LONG }).map(([name, text]) => [name, { text: `${HEAD}${text}\n` }] as const),
  ...Object.entries(REFUSED).map(([name, one]) => [name, { ...one, text: `${HEAD}${one.text}\n` }] as const),
]);
