// Text and headers in, diagnostics out.

import { describe, expect, it } from "vitest";
import { compileText, diagnosticText, TENSORS } from "../../support/compile-text.ts";
import type { MemoryModel, MemorySources } from "../../support/memory-host.ts";

const TIED = { "lm_head.weight": "model.embed_tokens.weight" };
const MODEL = { tensors: TENSORS };
const TIED_MODEL = { tensors: TENSORS, tied: TIED };
const SOURCES: MemorySources = {
  models: { "models/llama": TIED_MODEL, "models/maths": TIED_MODEL, "models/code": MODEL },
};

const HEAD = `theta 1
base  llama = "models/llama"
model maths = "models/maths"
`;

function without(tensors: Readonly<Record<string, string>>, ...names: readonly string[]) {
  return Object.fromEntries(Object.entries(tensors).filter(([name]) => !names.includes(name)));
}

function said(body: string, sources: MemorySources = SOURCES, head = HEAD): string {
  const { diagnostics, tensors } = compileText(`${head}${body}\n`, sources);
  if (diagnostics.some(({ severity }) => severity === "error")) expect(tensors).toBeUndefined();
  return diagnosticText(diagnostics);
}

function withMaths(tensors: Readonly<Record<string, string>>, more: object = {}): MemorySources {
  return { models: { ...SOURCES.models, "models/maths": { tensors, ...more } } };
}

const MERGE = 'merge m onto llama using sum { maths }\noutput "out" = m';

it("a model of a list is told by its path, and that its settings are the list's", () => {
  const deep = { ...TENSORS, "model.layers.2.mlp.up_proj.weight": "bf16 [16, 8]" };
  const shallow = without(TENSORS, "model.norm.weight");
  const models = {
    ...SOURCES.models,
    "tunes/a": { tensors: deep, tied: TIED },
    "tunes/b": { tensors: shallow, tied: TIED },
  };
  const list = 'base llama = "models/llama"\nmodels all = ["tunes/a", "tunes/b"]\n';
  const body = 'merge m onto llama using mean { all }\noutput "out" = m';
  expect(said(body, { models }, `theta 1\n${list}`)).toMatchInlineSnapshot(`
    "merge.theta:3:1: error[extra-tensor]: all[0] ("tunes/a") has model.layers.2.mlp.up_proj.weight, which llama has not
       help: write { extra skip } behind the list all, for all its models, to leave what llama lacks out of the output
    merge.theta:3:1: error[missing-tensor]: all[1] ("tunes/b") has no tensor model.norm.weight
       help: write { missing base } behind the list all, for all its models, to count it as unchanged, { missing skip } to leave all[1] out there"
  `);
});

