// Values that vary, selectors, masks, lists and sources.

import type { RefusedCase } from "./case.ts";

export const VALUES: Readonly<Record<string, RefusedCase>> = {
  "a match of two kinds": {
    code: "wrong-kind",
    body: `merge x = slerp(maths, code, t: match("*mlp*": 0.5, else: maths))`,
  },
  "a match without a selector": { code: "match-arm", body: `merge x = slerp(maths, code, t: match(0.5, else: 1))` },
  "a match with else alone": { code: "match-arm", body: `merge x = slerp(maths, code, t: match(else: 1))` },
  "a selector behind else": {
    code: "match-arm",
    body: `merge x = slerp(maths, code, t: match(else: 1, "*mlp*": 0.5))`,
  },
  "strategies over different kinds in a match": {
    code: "wrong-kind",
    body: `merge x onto llama using match("*mlp*": sum, else: linear) { maths }`,
  },
  "an element mask as a selector": {
    code: "wrong-kind",
    body: `merge x = slerp(maths, code, t: match(trim: 1, else: 0))`,
  },
  "a ramp with one point": { code: "missing-parameter", body: `merge x = slerp(maths, code, t: ramp(0.5))` },
  "a ramp with an unknown parameter": {
    code: "unknown-parameter",
    body: `merge x = slerp(maths, code, t: ramp(0, 1, ovr: 0..8))`,
  },
  "an empty range of layers": { code: "empty-range", body: `mask x = layers(8..8)` },
  "layers without a range": { code: "wrong-kind", body: `mask x = layers(8)` },
  "a fraction of a layer": { code: "wrong-kind", body: `mask x = layers(0..1.5)` },
  "a mask that is a number": { code: "wrong-kind", body: `mask x = 0.5` },
  "a vector that is a model": { code: "wrong-kind", body: `vector x = maths` },
  "a vector in a file without its base": { code: "wrong-kind", body: `vector x = "vectors/maths"` },
  "a strategy with inputs": { code: "wrong-kind", body: `strategy x = sum(m, c)` },
  "a merge that is a vector": { code: "wrong-kind", body: `merge x = sum(m, c)` },
  "rebase without a base": { code: "input-count", body: `merge x = code + rebase(m)` },
  "an empty list": { code: "empty-list", body: `models none = []` },
  "a pattern that finds nothing": { code: "empty-list", body: `models none = "nothing/*"` },
  "a pattern whose braces slashes cut": { code: "bad-glob", body: `models none = "runs/{a,b/c}/final"` },
  "a list of models that are numbers": { code: "wrong-kind", body: `models x = [1]` },
  "a model that is not a path": { code: "wrong-kind", body: `model x = 3` },
  "a path that is too long": { code: "bad-path", body: `model x = "${"a/".repeat(2049)}"` },
  "an empty path": { code: "bad-path", body: `model x = ""` },
  "a model of the hub": { code: "not-served", body: `model x = "hf://org/name"` },
  "a revision": { code: "not-served", body: `model x = "models/x" @ "main"` },
  "an unknown exception": { code: "unknown-setting", body: `model x = "models/x" { mising base }` },
  "an exception of an unknown word": { code: "unknown-word", body: `model x = "models/x" { missing bas }` },
  "an exception stated twice": {
    code: "duplicate-setting",
    body: `model x = "models/x" {\n  nan zero\n  nan propagate\n}`,
  },
  "a method that is not served": { code: "not-served", body: `merge x onto llama using regmean { maths }` },
  "a function that is not served": { code: "not-served", body: `merge x = moe(llama, maths)` },
  "a group that is not served": { code: "not-served", body: `merge x onto llama using pcb(per: model) { maths }` },
  "a mask of a model": { code: "wrong-kind", body: `mask x = magnitude(density: 0.3, of: maths)` },
  "a mask of a number": { code: "wrong-kind", body: `mask x = della(density: 0.3, seed: 1, of: 0.5)` },
  "a random mask of a vector": { code: "unknown-parameter", body: `mask x = random(density: 0.3, seed: 1, of: m)` },
  "a random mask without a seed": { code: "missing-parameter", body: `mask x = random(density: 0.3)` },
  "a seed below 0": { code: "seed-range", body: `mask x = random(density: 0.3, seed: -1)` },
  "a seed that is no integer": { code: "wrong-kind", body: `mask x = della(density: 0.5, seed: 0.5)` },
  "a density of 0": { code: "density-range", body: `mask x = random(density: 0, seed: 1)` },
  "an epsilon of 0": { code: "epsilon-range", body: `mask x = della(density: 0.5, epsilon: 0, seed: 1)` },
};
