// adapter_config.json with rank and alpha patterns, beside weights of rank 2.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readAdapter } from "../../runtime/checkpoint/adapter.ts";
import { f32, writeSafetensors } from "../support/tensors.ts";
import type { Choices } from "./choices.ts";
import { damaged, JSON_PIECES } from "./damage.ts";
import { checkProblem, type Fuzzer } from "./fuzzer.ts";
import { jsonObject, jsonText } from "./json-text.ts";

const KEYS = [
  "use_rslora",
  "fan_in_fan_out",
  "use_dora",
  "init_lora_weights",
  "target_modules",
  "modules_to_save",
  "layers_to_transform",
  "bias",
  "lora_bias",
  "layer_replication",
  "unknown",
];
const PATTERN_PIECES = [
  "layers",
  "mlp",
  "q_proj",
  "0",
  "a",
  ..."^ $ . .* (a+)+ (?: ( ) [ ] [^a-z] | * + ? {2} {1,} {9999} \\\\d \\\\. \\\\ (?=a) (?i) \\u0000 é".split(" "),
];
const MODULES = ["model.layers.0.mlp.up_proj", "model.layers.1.self_attn.q_proj", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab"];

function makeConfig(choices: Choices): string {
  const members: (readonly [string, string])[] = [
    ["peft_type", choices.chance(1, 30) ? jsonText(choices) : '"LORA"'],
    ["r", choices.chance(1, 12) ? jsonText(choices) : "2"],
    ["lora_alpha", choices.chance(1, 12) ? jsonText(choices) : "16"],
  ];
  for (const key of ["rank_pattern", "alpha_pattern"]) {
    if (!choices.chance(1, 2)) continue;
    const pattern = (): readonly [string, string] => [
      choices.list(0, 6, () => choices.pick(PATTERN_PIECES)).join(""),
      choices.pick(["2", "2", "2", "4", "0.5", "1e308", "null", "-1"]),
    ];
    members.push([key, choices.chance(1, 12) ? jsonText(choices) : jsonObject(choices.list(0, 4, pattern))]);
  }
  members.push(...choices.list(0, 2, (): readonly [string, string] => [choices.pick(KEYS), jsonText(choices)]));
  if (choices.chance(1, 12)) members.splice(choices.below(members.length), 1);
  const text = jsonObject(members);
  return choices.chance(1, 4) ? damaged(text, JSON_PIECES, choices) : text;
}

function checkConfig(config: string, folder: string): void {
  writeFileSync(join(folder, "adapter_config.json"), config);
  const answer = readAdapter(folder, "fuzzed", new Map());
  if (answer.kind === "problem") {
    checkProblem(answer);
    return;
  }
  for (const { module, rank, scaling } of answer.modules.values()) {
    if (rank !== 2 || !Number.isFinite(scaling)) throw new Error(`${module} has rank ${rank}, scaling ${scaling}`);
  }
  if (answer.modules.size !== MODULES.length) throw new Error(`${answer.modules.size} modules`);
}

export function adapters(): Fuzzer<string> {
  const folder = mkdtempSync(join(tmpdir(), "theta-fuzz-"));
  const tensors = MODULES.flatMap((module) => [
    [`base_model.model.${module}.lora_A.weight`, f32([2, 3], [1, 2, 3, 4, 5, 6])] as const,
    [`base_model.model.${module}.lora_B.weight`, f32([3, 2], [1, 2, 3, 4, 5, 6])] as const,
  ]);
  writeSafetensors(join(folder, "adapter_model.safetensors"), Object.fromEntries(tensors));
  return {
    choices: 120,
    make: makeConfig,
    check: (config) => checkConfig(config, folder),
    close: () => rmSync(folder, { recursive: true }),
  };
}