describe("side files of another model", () => {
  const LONGER = { ...TENSORS, "model.embed_tokens.weight": "bf16 [33, 8]" };
  const HEADED = { ...TENSORS, "lm_head.weight": "bf16 [32, 8]" };
  const RESIZED = HEAD.replace('"models/maths"', '"models/maths" { resize common }');
  const withConfig = (sources: MemorySources, setting = "config maths") =>
    said(`${MERGE} { ${setting} }`, sources, RESIZED);

  it("must speak of as many tokens as the output has rows", () => {
    const maths = { tied: TIED, vocabulary: 33 };
    expect(withConfig(withMaths(LONGER, maths))).toMatchInlineSnapshot(`
      "merge.theta:5:1: error[config-vocabulary]: config.json of maths says vocab_size 33, and model.embed_tokens.weight of the output has 32 rows
         help: name a model whose config.json is true of the output"
    `);
    const llama = { ...TIED_MODEL, vocabulary: 32 };
    const both = { "models/llama": llama, "models/maths": { tensors: LONGER, ...maths } };
    expect(withConfig({ models: both })).toContain("help: leave config out: that of llama fits, and is copied then");
    expect(withConfig(withMaths(TENSORS, { tied: TIED, vocabulary: 32 }))).toBe("");
    // Its own rows are not what it says either.
    expect(withConfig(withMaths(LONGER, { tied: TIED, vocabulary: 40 }))).toBe("");
    expect(withConfig(withMaths(LONGER, maths), "shard 1GB")).toBe("");
    expect(withConfig(withMaths(LONGER, maths), "config llama")).toBe("");
  });

  it("must tie what the output ties", () => {
    const tied = { ...TIED_MODEL, saysTied: true };
    const apart = { tensors: HEADED, saysTied: false };
    const withBoth = (llama: MemoryModel, maths: MemoryModel) =>
      withConfig({ models: { "models/llama": llama, "models/maths": maths } });
    expect(withBoth(tied, apart)).toMatchInlineSnapshot(`
      "merge.theta:3:1: error[tied-apart]: maths stores lm_head.weight apart from model.embed_tokens.weight; in llama they are one tensor
         help: write { extra skip } behind maths to use its model.embed_tokens.weight for both
      merge.theta:5:1: error[config-vocabulary]: config.json of maths says tie_word_embeddings false, and in the output lm_head.weight and model.embed_tokens.weight are one tensor
         help: leave config out: that of llama fits, and is copied then"
    `);
    expect(withBoth(apart, tied)).toMatchInlineSnapshot(`
      "merge.theta:5:1: error[config-vocabulary]: config.json of maths says tie_word_embeddings true, and the output stores lm_head.weight apart from model.embed_tokens.weight
         help: leave config out: that of llama fits, and is copied then"
    `);
    expect(withBoth(apart, apart)).toBe("");
    // Models are saved with a head that their configuration ties, and with nothing said of it.
    expect(withBoth({ tensors: HEADED, saysTied: true }, tied)).toBe("");
    expect(withBoth({ tensors: HEADED }, tied)).toBe("");
    expect(withBoth(apart, TIED_MODEL)).toBe("");
  });

  it("warn of tokens that have no row", () => {
    expect(withConfig(withMaths(LONGER, { tied: TIED }), "tokenizer maths")).toMatchInlineSnapshot(`
      "merge.theta:5:1: warning[tokenizer-vocabulary]: the tokenizer of maths may have tokens that the output has no row for: model.embed_tokens.weight has 32 rows, in maths 33
         help: make maths the base of the merge to keep its rows, or leave tokenizer out"
    `);
    const shorter = { ...TENSORS, "model.embed_tokens.weight": "bf16 [31, 8]" };
    expect(withConfig(withMaths(shorter, { tied: TIED }), "tokenizer maths")).toBe("");
  });
});

describe("models that compute otherwise with tensors of equal shapes", () => {
  const model = (computation: Readonly<Record<string, string>>, more: object = {}) => ({
    ...TIED_MODEL,
    layers: [],
    computation,
    ...more,
  });
  const LLAMA = { model_type: '"llama"', num_attention_heads: "32", rope_theta: "10000" };
  const withModels = (llama: MemoryModel, maths: MemoryModel, body = MERGE) =>
    said(body, { models: { ...SOURCES.models, "models/llama": llama, "models/maths": maths } });

  it("are warned of", () => {
    expect(withModels(model(LLAMA), model({ ...LLAMA, num_attention_heads: "16", rope_theta: "1000000" })))
      .toMatchInlineSnapshot(`
        "merge.theta:3:1: warning[other-computation]: config.json of maths says that it computes otherwise than llama with tensors of equal shapes
           num_attention_heads  16, where llama has 32
           rope_theta  1000000, where llama has 10000
           help: merge fine-tunes of one base; the output computes as llama does"
      `);
    expect(withModels(model(LLAMA), model(LLAMA))).toBe("");
    // What a file does not say is its class's affair.
    expect(withModels(model(LLAMA), model({ head_dim: "64", rope_theta: "10000" }))).toBe("");
    expect(withModels(model(LLAMA), TIED_MODEL)).toBe("");
  });

  it("are compared with the configuration that the output gets", () => {
    const maths = model({ rope_theta: "500000" });
    expect(withModels(model(LLAMA), maths, `${MERGE} { config maths }`)).toMatchInlineSnapshot(`
      "merge.theta:2:1: warning[other-computation]: config.json of llama says that it computes otherwise than maths with tensors of equal shapes
         rope_theta  10000, where maths has 500000
         help: merge fine-tunes of one base; the output computes as maths does"
    `);
    expect(withModels(model(LLAMA), maths, 'vector v = maths - llama\noutput "out" = v')).toMatchInlineSnapshot(`
      "merge.theta:3:1: warning[other-computation]: config.json of maths says that it computes otherwise than llama with tensors of equal shapes
         rope_theta  500000, where llama has 10000
         help: merge fine-tunes of one base"
    `);
  });

  it("are told once, where all models of a task vector are of another family", () => {
    const other = model({ rope_theta: "500000" });
    const models = { "models/llama": model(LLAMA), "models/maths": other, "models/code": other };
    const body =
      'model code = "models/code"\nmerge m onto llama using sum { rebase(maths - code, llama) }\noutput "out" = m';
    expect(said(body, { models }).match(/warning/g)).toHaveLength(1);
  });

  it("may have a configuration where the base has none", () => {
    expect(withModels(TIED_MODEL, model(LLAMA))).toMatchInlineSnapshot(`
      "merge.theta:5:1: warning[output-without-config]: llama has no config.json, so the output gets none; maths has one
         help: put one beside the tensors of llama, or name the model whose config.json is to be copied with config"
    `);
    expect(withModels(TIED_MODEL, model(LLAMA), `${MERGE} { config maths }`)).toBe("");
    expect(withModels(TIED_MODEL, model(LLAMA), 'output "out" = maths - llama')).toBe("");
    expect(withModels(TIED_MODEL, TIED_MODEL)).toBe("");
  });
});

