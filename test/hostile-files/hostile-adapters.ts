// Adapters: configurations that would change the arithmetic, and tensors that do not fit each other.

import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { type TestTensors, f32, makeAdapterDirectory, raw } from "../support/tensors.ts";
import type { HostileSource } from "./hostile-source.ts";

const zeros = (...shape: number[]) => f32(shape, new Array<number>(shape.reduce((a, b) => a * b, 1)).fill(0));
const Q = "base_model.model.layers.0.q_proj";
const PAIR: TestTensors = { [`${Q}.lora_A.weight`]: zeros(2, 4), [`${Q}.lora_B.weight`]: zeros(3, 2) };

function adapter(name: string, make: (path: string) => void, code: string, message: string): HostileSource {
  return { name, kind: "adapter", make, code, message };
}

/** A good pair of matrices with this configuration laid over a good one. */
function config(name: string, changes: object, code: string, message: string): HostileSource {
  return adapter(name, (path) => void makeAdapterDirectory(path, PAIR, changes), code, message);
}

/** A good configuration with these tensors. */
function tensors(name: string, all: TestTensors, code: string, message: string): HostileSource {
  return adapter(name, (path) => void makeAdapterDirectory(path, all), code, message);
}

/** A good adapter, its configuration replaced by this text. */
function configText(name: string, text: string, code: string, message: string): HostileSource {
  const make = (path: string): void => {
    makeAdapterDirectory(path, PAIR);
    writeFileSync(`${path}/adapter_config.json`, text);
  };
  return adapter(name, make, code, message);
}

const slow = Object.fromEntries(Array.from({ length: 5_000 }, (_, at) => [`(a|b|ab)*(a*b*)*x${at}`, 2]));
const manyModules: TestTensors = Object.fromEntries(
  Array.from({ length: 200 }, (_, at) => [`${"ab".repeat(50)}${at}.lora_A.weight`, zeros(2, 1)] as const).flatMap(
    ([a, t]) => [
      [a, t],
      [a.replace("lora_A", "lora_B"), zeros(1, 2)],
    ],
  ),
);

