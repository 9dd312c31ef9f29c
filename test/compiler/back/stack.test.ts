// Stacks of layers: which tensor comes from where, what config.json is made to say, what is refused.

import { describe, expect, it } from "vitest";
import type { LayerSetting } from "../../../compiler/checkpoint.ts";
import type { Action } from "../../../compiler/tensor-graph.ts";
import { actionsOf, compileText, diagnosticText } from "../../support/compile-text.ts";
import type { MemoryModel, MemorySources } from "../../support/memory-host.ts";

interface Shape {
  readonly layers: number;
  readonly dtype?: string;
  readonly head?: boolean;
  readonly vocabulary?: number;
  readonly tensors?: Readonly<Record<string, string>>;
  readonly settings?: readonly LayerSetting[];
}

function count(layers: number, ...path: readonly string[]): LayerSetting {
  return { path: path.length === 0 ? ["num_hidden_layers"] : path, says: { kind: "count", layers } };
}

function model({ layers, dtype = "bf16", head = true, vocabulary = 32, tensors = {}, settings }: Shape): MemoryModel {
  const own: Record<string, string> = {
    "model.embed_tokens.weight": `${dtype} [${vocabulary}, 8]`,
    "model.norm.weight": `${dtype} [8]`,
    ...(head ? { "lm_head.weight": `${dtype} [${vocabulary}, 8]` } : {}),
    ...tensors,
  };
  for (let layer = 0; layer < layers; layer++) {
    own[`model.layers.${layer}.mlp.weight`] = `${dtype} [16, 8]`;
    own[`model.layers.${layer}.attn.weight`] = `${dtype} [8, 8]`;
  }
  return {
    tensors: own,
    ...(head ? {} : { tied: { "lm_head.weight": "model.embed_tokens.weight" } }),
    layers: settings ?? [count(layers)],
  };
}

const HEAD = `theta 1
model maths = "maths"
model code  = "code"
`;

function sources(maths: Shape, code: Shape = maths): MemorySources {
  return { models: { maths: model(maths), code: model(code) } };
}

const FOUR = sources({ layers: 4 });

function recipe(merge: string): string {
  return `${HEAD}merge tall = ${merge}\noutput "out" = tall\n`;
}

/** `maths model.norm.weight` of a tensor that is taken over. */
function takenFrom(action: Action | undefined): string {
  const [only] = action?.inputs ?? [];
  expect(action?.program.operations).toMatchObject([{ op: "load" }]);
  return `${only!.role} ${only!.tensor.name}`;
}

function taken(merge: string, from: MemorySources = FOUR): Record<string, string> {
  return Object.fromEntries([...actionsOf(recipe(merge), from)].map(([name, action]) => [name, takenFrom(action)]));
}

function said(merge: string, from: MemorySources = FOUR): string {
  const { diagnostics, tensors } = compileText(recipe(merge), from);
  expect(tensors).toBeUndefined();
  return diagnosticText(diagnostics);
}

function changes(merge: string, from: MemorySources = FOUR): Record<string, string> {
  const { tensors, diagnostics } = compileText(recipe(merge), from);
  expect(diagnosticText(diagnostics.filter(({ code }) => code !== "unused"))).toBe("");
  return Object.fromEntries(tensors!.outputs[0]!.configChanges.map(({ path, json }) => [path.join("."), json]));
}