describe("patterns", () => {
  it("that match nothing name the nearest tensor and what it is tied to", () => {
    expect(said('merge m onto llama using sum {\n  maths\n  at "lm_heads.*"  keep llama\n}\noutput "out" = m'))
      .toMatchInlineSnapshot(`
        "merge.theta:6:6: error[no-such-tensor]: "lm_heads.*" matches no tensor of llama (6 tensors)
           help: did you mean "lm_head.*"? (lm_head.weight, tied to model.embed_tokens.weight)"
      `);
  });

  it("that match a part of a name, as mergekit's filters do, are told how they match", () => {
    expect(
      said('merge m onto llama using sum {\n  maths weight match("self_attn": 0.3, else: 0.5)\n}\noutput "out" = m'),
    ).toMatchInlineSnapshot(`
      "merge.theta:5:22: error[no-such-tensor]: "self_attn" matches no tensor of llama (6 tensors)
         help: a glob matches the whole name: write "*self_attn*""
    `);
  });

  it("are told once for all clauses and outputs", () => {
    const text = said(`merge m onto llama using sum {
  each mask magnitude(density: 0.5)
  maths
  at "*nothing*" { maths weight 2 mask magnitude(density: 0.25) }
}
output "a" = m
output "b" = m`);
    expect(text.match(/no-such-tensor/g)).toHaveLength(1);
  });

  it("must be globs, layers must exist, and an intersection must not be empty", () => {
    expect(
      said(`merge m onto llama using sum {
  maths weight match("[a": 1, layers(4..8): 2, layers(0..1) & "*norm*": 3, else: 4)
}
output "out" = m`),
    ).toMatchInlineSnapshot(`
      "merge.theta:5:22: error[bad-glob]: "[a" is no glob: a [ is not closed
      merge.theta:5:31: error[no-such-layer]: layers(4..8) takes no tensor of llama (model.layers has 2)
      merge.theta:5:48: error[no-such-tensor]: no tensor of llama is taken by all of this"
    `);
  });

  it("warn of layers that are not there beside some that are", () => {
    const numbers = "match(layers(1..3): 1, else: ramp(0, 1, over: 0..2))";
    expect(said(`merge m onto llama using sum {\n  maths weight ${numbers}\n}\noutput "out" = m`))
      .toMatchInlineSnapshot(`
      "merge.theta:5:22: warning[beyond-layers]: layers(1..3) goes beyond the layers of llama (model.layers has 2)
         help: layers are numbered from 0, and B in A..B is the first that is left out"
    `);
    expect(said(MERGE.replace("maths", "maths weight ramp(0, 1, over: -3..)"))).toContain("warning[beyond-layers]");
    // A mask may be meant for models of several depths.
    const deep = { ...TENSORS, "model.layers.2.mlp.up_proj.weight": "bf16 [16, 8]" };
    const shared = `mask early = layers(0..3)\nmodel deep = "models/deep"\noutput "a" = llama + ((maths - llama) & early)
output "b" = deep + ((deep - deep) & early)`;
    expect(said(shared, { models: { ...SOURCES.models, "models/deep": { tensors: deep, tied: TIED } } })).toBe("");
    // A tower has other numbers of layers.
    const tower = { ...TENSORS, "vision.layers.2.w": "bf16 [8]" };
    const models = { "models/llama": { tensors: tower }, "models/maths": { tensors: tower } };
    expect(said(MERGE.replace("maths", "maths weight match(layers(0..3): 1, else: 2)"), { models })).toBe("");
  });

  it("are cut in a message when they are very long", () => {
    const text = said(`merge m onto llama using sum { maths mask "${"[a".repeat(200_000)}" }\noutput "out" = m`);
    expect(text).toContain("error[bad-glob]");
    expect(text.length).toBeLessThan(300);
  });

  it("that an earlier one covers can never win", () => {
    expect(
      said(
        'merge m onto llama using sum {\n  maths weight match("*.weight": 1, "*mlp*": 2, else: 3)\n}\noutput "out" = m',
      ),
    ).toContain("merge.theta:5:37: warning[never-wins]");
    expect(
      said(`merge m onto llama using sum {
  maths
  at "*.up_proj.*" { maths weight 2 }
  at "*mlp*" keep llama
}
output "out" = m`),
    ).toContain("merge.theta:6:6: error[at-never-wins]");
  });
});

