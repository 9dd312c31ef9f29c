// A model of 201 tensors in the names of a Llama, small enough to be written in a moment: 22 layers of nine tensors,
// the embedding, the last norm and the head.

import { bf16, type TestTensors } from "../../support/tensors.ts";

const LAYERS = 22;
const PER_LAYER = [
  "input_layernorm",
  "mlp.down_proj",
  "mlp.gate_proj",
  "mlp.up_proj",
  "post_attention_layernorm",
  "self_attn.k_proj",
  "self_attn.o_proj",
  "self_attn.q_proj",
  "self_attn.v_proj",
];

export const TENSORS = 3 + LAYERS * PER_LAYER.length;

/** Deterministic, and other values for every `seed`; `changed`: tensors whose first element is another one. */
export function layeredModel(seed: number, changed: readonly string[] = []): TestTensors {
  const names = ["model.embed_tokens.weight", "model.norm.weight", "lm_head.weight"];
  for (let layer = 0; layer < LAYERS; layer++) {
    for (const part of PER_LAYER) names.push(`model.layers.${layer}.${part}.weight`);
  }
  const entries = names.sort().map((name, index): [string, TestTensors[string]] => {
    const shape = name.includes("norm") ? [32] : [16, 32];
    const values = Array.from({ length: shape.reduce((a, b) => a * b) }, (_, element) => {
      const mixed = ((element * 7919 + index * 104729 + seed * 15485863) % 2003) / 2003;
      return mixed - 0.5;
    });
    if (changed.includes(name)) values[0] = 2;
    return [name, bf16(shape, values)];
  });
  return Object.fromEntries(entries);
}