describe("a stack", () => {
  it("renumbers layers, begins with the first model and ends with the last", () => {
    expect(taken("stack(slice(maths, 0..2), slice(code, 1..4))")).toEqual({
      "lm_head.weight": "code lm_head.weight",
      "model.embed_tokens.weight": "maths model.embed_tokens.weight",
      "model.layers.0.attn.weight": "maths model.layers.0.attn.weight",
      "model.layers.0.mlp.weight": "maths model.layers.0.mlp.weight",
      "model.layers.1.attn.weight": "maths model.layers.1.attn.weight",
      "model.layers.1.mlp.weight": "maths model.layers.1.mlp.weight",
      "model.layers.2.attn.weight": "code model.layers.1.attn.weight",
      "model.layers.2.mlp.weight": "code model.layers.1.mlp.weight",
      "model.layers.3.attn.weight": "code model.layers.2.attn.weight",
      "model.layers.3.mlp.weight": "code model.layers.2.mlp.weight",
      "model.layers.4.attn.weight": "code model.layers.3.attn.weight",
      "model.layers.4.mlp.weight": "code model.layers.3.mlp.weight",
      "model.norm.weight": "code model.norm.weight",
    });
  });

  it("takes whole models, open ranges and layers from the end", () => {
    const layers = (merge: string) =>
      Object.entries(taken(merge))
        .filter(([name]) => name.endsWith("mlp.weight"))
        .map(([, from]) => from.replace(/model\.layers\.(\d+)\.mlp\.weight/, "$1"));
    expect(layers("stack(maths, slice(code, 2..))")).toEqual([
      ...["maths 0", "maths 1", "maths 2", "maths 3"],
      ...["code 2", "code 3"],
    ]);
    expect(layers("stack(slice(maths, -3..-1), slice(code, -1..))")).toEqual(["maths 1", "maths 2", "code 3"]);
    expect(layers("stack(slice(maths, 0..1), slice(maths, 0..1))")).toEqual(["maths 0", "maths 0"]);
  });

  it("sorts tensors by name, and is its model when it takes all of it", () => {
    const eleven = sources({ layers: 11 });
    const all = taken("stack(maths)", eleven);
    expect(Object.keys(all)).toEqual(Object.keys(all).sort());
    expect(Object.entries(all).every(([name, from]) => from === `maths ${name}`)).toBe(true);
    expect(changes("stack(maths)", eleven)).toEqual({});
  });

  it("takes merges, with selectors and ramps at the depth of the model that they stand in", () => {
    const merged = actionsOf(
      recipe("stack(slice(linear(maths, code, weight: [1, ramp(0.25, 0.75)]), 2..4), slice(code, 0..1))"),
      FOUR,
    );
    expect(merged.get("model.layers.1.mlp.weight")!.program.operations.at(-1)).toMatchObject({
      op: "linear",
      weights: [1, 0.75],
    });
    expect(merged.get("model.layers.1.mlp.weight")!.inputs.map(({ tensor }) => tensor.name)).toEqual([
      "model.layers.3.mlp.weight",
      "model.layers.3.mlp.weight",
    ]);
    expect(takenFrom(merged.get("model.layers.2.mlp.weight"))).toBe("code model.layers.0.mlp.weight");
  });

  it("has a gradient for each slice, as mergekit's, where ramps run over its layers", () => {
    const part = (slice: string) =>
      `slice(linear(maths, code, weight: [1, ramp(0.25, 0.75, over: ${slice}, outside: 0.25)]), ${slice})`;
    const actions = actionsOf(recipe(`stack(${part("0..2")}, ${part("1..4")})`), FOUR);
    const weights = [
      "model.layers.0",
      "model.layers.1",
      "model.layers.2",
      "model.layers.3",
      "model.layers.4",
      "lm_head",
    ];
    const found = weights.map((name) => {
      const action = actions.get(name === "lm_head" ? "lm_head.weight" : `${name}.mlp.weight`)!;
      return (action.program.operations.at(-1) as { readonly weights: readonly number[] }).weights[1];
    });
    expect(found).toEqual([0.25, 0.75, 0.25, 0.5, 0.75, 0.25]);
  });

  it("merges slices of other ranges, layer by layer", () => {
    const actions = actionsOf(recipe("linear(stack(slice(maths, 0..2)), stack(slice(code, 2..4)))"), FOUR);
    expect(
      actions.get("model.layers.1.mlp.weight")!.inputs.map(({ role, tensor }) => `${role} ${tensor.name}`),
    ).toEqual(["maths model.layers.1.mlp.weight", "code model.layers.3.mlp.weight"]);
  });

  it("gives a merged layer the program that it has outside the stack, random streams included", () => {
    const merge = "maths + (code - maths & magnitude(density: 0.5))".replace("code - maths &", "(code - maths) &");
    const alone = actionsOf(recipe(merge), FOUR).get("model.layers.1.mlp.weight")!;
    const stacked = actionsOf(recipe(`stack(slice(${merge}, 1..2), maths)`), FOUR).get("model.layers.0.mlp.weight")!;
    expect(stacked.program).toEqual(alone.program);
  });

  it("is a model as any other: base, entry, part of a stack, with layers and ramps of its own depth", () => {
    const onto = actionsOf(
      `${HEAD}merge tall = stack(maths, maths)
merge other = stack(code, code)
merge m onto tall using sum { other weight ramp(0, 7) }
output "out" = m`,
      FOUR,
    );
    const ops = onto.get("model.layers.5.mlp.weight")!.program.operations;
    expect(ops.find(({ op }) => op === "sum")).toMatchObject({ weights: [5] });
    expect(onto.get("model.layers.5.mlp.weight")!.inputs.map(({ role, tensor }) => `${role} ${tensor.name}`)).toEqual([
      "maths model.layers.1.mlp.weight",
      "code model.layers.1.mlp.weight",
    ]);
    expect(takenFrom(onto.get("model.layers.0.mlp.weight"))).toBe("maths model.layers.0.mlp.weight");

    const nested = "stack(slice(stack(slice(maths, 2..4), slice(code, 0..2)), 1..3), slice(code, 3..4))";
    expect(taken(nested)).toMatchObject({
      "model.layers.0.mlp.weight": "maths model.layers.3.mlp.weight",
      "model.layers.1.mlp.weight": "code model.layers.0.mlp.weight",
      "model.layers.2.mlp.weight": "code model.layers.3.mlp.weight",
    });
    expect(changes(nested)).toEqual({ num_hidden_layers: "3" });
  });

  it("may be kept in part", () => {
    const actions = actionsOf(
      `${HEAD}merge tall = stack(slice(maths, 0..3), slice(code, 1..4))
merge m onto tall using sum {
  tall weight 1
  at layers(4..6) keep tall
  at "lm_head.*" keep maths
}
output "out" = m`,
      FOUR,
    );
    expect(takenFrom(actions.get("model.layers.5.mlp.weight"))).toBe("code model.layers.3.mlp.weight");
    expect(takenFrom(actions.get("lm_head.weight"))).toBe("maths lm_head.weight");
  });

  it("keeps each tensor's dtype, copies integers, and writes one dtype where it is told", () => {
    const integers = { "model.layers.0.ids": "i64 [4]", "model.layers.1.ids": "i64 [4]" };
    const mixed = sources({ layers: 2, tensors: integers }, { layers: 2, dtype: "f32", tensors: integers });
    const actions = actionsOf(recipe("stack(maths, code)"), mixed);
    expect(actions.get("model.layers.1.mlp.weight")!.dtype).toBe("BF16");
    expect(actions.get("model.layers.3.mlp.weight")!.dtype).toBe("F32");
    expect(actions.get("model.layers.3.ids")).toMatchObject({ dtype: "I64", work: "bytes" });
    expect(takenFrom(actions.get("model.layers.3.ids"))).toBe("code model.layers.1.ids");
    const told = actionsOf(`${HEAD}output "out" = stack(maths, code) {\n  dtype f16\n}`, mixed);
    expect(told.get("model.layers.3.mlp.weight")!.dtype).toBe("F16");
    expect(told.get("model.layers.3.ids")!.dtype).toBe("I64");
  });

  it("ties the head as the first model does, and unties it where only the last one ties", () => {
    const tied = compileText(recipe("stack(maths, code)"), sources({ layers: 2, head: false })).tensors!.outputs[0]!;
    expect([...tied.aliases]).toEqual([["lm_head.weight", "model.embed_tokens.weight"]]);
    expect(tied.actions.some(({ tensor }) => tensor === "lm_head.weight")).toBe(false);
    expect(taken("stack(maths, code)", sources({ layers: 2 }, { layers: 2, head: false }))["lm_head.weight"]).toBe(
      "code model.embed_tokens.weight",
    );
  });

  it("takes an embedding and the head that its file ties to it from the first model, by whichever name it is stored", () => {
    const { tensors, tied = {} } = model({ layers: 2 });
    const own = Object.fromEntries(Object.entries(tensors).filter(([name]) => name !== "model.embed_tokens.weight"));
    const inFile = {
      tensors: own,
      tied: { ...tied, "model.embed_tokens.weight": "lm_head.weight" },
      layers: [count(2)],
    };
    const both: MemorySources = { models: { maths: inFile, code: inFile } };
    const merge = "stack(maths, code)";
    expect(taken(merge, both)).toMatchObject({
      "lm_head.weight": "maths lm_head.weight",
      "model.norm.weight": "code model.norm.weight",
    });
    expect(said(merge, { models: { maths: inFile, code: model({ layers: 2 }) } })).toContain("[tied-apart]");
  });

  it("resizes a head of another vocabulary where its model says so", () => {
    const sizes = sources({ layers: 2 }, { layers: 2, vocabulary: 34 });
    const text = recipe("stack(maths, code)");
    expect(diagnosticText(compileText(text, sizes).diagnostics)).toContain("lm_head.weight has different shapes");
    const actions = actionsOf(text.replace('"code"', '"code" { resize common }'), sizes);
    expect(actions.get("lm_head.weight")).toMatchObject({ shape: [32, 8] });
    expect(actions.get("lm_head.weight")!.program.operations.map(({ op }) => op)).toEqual(["load", "resize"]);
  });
});