describe("numbers that vary", () => {
  it("must have a value for every tensor", () => {
    expect(said('merge m onto llama using sum {\n  maths weight match("*mlp*": 1)\n}\noutput "out" = m'))
      .toMatchInlineSnapshot(`
        "merge.theta:5:16: error[match-incomplete]: match leaves model.embed_tokens.weight without a value
           note: and 3 more tensors
           help: add an else"
      `);
  });

  it("must stay in range", () => {
    expect(
      said(
        'merge m onto llama using sum {\n  maths mask magnitude(density: 2 * ramp(0.25, 0.75))\n}\noutput "out" = m',
      ),
    ).toContain("error[density-range]: density must be above 0 and at most 1, not 1.5, which it is for");
  });

  it("need layers for a ramp", () => {
    const flat = { tensors: { w: "bf16 [4]" } };
    expect(
      said('merge m onto llama using sum { maths weight ramp(0, 1) }\noutput "out" = m', {
        models: { "models/llama": flat, "models/maths": flat },
      }),
    ).toMatchInlineSnapshot(
      `"merge.theta:4:45: error[ramp-without-layers]: a ramp runs over layers, and llama has none (no tensor name has a number between dots)"`,
    );
    expect(
      said('merge m onto llama using lines(beta: 0.5) { maths }\noutput "out" = m', {
        models: { "models/llama": flat, "models/maths": flat },
      }),
    ).toContain(
      "merge.theta:4:26: error[ramp-without-layers]: lines runs over layers, and llama has none (no tensor name has a number",
    );
  });

  it("must not sum to zero where they divide", () => {
    expect(said('merge m = linear(llama, maths, weight: [0.5, -0.5])\noutput "out" = m')).toMatchInlineSnapshot(`
      "merge.theta:4:11: error[weights-sum-to-zero]: the weights sum to zero for model.embed_tokens.weight, so their mean is undefined
         note: the weights there are 0.5, -0.5
         note: and 5 more tensors
         help: change a weight, or use sum, which does not divide"
    `);
    expect(said('merge m = linear(llama, maths, weight: [1, -0.9999999999999999])\noutput "out" = m')).toContain(
      "weights-sum-to-zero",
    );
    expect(said('merge m = linear(llama, maths, weight: [1e-60, 1e-60])\noutput "out" = m')).toContain(
      "weights-sum-to-zero",
    );
    expect(said('merge m onto llama using mean { maths weight 0 }\noutput "out" = m')).toContain("weights-sum-to-zero");
    for (const method of ["nuslerp", "multislerp", "karcher"]) {
      expect(said(`merge m = ${method}(llama, maths, weight: [1, -1])\noutput "out" = m`)).toContain(
        "weights-sum-to-zero",
      );
      const varying = `weight: [1, match("*norm*": -1, else: 1)]`;
      expect(said(`merge m = ${method}(llama, maths, ${varying})\noutput "out" = m`)).toMatch(
        /weights sum to zero for model\.\S*norm/,
      );
    }
  });

  it("are told of a tensor once, whatever number of entries has them", () => {
    // Layer 0 has two.
    const body = "{ each mask della(density: 0.9, seed: 1)\nmaths\nllama weight 2\nat !layers(0..1) keep llama }";
    expect(said(`merge m onto llama using sum ${body}\noutput "out" = m`)).toMatchInlineSnapshot(`
      "merge.theta:6:1: warning[base-as-entry]: llama is the base of this merge; as an entry it counts as a model that changed nothing
         help: leave it out, as mergekit does with the base among its models
      merge.theta:4:42: error[epsilon-range]: density - epsilon must be above 0 and density + epsilon below 1; density is 0.9 and epsilon 0.15 for model.layers.0.mlp.up_proj.weight
         note: della keeps the smallest with probability density - epsilon, the largest with density + epsilon
         note: and 1 more tensor
         help: choose a smaller epsilon"
    `);
  });

  it("must fit the work type", () => {
    expect(said('merge m onto llama using sum { maths weight 1e60 }\noutput "out" = m')).toContain(
      "merge.theta:4:45: error[number-too-large]: 1e+60 is infinite in f32, the type of the work for ",
    );
    expect(said('merge m onto llama using sum { maths weight 1e60 }\noutput "out" = m { dtype f64 }')).toBe("");
    // What elements are compared with meets them, too.
    for (const strategy of ["ram(epsilon: 1e39)", "ram_plus(epsilon: 1e39)", "consensus(lambda: 1e39, at_least: 1)"]) {
      const merge = `merge m onto llama using ${strategy} { maths }\noutput "out" = m`;
      const at = merge.indexOf("1e39") + 1;
      expect(said(merge)).toContain(`merge.theta:4:${at}: error[number-too-large]: 1e+39`);
      expect(said(`${merge} { dtype f64 }`)).toBe("");
    }
  });

  it("that are sums of two point at the larger", () => {
    const lines = (factors: string) => said(`merge m = llama + lines(maths - llama, ${factors})\noutput "out" = m`);
    const beta = lines("alpha: 1, beta: 1e39");
    expect(beta).toMatch(/^merge\.theta:4:56: error\[number-too-large\]: 1e\+39 is infinite in f32/);
    expect(beta.match(/error/g)).toHaveLength(1);
    expect(lines("alpha: 1e39, beta: 0")).toMatch(/^merge\.theta:4:47: error\[number-too-large\]: 1e\+39 is/);
  });

  it("of float64 have no larger type to be told of", () => {
    const text = said(
      'merge m = llama + lines(maths - llama, alpha: 1.5e308, beta: 1.5e308)\noutput "out" = m { dtype f64 }',
    );
    expect(text).toContain("Infinity is infinite in f64");
    expect(text).not.toContain("write the output as f64");
  });

  it("must not divide by what is 0 in the work type", () => {
    const density = "merge m onto llama using sum { maths mask magnitude(density: 1e-46, rescale: inv) }";
    expect(said(`${density}\noutput "out" = m`)).toMatchInlineSnapshot(`
      "merge.theta:4:62: error[division-by-zero]: model.embed_tokens.weight is divided by 1e-46, which is 0 in f32, the type of the work
         note: and 5 more tensors
         help: divide by a larger number, or write the output as f64"
    `);
    expect(said(`${density}\noutput "out" = m { dtype f64 }`)).toBe("");
    expect(said(`${density.replace("inv", "none")}\noutput "out" = m`)).toBe("");
    expect(said('merge m = llama + (maths - llama) / 1e-46\noutput "out" = m')).toContain("error[division-by-zero]");
    expect(said('merge m = llama + (maths - llama) / 1e-45\noutput "out" = m')).toBe("");
  });
});

