// Two models of a few kilobytes with the tensors of a Llama: something to merge before one has models of one's own.

import { layoutFile } from "../checkpoint/safetensors-writer.ts";

const HIDDEN = 16;
const INTERMEDIATE = 32;
const LAYERS = 2;
const VOCABULARY = 64;

const CONFIG = {
  architectures: ["LlamaForCausalLM"],
  model_type: "llama",
  hidden_act: "silu",
  hidden_size: HIDDEN,
  intermediate_size: INTERMEDIATE,
  num_hidden_layers: LAYERS,
  num_attention_heads: 2,
  num_key_value_heads: 2,
  max_position_embeddings: 128,
  rms_norm_eps: 1e-5,
  vocab_size: VOCABULARY,
  tie_word_embeddings: true,
  dtype: "bfloat16",
};

/** Files of the base (0) or of its fine-tune (1). */
export function tinyLlama(variant: 0 | 1): readonly (readonly [name: string, data: string | Uint8Array])[] {
  const { header, tensors } = layoutFile(shapes().map(([name, shape]) => ({ name, dtype: "BF16", shape })));
  const payloads = tensors.map(({ name, shape }) => payload(name, shape, variant));
  return [
    ["config.json", `${JSON.stringify(CONFIG, null, 2)}\n`],
    ["model.safetensors", Buffer.concat([header, ...payloads])],
  ];
}

function shapes(): [string, number[]][] {
  const list: [string, number[]][] = [
    ["model.embed_tokens.weight", [VOCABULARY, HIDDEN]],
    ["model.norm.weight", [HIDDEN]],
  ];
  for (let layer = 0; layer < LAYERS; layer++) {
    const prefix = `model.layers.${layer}`;
    for (const norm of ["input_layernorm", "post_attention_layernorm"])
      list.push([`${prefix}.${norm}.weight`, [HIDDEN]]);
    for (const side of ["q", "k", "v", "o"]) list.push([`${prefix}.self_attn.${side}_proj.weight`, [HIDDEN, HIDDEN]]);
    list.push([`${prefix}.mlp.gate_proj.weight`, [INTERMEDIATE, HIDDEN]]);
    list.push([`${prefix}.mlp.up_proj.weight`, [INTERMEDIATE, HIDDEN]]);
    list.push([`${prefix}.mlp.down_proj.weight`, [HIDDEN, INTERMEDIATE]]);
  }
  return list;
}

/** Reproducible noise around 0 (norms: 1); the fine-tune differs by a tenth of it. */
function payload(name: string, shape: readonly number[], variant: 0 | 1): Uint8Array {
  const count = shape.reduce((product, size) => product * size, 1);
  const bytes = new DataView(new ArrayBuffer(count * 2));
  const wide = new DataView(new ArrayBuffer(4));
  let state = [...name].reduce((hash, c) => (Math.imul(hash, 31) + c.charCodeAt(0)) >>> 0, 7);
  const noise = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32 - 0.5;
  };
  for (let i = 0; i < count; i++) {
    const base = (name.includes("norm") ? 1 : 0) + noise() / 8;
    wide.setFloat32(0, base + (noise() / 80) * variant);
    bytes.setUint16(i * 2, wide.getUint16(0), true);
  }
  return new Uint8Array(bytes.buffer);
}