const TOWERS = {
  "vision_tower.embed.weight": "bf16 [4]",
  "vision_tower.layers.0.w": "bf16 [4]",
  "vision_tower.layers.1.w": "bf16 [4]",
  "vision_tower.norm.weight": "bf16 [4]",
  "multi_modal_projector.weight": "bf16 [4]",
};

describe("a model with several layer stacks", () => {
  const two = sources({
    layers: 3,
    tensors: TOWERS,
    settings: [count(3, "text_config", "num_hidden_layers"), count(2, "vision_config", "num_hidden_layers")],
  });

  it("needs the name of the one that is meant", () => {
    expect(said("stack(maths, code)", two)).toMatchInlineSnapshot(`
      "merge.theta:4:14: error[which-stack]: maths has several layer stacks, and the recipe does not say which one is meant
         note: "model.layers" has 3, "vision_tower.layers" has 2
         help: add stack: "model.layers""
    `);
    expect(said('stack(maths, code, stack: "layers")', two)).toMatchInlineSnapshot(`
      "merge.theta:4:20: error[which-stack]: maths has no layer stack "layers"
         note: "model.layers" has 3, "vision_tower.layers" has 2
         help: only models with the same layer stack can be stacked
      merge.theta:4:27: error[which-stack]: code has no layer stack "layers"
         note: "model.layers" has 3, "vision_tower.layers" has 2
         help: only models with the same layer stack can be stacked"
    `);
  });

  it("keeps the other parts whole, from the first model", () => {
    const found = taken('stack(slice(maths, 0..2), slice(code, 1..3), stack: "model.layers")', two);
    expect(found).toMatchObject({
      "model.layers.3.mlp.weight": "code model.layers.2.mlp.weight",
      "vision_tower.layers.1.w": "maths vision_tower.layers.1.w",
      "vision_tower.norm.weight": "maths vision_tower.norm.weight",
      "multi_modal_projector.weight": "maths multi_modal_projector.weight",
      "model.norm.weight": "code model.norm.weight",
      "lm_head.weight": "code lm_head.weight",
    });
  });

  it("sets the count of its own part, also of both", () => {
    expect(changes('stack(maths, code, stack: "model.layers")', two)).toEqual({ "text_config.num_hidden_layers": "6" });
    expect(changes('stack(maths, code, stack: "vision_tower.layers")', two)).toEqual({
      "vision_config.num_hidden_layers": "4",
    });
    const both = 'stack(stack(maths, code, stack: "vision_tower.layers"), stack: "model.layers", slice(code, 0..1))';
    expect(changes(both, two)).toEqual({
      "text_config.num_hidden_layers": "4",
      "vision_config.num_hidden_layers": "4",
    });
  });

  it("tells encoder and decoder apart, though they are equally deep", () => {
    const sequence: MemorySources = {
      models: {
        maths: {
          tensors: { "encoder.block.0.w": "f32 [4]", "decoder.block.0.w": "f32 [4]", "shared.weight": "f32 [4, 4]" },
          layers: [count(1, "num_layers"), count(1, "num_decoder_layers")],
        },
      },
    };
    const of = (stack: string) => {
      const text = `theta 1\nmodel maths = "maths"\noutput "out" = stack(maths, maths, stack: "${stack}")\n`;
      return compileText(text, sequence).tensors!.outputs[0]!.configChanges;
    };
    expect(of("encoder.block")).toEqual([{ path: ["num_layers"], json: "2" }]);
    expect(of("decoder.block")).toEqual([{ path: ["num_decoder_layers"], json: "2" }]);
  });

  it("is refused where one number counts two stacks, of which one changes", () => {
    const tensors = { "encoder.block.0.w": "f32 [4]", "decoder.block.0.w": "f32 [4]", "shared.weight": "f32 [4, 4]" };
    const sequence: MemorySources = { models: { maths: { tensors, layers: [count(1, "num_layers")] } } };
    const of = (model: string) => compileText(`theta 1\nmodel maths = "maths"\noutput "out" = ${model}\n`, sequence);
    const taller = (stack: string) => `stack(maths, maths, stack: "${stack}")`;
    for (const [stack, other] of [
      ["encoder.block", "decoder.block"],
      ["decoder.block", "encoder.block"],
    ] as const) {
      expect(diagnosticText(of(taller(stack)).diagnostics)).toContain(
        `error[stack-config]: config.json of maths counts the layers of ${stack} and of ${other} by one number, num_layers 1`,
      );
    }
    const both = `stack(${taller("encoder.block")}, slice(maths, 0..1), stack: "decoder.block")`;
    expect(of(both).tensors!.outputs[0]!.configChanges).toEqual([
      { path: ["num_layers"], json: "2" },
      { path: ["num_layers"], json: "2" },
    ]);
  });
});