describe("tensors that do not fit", () => {
  it("have their shapes side by side", () => {
    const wide = withMaths({
      ...TENSORS,
      "model.layers.1.mlp.up_proj.weight": "bf16 [20, 8]",
      "model.norm.weight": "f32 [9]",
    });
    expect(said(MERGE, wide)).toMatchInlineSnapshot(`
      "merge.theta: error[shape-mismatch]: model.layers.1.mlp.up_proj.weight has different shapes
         llama  [16, 8] bf16  models/llama/model.safetensors  declared at merge.theta:2:1
         maths  [20, 8] bf16  models/maths/model.safetensors  declared at merge.theta:3:1
         note: and 1 more tensor"
    `);
  });

  it("are missing or extra", () => {
    const other = withMaths({ ...without(TENSORS, "model.norm.weight"), "model.norms.weight": "bf16 [8]" });
    expect(said(MERGE, other)).toMatchInlineSnapshot(`
      "merge.theta:3:1: error[extra-tensor]: maths has model.norms.weight, which llama has not
         help: write { extra skip } behind maths to leave what llama lacks out of the output
      merge.theta:3:1: error[missing-tensor]: maths has no tensor model.norm.weight
         help: write { missing base } behind maths to count it as unchanged, { missing skip } to leave maths out there"
    `);
    const excused = HEAD.replace('"models/maths"', '"models/maths" { extra skip\n missing base }');
    expect(said(MERGE, other, excused)).toBe("");
  });

  it("have nothing in common", () => {
    expect(said(MERGE, withMaths({ "transformer.h.0.w": "bf16 [4]" }))).toMatchInlineSnapshot(`
      "merge.theta:3:1: error[no-common-tensors]: maths and llama have no tensor in common
         note: maths has 1 tensor, such as transformer.h.0.w
         note: llama has 6 tensors, such as model.embed_tokens.weight"
    `);
  });

  it("are tied in one model and apart in another", () => {
    const apart = withMaths({ ...TENSORS, "lm_head.weight": "bf16 [32, 8]" });
    expect(said(MERGE, apart)).toContain(
      "error[tied-apart]: maths stores lm_head.weight apart from model.embed_tokens.weight; in llama they are one tensor",
    );
  });

  it("are tied but asked for different things by their names", () => {
    expect(
      said(`merge m onto llama using sum {
  maths
  at "lm_head.*"      { maths weight 0.25 }
  at "*embed_tokens*" { maths weight 0.5 }
}
output "out" = m`),
    ).toContain(
      "error[tied-names-differ]: model.embed_tokens.weight and lm_head.weight are one tensor but are given different values",
    );
    expect(
      said(`merge m onto llama using sum {
  maths
  at "lm_head.*"      { maths weight 0.25 }
  at "*embed_tokens*" { maths weight 0.25 }
}
output "out" = m`),
    ).toBe("");
  });

  it("are integers of another shape, or floats that no arithmetic is served for", () => {
    const count = (text: string) => ({ tensors: { ...TENSORS, "bn.count": text } });
    expect(said(MERGE, { models: { "models/llama": count("i64 [2]"), "models/maths": count("i64 [3]") } })).toContain(
      "error[integer-mismatch]: bn.count is copied, not merged, and maths has another one",
    );
    expect(
      said(MERGE, { models: { "models/llama": count("f8_e8m0 [2]"), "models/maths": count("f8_e8m0 [2]") } }),
    ).toContain("error[not-served]: arithmetic on f8_e8m0 is not served yet, and bn.count of llama is one");
    expect(
      said(
        'output "out" = llama',
        { models: { ...SOURCES.models, "models/llama": count("f8_e8m0 [2]") } },
        HEAD.split("model ")[0],
      ),
    ).toBe("");
    expect(said(MERGE, { models: { "models/llama": count("bf16 [2]"), "models/maths": count("i32 [2]") } })).toContain(
      "error[dtype-mismatch]: bn.count is i32 in maths",
    );
  });

  it("are quantized", () => {
    expect(said(MERGE, withMaths(TENSORS, { quantization: "quantization_config says gptq" }))).toContain(
      "merge.theta:3:1: error[quantized-model]: maths is quantized (quantization_config says gptq)",
    );
  });

  it("differ in vocabulary, which may be excused", () => {
    const longer = withMaths({ ...TENSORS, "model.embed_tokens.weight": "bf16 [34, 8]" }, { tied: TIED });
    expect(said(MERGE, longer)).toContain("help: write { resize common } behind maths");
    const excused = HEAD.replace('"models/maths"', '"models/maths" { resize common }');
    expect(said(MERGE, longer, excused)).toBe("");
    const wider = withMaths({ ...TENSORS, "model.norm.weight": "bf16 [9]" }, { tied: TIED });
    expect(said(MERGE, wider, excused)).toContain("error[shape-mismatch]: model.norm.weight has different shapes");
  });
});

