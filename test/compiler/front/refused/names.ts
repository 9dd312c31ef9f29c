// Names: declared twice, unknown, in a cycle, of the wrong file.

import type { RefusedCase } from "./case.ts";

export const NAMES: Readonly<Record<string, RefusedCase>> = {
  "a name declared twice": { code: "duplicate-name", body: `model maths = "models/other"` },
  "a near miss of a declared name": { code: "unknown-name", body: `merge x = linear(maths, coed)` },
  "a name near to nothing": { code: "unknown-name", body: `merge x = linear(maths, zzzzzzzz)` },
  "a near miss of a method": { code: "unknown-name", body: `merge x onto llama using tise { maths }` },
  "a method by its name in mergekit": {
    code: "unknown-name",
    body: `merge x onto llama using dare_ties { maths }`,
  },
  ...Object.fromEntries(
    ["dare_linear", "breadcrumbs_ties", "della_linear", "ramplus_tl"].map((name) => [
      `${name} of mergekit`,
      { code: "unknown-name", body: `merge x onto llama using ${name} { maths }` } as const,
    ]),
  ),
  ...Object.fromEntries(
    [
      ...["ties(lambda: 0.5)", "ties(normalize: false)", "sum(normalize: true)", "mean(normalize: false)"],
      ...[
        "ties(int8_mask: true)",
        "ties(rescale: true)",
        "sum(gamma: 0.01)",
        "sum(epsilon: 0.1)",
        "model_stock(filter_wise: true)",
      ],
      ...["sce(select_topk: 0.5)", "nuslerp(nuslerp_flatten: false)", "nuslerp(nuslerp_row_wise: true)"],
      ...["multislerp(normalize_weights: true)", "multislerp(eps: 1e-8)"],
    ].map((using) => [
      `${using} of mergekit`,
      { code: "unknown-parameter", body: `merge x onto llama using ${using} {\n  maths\n  code\n}` } as const,
    ]),
  ),
  "a clause of mergekit": {
    code: "unknown-clause",
    body: `merge x onto llama using sum {\n  maths weight 0.5 gamma 0.01\n}`,
  },
  "a gradient of mergekit behind weight": {
    code: "wrong-kind",
    body: `merge x onto llama using sum {\n  maths weight [0.1, 0.9]\n}`,
  },
  "a gradient of mergekit in a call": { code: "wrong-kind", body: `merge x = slerp(maths, code, t: [0, 0.5, 1])` },
  "gradients of mergekit behind filters": {
    code: "wrong-kind",
    body: `merge x = slerp(maths, code, t: match("*self_attn*": [0, 0.5, 1], else: 0.5))`,
  },
  "a gradient in a ramp": { code: "wrong-kind", body: `merge x = slerp(maths, code, t: ramp([0, 0.5, 1]))` },
  "a base of slerp": { code: "base-not-used", body: `merge x onto llama using slerp(t: 0.5) { maths }` },
  ...Object.fromEntries(
    ["slerp(t: 0.5)", "scale(by: 0.5)"].map((using) => [
      `a clause where there is none, of ${using}`,
      { code: "unknown-clause", body: `merge x using ${using} {\n  maths weight 0.5\n  code\n}` } as const,
    ]),
  ),
  ...Object.fromEntries(
    ["model_stock", "sce", "magmax"].map((using) => [
      `a weight of ${using}`,
      { code: "unknown-clause", body: `merge x onto llama using ${using} {\n  maths weight 0.5\n  code\n}` } as const,
    ]),
  ),
  "rescale as in mergekit": {
    code: "wrong-kind",
    body: `merge x onto llama using sum {\n  maths mask random(density: 0.5, seed: 7, rescale: true)\n}`,
  },
  ...Object.fromEntries(
    ["tall_masks", "localize_and_stitch", "pcb_merging"].map((using) => [
      `${using} of its paper`,
      { code: "unknown-name", body: `merge x onto llama using ${using} {\n  maths\n  code\n}` } as const,
    ]),
  ),
  "slices in a merge of models": {
    code: "wrong-kind",
    body: `merge x = stack(linear(slice(maths, 0..1), code), maths)`,
  },
  "a slice as an entry": { code: "wrong-kind", body: `merge x using linear {\n  slice(maths, 0..1)\n  code\n}` },
  "a path as an entry": { code: "wrong-kind", body: `merge x using linear {\n  "models/chat"\n  code\n}` },
  "a path to keep": {
    code: "wrong-kind",
    body: `merge x using linear {\n  maths\n  at "lm_head*" keep "models/code"\n}`,
  },
  "a range in a match": {
    code: "wrong-kind",
    body: `merge x = slerp(maths, code, t: match(0..1: 0.3, else: 0.5))`,
  },
  "one layer": { code: "wrong-kind", body: `mask x = layers(3)` },
  ...Object.fromEntries(
    [
      "dtype bfloat16",
      'dtype "float16"',
      "out_dtype bf16",
      "tokenizer_source llama",
      'chat_template "chatml"',
      "tokenizer union",
    ].map((setting, index) => [
      `${setting} of mergekit`,
      {
        code: ["unknown-word", "wrong-kind", "unknown-setting", "unknown-setting", "unknown-setting", "unknown-name"][
          index
        ]!,
        body: `output "dist/x" = maths { ${setting} }`,
      } as const,
    ]),
  ),
  "a clause in YAML": { code: "expected-value", body: `merge x onto llama using sum {\n  maths weight: 0.5\n}` },
  "a called method by its name in mergekit": { code: "unknown-name", body: `merge x = passthrough(maths)` },
  "a mask in place of a strategy": {
    code: "wrong-kind",
    body: `merge x onto llama using della(density: 0.5, seed: 7) { maths }`,
  },
  "a mask in place of a strategy, without what it needs": {
    code: "wrong-kind",
    body: `merge x onto llama using della { maths }`,
  },
  "a filter of mergekit in place of a selector": {
    code: "unknown-name",
    body: `merge x = slerp(maths, code, t: match(self_attn: 0.3, else: 0.5))`,
  },
  "a near miss of a called method": { code: "unknown-name", body: `merge x = linaer(maths, code)` },
  "a value defined by itself": { code: "cycle", body: `merge a = linear(a, maths)` },
  "values defined by each other": {
    code: "cycle",
    body: `merge a = linear(b, maths)\nmerge b = linear(c2, maths)\nmerge c2 = linear(a, maths)`,
  },
  "parameters defined by each other": { code: "cycle", body: `param p: number = q * 2\nparam q: number = p / 2` },
  "a member of something else than an import": { code: "wrong-kind", body: `merge x = linear(maths.weights, code)` },
  "a member that the import lacks": {
    code: "unknown-name",
    body: `import "lib/common.theta" as lib\nmask k = lib.crumb`,
    files: { "/project/lib/common.theta": `theta 1\nmask crumbs = breadcrumbs(density: 0.1, drop_top: 0.01)` },
  },
  "an import used as a value": {
    code: "wrong-kind",
    body: `import "lib/common.theta" as lib\nmask k = lib`,
    files: { "/project/lib/common.theta": `theta 1` },
  },
  "two levels into an import": {
    code: "wrong-kind",
    body: `import "a.theta" as a\nmask k = a.b`,
    files: { "/project/a.theta": `theta 1\nimport "b.theta" as b`, "/project/b.theta": `theta 1` },
  },
  "an import that imports itself": {
    code: "import-cycle",
    body: `import "a.theta" as a`,
    files: {
      "/project/a.theta": `theta 1\nimport "b.theta" as b`,
      "/project/b.theta": `theta 1\nimport "a.theta" as a`,
    },
  },
  "an import of the recipe itself": {
    code: "import-cycle",
    body: `import "a.theta" as a`,
    files: { "/project/a.theta": `theta 1\nimport "merge.theta" as m` },
  },
  "an import that does not exist": { code: "source-missing", body: `import "none.theta" as none\nmask k = none.k` },
  "an error in an imported file": {
    code: "density-range",
    body: `import "lib/common.theta" as lib\nmask k = lib.crumbs`,
    files: { "/project/lib/common.theta": `theta 1\nmask crumbs = magnitude(density: 2)` },
  },
  "an argument of an import that it does not declare": {
    code: "unknown-parameter",
    body: `import "lib.theta" as lib(densty: 0.2)`,
    files: { "/project/lib.theta": `theta 1\nparam density: number = 0.1\nmask k = magnitude(density: density)` },
  },
  "an argument of an import of the wrong kind": {
    code: "wrong-kind",
    body: `import "lib.theta" as lib(density: "high")`,
    files: { "/project/lib.theta": `theta 1\nparam density: number = 0.1\nmask k = magnitude(density: density)` },
  },
};