describe("config.json", () => {
  const each: LayerSetting = { path: ["layer_types"], says: { kind: "each", elements: ['"a"', '"b"', '"a"', '"b"'] } };
  const withSetting = (says: LayerSetting["says"], other: LayerSetting["says"] | undefined = says) =>
    sources(
      { layers: 4, settings: [count(4), { path: ["special"], says }] },
      { layers: 4, settings: [count(4), ...(other === undefined ? [] : [{ path: ["special"], says: other }])] },
    );

  it("gets the kinds of layers from the models that they come from", () => {
    const other: LayerSetting = {
      path: ["layer_types"],
      says: { kind: "each", elements: ['"c"', '"d"', '"e"', '"f"'] },
    };
    const from = sources({ layers: 4, settings: [count(4), each] }, { layers: 4, settings: [count(4), other] });
    expect(changes("stack(slice(maths, 1..3), slice(code, 3..4))", from)).toEqual({
      num_hidden_layers: "3",
      layer_types: '["b", "a", "f"]',
    });
  });

  it("gets numbers of layers renumbered, and edges moved", () => {
    expect(
      changes("stack(slice(maths, 1..4), slice(code, 0..2))", withSetting({ kind: "numbers", layers: [1, 3] })),
    ).toEqual({ num_hidden_layers: "5", special: "[0, 2, 4]" });
    const edge = withSetting({ kind: "edge", layers: 1, fromEnd: false });
    expect(changes("stack(slice(maths, 0..1), slice(maths, 0..3))", edge)).toEqual({
      special: "2",
    });
    expect(changes("stack(slice(maths, 0..2), slice(code, 2..4))", withSetting({ kind: "period", every: 2 }))).toEqual(
      {},
    );
  });

  it("is refused where it cannot say what a layer is", () => {
    expect(said("stack(slice(maths, 0..3), slice(code, 2..4))", withSetting({ kind: "period", every: 2 })))
      .toMatchInlineSnapshot(`
        "merge.theta:5:1: error[stack-config]: config.json of maths says special 2, by which model.layers.3 would be another layer than it was as layer 2 of code
           help: take slices that keep it, or name a configuration in the output's block: config M"
      `);
    expect(said("stack(maths, maths)", withSetting({ kind: "edge", layers: 1, fromEnd: true }))).toContain(
      "by which model.layers.3 would be another layer than it was as layer 3 of maths",
    );
    expect(
      said("stack(maths, code)", withSetting({ kind: "period", every: 2 }, { kind: "period", every: 4 })),
    ).toContain("[stack-config]");
    const onlyCode = sources({ layers: 4 }, { layers: 4, settings: [count(4), each] });
    expect(said("stack(maths, code)", onlyCode)).toContain(
      'config.json of code says layer_types ["a", "b", "a", "b"] of its layers, and that of maths',
    );
    expect(said("stack(maths, code)", sources({ layers: 4, settings: [count(5)] }))).toContain(
      "does not say that model.layers has 4 layers",
    );
  });

  it("of another model must say how many layers there are", () => {
    const text = `${HEAD}output "out" = stack(maths, code) {\n  config code\n}`;
    expect(diagnosticText(compileText(text, FOUR).diagnostics)).toContain(
      "config.json of code does not say that there are 8 layers",
    );
    const eight = sources({ layers: 4 }, { layers: 4, settings: [count(8)] });
    expect(compileText(text, eight).tensors!.outputs[0]!.configChanges).toEqual([]);
  });
});