describe("adapters", () => {
  const head = `theta 1\nbase llama = "models/llama"\nadapter chat = "chat" on llama\n`;
  const merge = 'merge m onto llama using sum { chat }\noutput "out" = m';
  const withChat = (modules: Record<string, readonly [number, number]>, more: object = {}): MemorySources => ({
    ...SOURCES,
    adapters: { chat: { modules, ...more } },
  });

  it("change modules that the base has, near misses named", () => {
    const near = { "model.layers.0.self_attn.q_prj": [8, 8], "model.layers.9.x": [8, 8] } as const;
    const some = { ...near, "model.layers.0.mlp.up_proj": [16, 8] } as const;
    const skip = head.replace("on llama", "on llama { extra skip }");
    expect(said(merge, withChat(some), skip)).toBe("");
    // It would change nothing.
    expect(said(merge, withChat(near), skip)).toContain("help: use it on the model that it was trained on");
    expect(said(merge, withChat(near), skip)).not.toContain("extra skip");
    expect(said(merge, withChat(some), head)).toMatchInlineSnapshot(`
        "merge.theta:3:1: error[adapter-module-missing]: chat changes model.layers.0.self_attn.q_prj and 1 more module, which llama has not
           note: the nearest name in llama is model.layers.0.self_attn.q_proj
           help: use it on the model that it was trained on, or write { extra skip } behind chat"
      `);
  });

  it("have the shapes of what they change", () => {
    expect(said(merge, withChat({ "model.layers.0.mlp.up_proj": [16, 9] }), head)).toMatchInlineSnapshot(`
      "merge.theta:3:1: error[adapter-shape]: chat does not fit llama at model.layers.0.mlp.up_proj
         chat  [16, 9]  B [16, 2] · A [2, 9]
         llama  [16, 8]"
    `);
    expect(said(merge, withChat({ "model.layers.0.mlp.up_proj": [8, 16] }, { transposed: true }), head)).toBe("");
  });
});

