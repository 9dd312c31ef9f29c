import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Checkpoint } from "../../../compiler/checkpoint.ts";
import { readModel } from "../../../runtime/checkpoint/model-directory.ts";
import type { OpenedFiles } from "../../../runtime/checkpoint/source-file.ts";
import { bf16, f32, makeModelDirectory, raw, writeSafetensors } from "../../support/tensors.ts";

let space: string;
beforeEach(() => void (space = mkdtempSync(join(tmpdir(), "theta-model-"))));
afterEach(() => rmSync(space, { recursive: true }));

function read(path: string): Checkpoint {
  const answer = readModel(join(space, path), path, new Map());
  if (answer.kind === "problem") throw new Error(`${answer.code}: ${answer.message}`);
  return answer;
}

const EMBEDDING = "model.embed_tokens.weight";
const LLAMA = { [EMBEDDING]: bf16([2, 2], [1, 2, 3, 4]), "model.norm.weight": bf16([2], [1, 1]) };

test("one file: tensors sorted by bytes, each with its place", () => {
  makeModelDirectory(join(space, "m"), { b: f32([1], [1]), a: f32([2], [1, 2]) });
  const { tensors, config, aliases, path, display } = read("m");
  expect([...tensors.keys()]).toEqual(["a", "b"]);
  expect(tensors.get("a")).toMatchObject({
    dtype: "F32",
    shape: [2],
    bytes: 8,
    file: join(space, "m/model.safetensors"),
  });
  expect({ config, path, display, aliases: aliases.size }).toEqual({
    config: {
      tieWordEmbeddings: false,
      vocabularies: [],
      computation: config.computation,
      layers: [],
    },
    path: join(space, "m"),
    display: "m",
    aliases: 0,
  });
});

test("shards of a hub snapshot are read through their links", () => {
  const tensors = { a: f32([1], [1]), b: f32([1], [2]), c: f32([1], [3]) };
  makeModelDirectory(join(space, "snapshots/0"), tensors, { shards: [["c", "a"], ["b"]] });
  mkdirSync(join(space, "blobs"));
  for (const name of ["model-00001-of-00002.safetensors", "model.safetensors.index.json", "config.json"]) {
    renameSync(join(space, "snapshots/0", name), join(space, "blobs", name));
    symlinkSync(`../../blobs/${name}`, join(space, "snapshots/0", name));
  }
  const read0 = read("snapshots/0").tensors;
  expect([...read0.keys()]).toEqual(["a", "b", "c"]);
  expect(read0.get("a")!.file).toBe(join(space, "snapshots/0/model-00001-of-00002.safetensors"));
});

test("one file wins over an index, as in transformers", () => {
  makeModelDirectory(join(space, "m"), { old: f32([1], [1]), more: f32([1], [1]) }, { shards: [["old"], ["more"]] });
  writeSafetensors(join(space, "m/model.safetensors"), { fresh: f32([1], [1]) });
  expect([...read("m").tensors.keys()]).toEqual(["fresh"]);
});

test("the names of diffusers serve, too", () => {
  writeSafetensors(join(space, "unet/diffusion_pytorch_model.safetensors"), { a: f32([1], [1]) });
  expect([...read("unet").tensors.keys()]).toEqual(["a"]);
});

test("a single file takes the configuration beside it", () => {
  makeModelDirectory(join(space, "m"), LLAMA, { config: { tie_word_embeddings: true } });
  renameSync(join(space, "m/model.safetensors"), join(space, "m/step-7.safetensors"));
  const { aliases, path } = read("m/step-7.safetensors");
  expect([...aliases]).toEqual([["lm_head.weight", EMBEDDING]]);
  expect(path).toBe(join(space, "m/step-7.safetensors"));
});

test.for([
  ["said", { tie_word_embeddings: true }, true],
  ["said of the language model", { text_config: { tie_word_embeddings: true } }, true],
  ["denied", { tie_word_embeddings: false, model_type: "gemma2" }, false],
  ["left to a class that ties", { model_type: "gemma2" }, true],
  ["left to a class that does not", { model_type: "llama" }, false],
  ["null", { tie_word_embeddings: null }, false],
] as const)("tied embeddings: %s", ([, config, tied]) => {
  makeModelDirectory(join(space, "m"), LLAMA, { config });
  const model = read("m");
  expect(model.config.tieWordEmbeddings).toBe(tied);
  const said = { tie_word_embeddings: null, ...("text_config" in config ? config.text_config : config) };
  expect(model.config.saysTied).toBe(said.tie_word_embeddings ?? undefined);
  expect([...model.aliases.keys()]).toEqual(tied ? ["lm_head.weight"] : []);
});

test("a folder of models points to one of them", () => {
  makeModelDirectory(join(space, "models/maths"), LLAMA);
  makeModelDirectory(join(space, "models/code"), LLAMA, { shards: [[EMBEDDING], ["model.norm.weight"]] });
  expect(readModel(join(space, "models"), "models", new Map())).toMatchObject({
    code: "source-format",
    help: 'name a model in it: "models/code" or another',
  });
});

test("the number of tokens is that of the model or of its language model", () => {
  const config = { vocab_size: 32, text_config: { vocab_size: 64 }, vision_config: { vocab_size: 128 } };
  makeModelDirectory(join(space, "m"), LLAMA, { config });
  expect(read("m").config.vocabularies).toEqual([
    { path: ["vocab_size"], tokens: 32 },
    { path: ["text_config", "vocab_size"], tokens: 64 },
  ]);
});