export const HOSTILE_ADAPTERS: readonly HostileSource[] = [
  adapter(
    "a file",
    (path) => writeFileSync(path, "{}"),
    "source-kind",
    "bad is not a directory with adapter_config.json and adapter_model.safetensors",
  ),
  adapter("empty directory", (path) => mkdirSync(path), "source-format", "bad holds no adapter_config.json"),
  adapter(
    "a model",
    (path) => (mkdirSync(path), writeFileSync(`${path}/model.safetensors`, "")),
    "source-kind",
    "bad is a model, not an adapter",
  ),
  adapter(
    "no weights",
    (path) => rmSync(`${makeAdapterDirectory(path, PAIR)}/adapter_model.safetensors`),
    "source-format",
    "bad holds no adapter_model.safetensors",
  ),
  adapter(
    "pickled weights",
    (path) => {
      rmSync(`${makeAdapterDirectory(path, PAIR)}/adapter_model.safetensors`);
      writeFileSync(`${path}/adapter_model.bin`, "");
    },
    "source-format",
    "bad holds adapter_model.bin, but no adapter_model.safetensors",
  ),
  configText(
    "configuration is no JSON",
    "r: 8",
    "json-syntax",
    'bad/adapter_config.json: expected a value for the configuration, found "r", at character 1',
  ),
  configText("configuration is a list", "[]", "bad-adapter", "bad/adapter_config.json must hold an object"),
  configText(
    "rank twice",
    '{"peft_type":"LORA","r":8,"r":2,"lora_alpha":4}',
    "json-duplicate-key",
    'bad/adapter_config.json: the configuration has the key "r" twice, at character 27',
  ),
  configText("no rank", '{"peft_type":"LORA","lora_alpha":4}', "bad-adapter", "bad/adapter_config.json has no r"),
  configText(
    "no kind",
    '{"r":2,"lora_alpha":4}',
    "adapter-unsupported",
    'bad/adapter_config.json: only adapters with peft_type "LORA" are served; here it is missing',
  ),
  config(
    "another kind",
    { peft_type: "IA3" },
    "adapter-unsupported",
    'bad/adapter_config.json: only adapters with peft_type "LORA" are served; here it is "IA3"',
  ),
  config("rank of zero", { r: 0 }, "bad-adapter", "bad/adapter_config.json: r must be an integer of 1 or more, not 0"),
  config(
    "rank of a half",
    { r: 0.5 },
    "bad-adapter",
    "bad/adapter_config.json: r must be an integer of 1 or more, not 0.5",
  ),
  config(
    "rank is a string",
    { r: "8" },
    "bad-adapter",
    'bad/adapter_config.json: r must be an integer of 1 or more, not "8"',
  ),
  configText(
    "alpha is infinite",
    '{"peft_type":"LORA","r":2,"lora_alpha":1e999}',
    "bad-adapter",
    "bad/adapter_config.json: lora_alpha must be a finite number, not Infinity",
  ),
  config(
    "rank other than the tensor's",
    { r: 8 },
    "adapter-rank",
    'bad/adapter_model.safetensors: module "layers.0.q_proj" has rank 2, but adapter_config.json says 8',
  ),
  config(
    "pattern's rank other than the tensor's",
    { rank_pattern: { q_proj: 4 } },
    "adapter-rank",
    'bad/adapter_model.safetensors: module "layers.0.q_proj" has rank 2, but adapter_config.json says 4',
  ),
  config(
    "DoRA",
    { use_dora: true },
    "adapter-unsupported",
    "bad/adapter_config.json: the adapter is a DoRA adapter, whose magnitudes need the base's norms (use_dora), which is not served",
  ),
  config(
    "activated LoRA",
    { alora_invocation_tokens: [1, 2] },
    "adapter-unsupported",
    "bad/adapter_config.json: the adapter is an activated LoRA, which acts on some tokens only (alora_invocation_tokens), which is not served",
  ),
  config(
    "PiSSA",
    { init_lora_weights: "pissa_niter_4" },
    "adapter-unsupported",
    'bad/adapter_config.json: init_lora_weights "pissa_niter_4" changed the base before training',
  ),
  config(
    "repeated layers",
    { layer_replication: [[0, 4]] },
    "adapter-unsupported",
    "bad/adapter_config.json: the adapter repeats layers of the base (layer_replication), which is not served",
  ),
  config(
    "unknown setting",
    { use_magic: true },
    "adapter-unsupported",
    'bad/adapter_config.json has the setting "use_magic", which theta does not know',
  ),
  config(
    "rsLoRA is a string",
    { use_rslora: "true" },
    "bad-adapter",
    'bad/adapter_config.json: use_rslora must be true or false, not "true"',
  ),
  config(
    "pattern is a list",
    { rank_pattern: ["q_proj"] },
    "bad-adapter",
    "bad/adapter_config.json: rank_pattern must be an object",
  ),
  config(
    "pattern with a negative rank",
    { rank_pattern: { q_proj: -1 } },
    "bad-adapter",
    'bad/adapter_config.json: rank_pattern gives "q_proj" the value -1',
  ),
  config(
    "pattern with a look-ahead",
    { alpha_pattern: { "(?=q)q_proj": 1 } },
    "adapter-pattern",
    'bad/adapter_config.json: alpha_pattern "(?=q)q_proj" has a group that begins with (?, which is not served',
  ),
  config(
    "pattern with a back-reference",
    { alpha_pattern: { "(q)\\1": 1 } },
    "adapter-pattern",
    'bad/adapter_config.json: alpha_pattern "(q)\\1" has the escape \\1, which is not served',
  ),
  config(
    "pattern not closed",
    { alpha_pattern: { "(q": 1 } },
    "adapter-pattern",
    'bad/adapter_config.json: alpha_pattern "(q" has a group that is not closed, which is not served',
  ),
  config(
    "pattern that steers the terminal",
    { rank_pattern: { "\\\u001b": 2 } },
    "adapter-pattern",
    'bad/adapter_config.json: rank_pattern "\\\\x1b" has the escape \\\\x1b, which is not served',
  ),
  config(
    "pattern that multiplies",
    { alpha_pattern: { "((((q{99}){99}){99}){99})": 1 } },
    "adapter-pattern",
    'bad/adapter_config.json: alpha_pattern "((((q{99}){99}){99}){99})" has repetitions that multiply to too much, which is not served',
  ),
  config(
    "pattern nested without end",
    { alpha_pattern: { [`${"(".repeat(40_000)}q`]: 1 } },
    "adapter-pattern",
    'bad/adapter_config.json: alpha_pattern "(((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((…" has groups nested more than 100 deep, which is not served',
  ),
  adapter(
    "patterns that take forever",
    (path) => void makeAdapterDirectory(path, manyModules, { rank_pattern: slow }),
    "adapter-pattern",
    "bad/adapter_config.json: matching rank_pattern and alpha_pattern with the modules takes too long",
  ),
  tensors("no tensors", {}, "empty-checkpoint", "bad/adapter_model.safetensors holds no tensors"),
  tensors(
    "A without B",
    { [`${Q}.lora_A.weight`]: zeros(2, 4) },
    "bad-adapter",
    'bad/adapter_model.safetensors: module "layers.0.q_proj" has no lora_B',
  ),
  tensors(
    "B without A",
    { [`${Q}.lora_B.weight`]: zeros(2, 4) },
    "bad-adapter",
    'bad/adapter_model.safetensors: module "layers.0.q_proj" has no lora_A',
  ),
  tensors(
    "A twice",
    { ...PAIR, "layers.0.q_proj.lora_A.weight": zeros(2, 4) },
    "bad-adapter",
    'bad/adapter_model.safetensors: tensors "base_model.model.layers.0.q_proj.lora_A.weight" and "layers.0.q_proj.lora_A.weight" are the same lora_A',
  ),
  tensors(
    "ranks that differ",
    { ...PAIR, [`${Q}.lora_B.weight`]: zeros(3, 4) },
    "adapter-rank",
    'bad/adapter_model.safetensors: module "layers.0.q_proj" has lora_A [2, 4] and lora_B [3, 4], whose ranks differ',
  ),
  tensors(
    "convolution",
    { ...PAIR, [`${Q}.lora_A.weight`]: zeros(2, 4, 3, 3) },
    "adapter-unsupported",
    'bad/adapter_model.safetensors: tensor "base_model.model.layers.0.q_proj.lora_A.weight" [2, 4, 3, 3] adapts a convolution, which is not served',
  ),
  tensors(
    "A of one dimension",
    { ...PAIR, [`${Q}.lora_A.weight`]: zeros(8) },
    "bad-adapter",
    'bad/adapter_model.safetensors: tensor "base_model.model.layers.0.q_proj.lora_A.weight" must have two dimensions, not [8]',
  ),
  tensors(
    "integers",
    { ...PAIR, [`${Q}.lora_A.weight`]: raw("I8", [2, 4], new Uint8Array(8)) },
    "bad-adapter",
    'bad/adapter_model.safetensors: tensor "base_model.model.layers.0.q_proj.lora_A.weight" has the dtype I8; adapters are F64, F32, F16, BF16, F8_E4M3 or F8_E5M2',
  ),
  tensors(
    "magnitudes of DoRA",
    { ...PAIR, [`${Q}.lora_magnitude_vector`]: zeros(3) },
    "adapter-unsupported",
    'bad/adapter_model.safetensors: tensor "base_model.model.layers.0.q_proj.lora_magnitude_vector" belongs to DoRA, which is not served',
  ),
  tensors(
    "embedding",
    { "e.lora_embedding_A": zeros(2, 4), "e.lora_embedding_B": zeros(4, 2) },
    "adapter-unsupported",
    'bad/adapter_model.safetensors: tensor "e.lora_embedding_A" adapts an embedding, which is not served',
  ),
  tensors(
    "trained bias",
    { ...PAIR, [`${Q}.lora_B.bias`]: zeros(3) },
    "adapter-unsupported",
    'bad/adapter_model.safetensors: tensor "base_model.model.layers.0.q_proj.lora_B.bias" is a trained bias, which is not served',
  ),
  tensors(
    "module trained as a whole",
    { ...PAIR, "base_model.model.score.weight": zeros(2, 4) },
    "adapter-unsupported",
    'bad/adapter_model.safetensors: tensor "base_model.model.score.weight" is neither a lora_A nor a lora_B, but a module that was trained as a whole, which is not served',
  ),
];