it("an output vector belongs to a checkpoint", () => {
  const merge = "merge m = linear(llama, maths)\n";
  expect(said(`${merge}vector d = maths - m\noutput "out" = d`)).toContain(
    "error[not-served]: a vector relative to a merge",
  );
  expect(said('vector d = maths - llama\noutput "out" = d')).toBe("");
});

describe("sources", () => {
  it("that cannot be read are all named, as problems of the input", () => {
    const { diagnostics } = compileText(`${HEAD}${MERGE}\n`, {});
    expect(diagnostics.map(({ code, subject }) => [code, subject])).toEqual([
      ["source-missing", "input"],
      ["source-missing", "input"],
    ]);
  });
});

describe("masks", () => {
  it("of another vector need its tensor", () => {
    const sources = withMaths(without(TENSORS, "model.norm.weight"));
    const head = HEAD.replace('"models/maths"', '"models/maths" { missing skip }') + 'model code = "models/code"\n';
    const merge = (mask: string) => `merge m onto llama using sum { code mask ${mask} }\noutput "out" = m`;
    expect(said(merge("magnitude(density: 0.5, of: maths - llama)"), sources, head)).toMatchInlineSnapshot(`
      "merge.theta:5:70: error[mask-without-vector]: the vector that this mask is computed from lacks model.norm.weight
         help: give such tensors a mask of their own: match(…: …, else: …)"
    `);
    expect(
      said(
        merge('match("*norm*": magnitude(density: 0.5), else: della(density: 0.5, seed: 1, of: maths - llama))'),
        sources,
        head,
      ),
    ).toBe("");
  });

  it("of della have probabilities", () => {
    const merge = (mask: string) => `merge m onto llama using sum { maths mask ${mask} }\noutput "out" = m`;
    expect(said(merge("della(density: 0.9, seed: 1)"))).toMatchInlineSnapshot(`
      "merge.theta:4:43: error[epsilon-range]: density - epsilon must be above 0 and density + epsilon below 1; density is 0.9 and epsilon 0.15 for model.embed_tokens.weight
         note: della keeps the smallest with probability density - epsilon, the largest with density + epsilon
         note: and 5 more tensors
         help: choose a smaller epsilon"
    `);
    expect(said(merge('della(density: match("*norm*": 0.1, else: 0.5), seed: 1)'))).toMatchInlineSnapshot(`
      "merge.theta:4:43: error[epsilon-range]: density - epsilon must be above 0 and density + epsilon below 1; density is 0.1 and epsilon 0.15 for model.norm.weight
         note: della keeps the smallest with probability density - epsilon, the largest with density + epsilon
         help: choose a smaller epsilon"
    `);
    expect(said(merge("della(density: 0.5, epsilon: 0.5, seed: 1)"))).toContain("epsilon-range");
    expect(said(merge("della(density: 0.5, epsilon: 0.499999, seed: 1)"))).toBe("");
  });
});