describe("slices that make no stack", () => {
  it("ask for layers that there are not", () => {
    expect(said("stack(slice(maths, 2..9), slice(code, -7..), slice(code, 4..), slice(code, 3..-2))"))
      .toMatchInlineSnapshot(`
        "merge.theta:4:20: error[no-such-layer]: slice 2..9 goes beyond model.layers of maths, which has 4 layers
           help: its layers are numbered from 0 to 3, and B in A..B is the first that is left out
        merge.theta:4:40: error[no-such-layer]: slice -7.. goes beyond model.layers of code, which has 4 layers
           help: its layers are numbered from 0 to 3, and B in A..B is the first that is left out
        merge.theta:4:59: error[empty-range]: slice 4.. holds no layer of code, which has 4 layers
        merge.theta:4:77: error[empty-range]: slice 3..-2 holds no layer of code, which has 4 layers"
      `);
  });

  it("have other tensors, other shapes, or a hole", () => {
    const bias = sources({ layers: 2 }, { layers: 2, tensors: { "model.layers.1.attn.bias": "bf16 [8]" } });
    expect(said("stack(maths, slice(code, 1..2))", bias)).toContain(
      "code has model.layers.1.attn.bias, and no layer of maths has such a tensor",
    );
    const biases = { "model.layers.0.attn.bias": "bf16 [8]", "model.layers.1.attn.bias": "bf16 [8]" };
    expect(said("stack(maths, code)", sources({ layers: 2, tensors: biases }, { layers: 2 }))).toContain(
      "code has no tensor model.layers.0.attn.bias, and every layer of maths has one",
    );
    const wide = sources(
      { layers: 2 },
      {
        layers: 2,
        tensors: { "model.layers.2.mlp.weight": "bf16 [17, 8]", "model.layers.2.attn.weight": "bf16 [8, 8]" },
      },
    );
    expect(said("stack(maths, code)", wide)).toMatchInlineSnapshot(`
      "merge.theta:4:27: error[shape-mismatch]: model.layers.2.mlp.weight of code has another shape than in the layers of maths
         maths  [16, 8] bf16  maths/model.safetensors  declared at merge.theta:2:1
         code   [17, 8] bf16  code/model.safetensors   declared at merge.theta:3:1"
    `);
    const hole = sources({ layers: 2, tensors: { "model.layers.5.mlp.weight": "bf16 [16, 8]" } });
    expect(said("stack(slice(maths, 0..6))", hole)).toContain("maths has no tensor of model.layers.2");
  });

  it("end in a head of its own where the first model has none", () => {
    expect(said("stack(maths, code)", sources({ layers: 2, head: false }, { layers: 2 }))).toMatchInlineSnapshot(`
      "merge.theta:4:27: error[tied-apart]: code stores model.embed_tokens.weight apart from lm_head.weight; in maths, the first of the stack, they are one tensor
         help: begin and end the stack with models that agree on it"
    `);
  });

  it("lose or repeat what the first layer holds for all", () => {
    const bias = (layer: number) => ({
      [`model.layers.${layer}.layer.0.SelfAttention.relative_attention_bias.weight`]: "bf16 [32, 4]",
    });
    const t5 = sources({ layers: 4, tensors: bias(0) });
    const served = (stack: string, from: MemorySources) => diagnosticText(compileText(recipe(stack), from).diagnostics);
    expect(served("stack(slice(maths, 0..3), slice(code, 1..4))", t5)).toBe("");
    expect(said("stack(slice(maths, 1..3), slice(code, 2..4))", t5)).toMatchInlineSnapshot(`
      "merge.theta:4:20: error[missing-tensor]: only layer 0 of maths has layer.0.SelfAttention.relative_attention_bias.weight, which all layers use, so it must be the first of the stack and stand there once
         help: begin the stack with slice(…, 0..B)"
    `);
    expect(said("stack(slice(maths, 0..3), slice(code, 0..4))", t5)).toMatchInlineSnapshot(`
      "merge.theta:4:40: error[extra-tensor]: only layer 0 of code has layer.0.SelfAttention.relative_attention_bias.weight, which all layers use, so it must be the first of the stack and stand there once
         help: begin this slice at layer 1 or behind it"
    `);
    // One of its own in every layer moves with it.
    const umt5 = sources({ layers: 2, tensors: { ...bias(0), ...bias(1) } });
    expect(served("stack(slice(maths, 1..2), slice(code, 0..2))", umt5)).toBe("");
  });

  it("are of models without layers", () => {
    const flat: MemorySources = {
      models: { maths: { tensors: { "a.weight": "f32 [2]" } }, code: model({ layers: 2 }) },
    };
    expect(said("stack(maths, code)", flat)).toContain("maths has no layers");
    expect(said("stack(code, maths)", flat)).toContain('maths has no layer stack "model.layers"');
  });

  it("are too many, one inside the other", () => {
    const lines = ["merge s0 = stack(maths, code)"];
    for (let index = 1; index <= 20; index++) lines.push(`merge s${index} = stack(s${index - 1}, s${index - 1})`);
    const text = `${HEAD}${lines.join("\n")}\noutput "out" = s20\n`;
    expect(diagnosticText(compileText(text, FOUR).diagnostics)).toContain("[too-deep]");
  });

  it("are told once, and the outputs beside them are checked all the same", () => {
    const text = `${HEAD}merge tall = stack(slice(maths, 0..9), code)
output "a" = tall
output "b" = tall
output "c" = linear(maths, code, weight: [match("*nothing*": 1, else: 1), 1])`;
    const told = diagnosticText(compileText(text, FOUR).diagnostics);
    expect(told.match(/no-such-layer/g)).toHaveLength(1);
    expect(told).toContain("[no-such-tensor]");
  });
});

