// The index of shards and config.json, beside shards that are right.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readModel } from "../../runtime/checkpoint/model-directory.ts";
import { f32, writeSafetensors } from "../support/tensors.ts";
import type { Choices } from "./choices.ts";
import { damaged, JSON_PIECES } from "./damage.ts";
import { checkProblem, type Fuzzer } from "./fuzzer.ts";
import { jsonObject, jsonText } from "./json-text.ts";

interface Files {
  readonly index: string;
  readonly config: string;
}

const SHARD_OF: readonly (readonly [tensor: string, shard: string])[] = [
  ["model.embed_tokens.weight", "one.safetensors"],
  ["model.layers.0.a", "one.safetensors"],
  ["model.layers.1.a", "two.safetensors"],
];
const SHARDS = [
  "two.safetensors",
  "three.safetensors",
  "../one.safetensors",
  "/x.safetensors",
  "",
  "one.bin",
  "\\u0000",
];
const CONFIG_KEYS = [
  "tie_word_embeddings",
  "num_hidden_layers",
  "n_layer",
  "layer_types",
  "sliding_window_pattern",
  "max_window_layers",
  "use_sliding_window",
  "first_k_dense_replace",
  "num_kv_shared_layers",
  "mlp_only_layers",
  "model_type",
  "quantization_config",
  "text_config",
  "llm_config",
  "vision_config",
  "architectures",
];

function makeFiles(choices: Choices): Files {
  const members = SHARD_OF.map(([tensor, shard]): readonly [string, string] => [
    choices.chance(1, 12) ? choices.pick(["lm_head.weight", "__proto__", "", "model.layers.0.a"]) : tensor,
    choices.chance(1, 20) ? jsonText(choices) : `"${choices.chance(1, 12) ? choices.pick(SHARDS) : shard}"`,
  ]);
  if (choices.chance(1, 12)) members.splice(choices.below(3), 1);
  const parts: (readonly [string, string])[] = [["weight_map", jsonObject(members)]];
  if (choices.chance(1, 8)) parts.push([choices.pick(["metadata", "weight_map"]), jsonText(choices)]);
  const index = jsonObject(parts);
  return {
    index: choices.chance(1, 3) ? damaged(index, JSON_PIECES, choices) : index,
    config: choices.chance(1, 3) ? damaged(config(choices, 2), JSON_PIECES, choices) : config(choices, 2),
  };
}

function config(choices: Choices, depth: number): string {
  return jsonObject(
    choices.list(0, 6, () => {
      const key = choices.pick(CONFIG_KEYS);
      const inner = key.endsWith("_config") && depth > 0 && choices.chance(3, 4);
      return [key, inner ? config(choices, depth - 1) : jsonText(choices)];
    }),
  );
}

function checkFiles({ index, config: text }: Files, folder: string): void {
  writeFileSync(join(folder, "model.safetensors.index.json"), index);
  writeFileSync(join(folder, "config.json"), text);
  const answer = readModel(folder, "fuzzed", new Map());
  if (answer.kind === "problem") {
    checkProblem(answer);
    return;
  }
  const found = [...answer.tensors.values()].map(({ name, file }) => [name, file.slice(folder.length + 1)]);
  // Python's json module writes these, so they are read; JSON.parse does not.
  if (/NaN|Infinity/.test(index)) return;
  const { weight_map: listed } = JSON.parse(index) as { weight_map: Readonly<Record<string, string>> };
  if (JSON.stringify(found) !== JSON.stringify(Object.entries(listed).sort())) {
    throw new Error(`tensors: ${JSON.stringify(found)}`);
  }
  for (const { path } of answer.config.layers ?? []) {
    if (path.length === 0) throw new Error("a setting without a place");
  }
}

export function indices(): Fuzzer<Files> {
  const folder = mkdtempSync(join(tmpdir(), "theta-fuzz-"));
  for (const shard of new Set(SHARD_OF.map(([, file]) => file))) {
    const names = SHARD_OF.filter(([, file]) => file === shard).map(([name]) => name);
    writeSafetensors(join(folder, shard), Object.fromEntries(names.map((name) => [name, f32([2], [1, 2])])));
  }
  return {
    choices: 120,
    make: makeFiles,
    check: (files) => checkFiles(files, folder),
    close: () => rmSync(folder, { recursive: true }),
  };
}