test("how a model computes is read under the names of both generations of transformers", () => {
  const told = (config: object) => {
    makeModelDirectory(join(space, "m"), LLAMA, { config });
    return Object.fromEntries(read("m").config.computation);
  };
  const llama = { model_type: "llama", hidden_size: 8, num_key_value_heads: null, torch_dtype: "bfloat16" };
  const plain = { rope_theta: "10000", rope_scaling: "null" };
  // Silence of an early Llama means its class's default.
  expect(told(llama)).toEqual({ model_type: '"llama"', ...plain });
  expect(told({ rope_theta: 10000.0 })).toEqual(plain);
  expect(told({ rope_theta: 10000.0, rope_scaling: null })).toEqual(plain);
  expect(told({ rope_theta: 1e4, rope_scaling: {} })).toEqual(plain);
  expect(told({ rope_theta: 1e4, rope_scaling: { type: "mrope", mrope_section: [1, 2] } })).toEqual(plain);
  expect(told({ rope_parameters: { rope_theta: 10000, rope_type: "default", mrope_section: [1, 2] } })).toEqual(plain);
  expect(told({ rope_scaling: null })).toEqual({ rope_scaling: "null" });
  const linear = { rope_theta: "10000", rope_scaling: '{"factor": 2, "rope_type": "linear"}' };
  expect(told({ rope_theta: 1e4, rope_scaling: { type: "linear", factor: 2.0 } })).toEqual(linear);
  expect(told({ rope_parameters: { factor: 2, rope_type: "linear", rope_theta: 1e4, low: null } })).toEqual(linear);
  const phi = { factors: [1], rope_type: "longrope", original_max_position_embeddings: 4096 };
  const long = {
    rope_theta: "10000",
    partial_rotary_factor: "0.75",
    rope_scaling: '{"factors": [1], "rope_type": "longrope"}',
  };
  expect(told({ rope_parameters: { rope_theta: 1e4, partial_rotary_factor: 0.75, ...phi } })).toEqual(long);
  const four = { rope_theta: 1e4, partial_rotary_factor: 0.75, rope_scaling: { type: "su", factors: [1] } };
  expect(told(four)).toEqual(long);
  expect(told({ model_type: "gemma", hidden_act: "gelu" })).toEqual({ model_type: '"gemma"' });
  const byKind = { full: { rope_theta: 1e6 }, sliding: { rope_theta: 1e4 } };
  expect(told({ rope_parameters: byKind })).toEqual({
    rope_parameters: '{"full": {"rope_theta": 1000000}, "sliding": {"rope_theta": 10000}}',
  });
  expect(told({ model_type: "llava", text_config: { model_type: "qwen2", head_dim: 64 } })).toEqual({
    model_type: '"llava"',
    head_dim: "64",
  });
});

test("a head that is stored is a tensor of its own, whatever the configuration says", () => {
  const tensors = { ...LLAMA, "lm_head.weight": bf16([2, 2], [1, 2, 3, 4]) };
  makeModelDirectory(join(space, "m"), tensors, { config: { tie_word_embeddings: true } });
  expect(read("m").aliases.size).toBe(0);
});

test("GPT-2 ties under its own names", () => {
  makeModelDirectory(join(space, "m"), { "transformer.wte.weight": f32([1], [1]) }, { config: { model_type: "gpt2" } });
  expect([...read("m").aliases]).toEqual([["lm_head.weight", "transformer.wte.weight"]]);
});

test.for([
  ["configured", {}, { quantization_config: { quant_method: "gptq" } }, 'quantization_config says "gptq"'],
  ["configured for the text", {}, { text_config: { quantization_config: {} } }, "it has a quantization_config"],
  [
    "F8 with scales",
    { "w.weight": raw("F8_E4M3", [2], [0, 0]), "w.weight_scale_inv": f32([1], [1]) },
    {},
    'it holds F8_E4M3 weights that are scaled by tensor "w.weight_scale_inv"',
  ],
  ["packed", { "w.qweight": raw("I32", [1], [0, 0, 0, 0]) }, {}, 'tensor "w.qweight" belongs to packed weights'],
  ["F8 without scales", { "w.weight": raw("F8_E4M3", [2], [0, 0]) }, {}, undefined],
  ["F8 beside a logit_scale", { "w.weight": raw("F8_E4M3", [2], [0, 0]), logit_scale: f32([], [1]) }, {}, undefined],
  ["a parameter called scale", { "norm.scale": f32([1], [1]) }, { quantization_config: null }, undefined],
] as const)("quantisation: %s", ([, tensors, config, expected]) => {
  makeModelDirectory(join(space, "m"), { ...LLAMA, ...tensors }, { config });
  expect(read("m").config.quantization).toBe(expected);
});

test("a configuration may hold the infinities that Python writes", () => {
  makeModelDirectory(join(space, "m"), LLAMA, {
    config: false,
    files: { "config.json": '{"time_step_limit": [0.0, Infinity]}' },
  });
  expect(read("m").config).toEqual({ tieWordEmbeddings: false, vocabularies: [], computation: new Map(), layers: [] });
});

test("every file that was opened is remembered", () => {
  makeModelDirectory(join(space, "m"), { a: f32([1], [1]), b: f32([1], [1]) }, { shards: [["a"], ["b"]] });
  const opened: OpenedFiles = new Map();
  readModel(join(space, "m"), "m", opened);
  expect([...opened.keys()].map((path) => path.slice(space.length + 1)).sort()).toEqual([
    "m/config.json",
    "m/model-00001-of-00002.safetensors",
    "m/model-00002-of-00002.safetensors",
    "m/model.safetensors.index.json",
  ]);
});