describe("selectors around a stack", () => {
  it("see the stack's own depth, and inside a slice the sliced model's", () => {
    const text = (selector: string) =>
      recipe(`linear(stack(maths, maths), stack(code, code), weight: [1, match(${selector}: 2, else: 1)])`);
    expect(diagnosticText(compileText(text("layers(7..8)"), FOUR).diagnostics)).toBe("");
    expect(diagnosticText(compileText(text("layers(8..9)"), FOUR).diagnostics)).toContain("model.layers has 8");
    const inside = recipe(
      "stack(slice(linear(maths, code, weight: [1, match(layers(7..8): 2, else: 1)]), 0..2), maths)",
    );
    expect(diagnosticText(compileText(inside, FOUR).diagnostics)).toContain("model.layers has 4");
  });

  it("do not mind what the slice leaves out", () => {
    const text = `${HEAD}merge mix using linear {
  maths
  code
  at layers(0..2) keep maths
}
output "out" = stack(slice(mix, 2..4), code)`;
    expect(diagnosticText(compileText(text, FOUR).diagnostics)).toBe("");
  });

  it("compare a stack with the models it is merged with", () => {
    expect(diagnosticText(compileText(recipe("linear(stack(maths, maths), code)"), FOUR).diagnostics)).toContain(
      "code has no tensor model.layers.4.attn.weight",
    );
    expect(diagnosticText(compileText(recipe("linear(code, stack(maths, maths))"), FOUR).diagnostics)).toContain(
      "the stack has model.layers.4.attn.weight",
    );
  });
});
