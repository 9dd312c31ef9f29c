// The checkpoints, as headers, that generated recipes speak of: plain ones, and one for each thing that can be different.

import type { LayerSetting } from "../../compiler/checkpoint.ts";
import type { MemoryModel, MemorySources } from "../support/memory-host.ts";

function model(
  layers: number,
  dtype: string,
  more: Readonly<Record<string, string>> = {},
  hasHead = true,
): MemoryModel {
  const tensors: Record<string, string> = { "model.embed_tokens.weight": `${dtype} [32, 8]` };
  for (let layer = 0; layer < layers; layer++) {
    tensors[`model.layers.${layer}.mlp.up_proj.weight`] = `${dtype} [16, 8]`;
    tensors[`model.layers.${layer}.self_attn.q_proj.weight`] = `${dtype} [8, 8]`;
  }
  tensors["model.norm.weight"] = `${dtype} [8]`;
  if (hasHead) tensors["lm_head.weight"] = `${dtype} [32, 8]`;
  const count: LayerSetting = { path: ["num_hidden_layers"], says: { kind: "count", layers } };
  return { tensors: { ...tensors, ...more }, layers: [count] };
}

/** The first four fit each other. */
export const MODEL_PATHS = [
  "llama",
  "maths",
  "code",
  "wide",
  "tied",
  "short",
  "vocabulary",
  "integers",
  "packed",
] as const;
export const ADAPTER_PATHS = ["chat", "stray"] as const;

/** Parameters and declarations that generated recipes use by `lib.`. */
export const LIBRARY = "lib.theta";

export const SOURCES: MemorySources = {
  models: {
    llama: model(4, "bf16"),
    maths: model(4, "bf16"),
    code: model(4, "bf16"),
    wide: model(4, "f32"),
    tied: { ...model(4, "bf16", {}, false), tied: { "lm_head.weight": "model.embed_tokens.weight" } },
    short: model(2, "bf16"),
    vocabulary: model(4, "f16", { "model.embed_tokens.weight": "f16 [40, 8]", "lm_head.weight": "f16 [40, 8]" }),
    integers: model(4, "bf16", { "model.ids": "i64 [8]", scalar: "f64 []", empty: "bf16 [0, 8]" }),
    packed: { ...model(4, "u8"), quantization: "it holds U8 weights" },
  },
  adapters: {
    chat: { modules: { "model.layers.0.mlp.up_proj": [16, 8], "model.layers.1.self_attn.q_proj": [8, 8] } },
    stray: { modules: { "model.layers.9.mlp.up_proj": [16, 8] } },
  },
  vectors: {
    stored: { tensors: { "model.layers.0.mlp.up_proj.weight": "f32 [16, 8]", "model.norm.weight": "f32 [8]" } },
  },
  recipes: {
    [LIBRARY]: `theta 1
param density: number(above: 0, max: 1) = 0.5
base root = "llama"
model tuned = "maths"
vector delta = tuned - root
mask trim = magnitude(density: density)
strategy vote = ties(scale: 0.5)
`,
  },
};
