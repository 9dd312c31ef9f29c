// Reads adapter_config.json of PEFT's LoRA. Whatever would change the arithmetic and is not served is refused: an
// adapter that is applied as if a setting were not there gives a wrong model without a word.

import { type JsonObject, type JsonValue, isObject, parseJson } from "./json-reader.ts";
import { fail, quoted } from "./problem.ts";
import { type PythonPattern, type StepBudget, parsePythonPattern } from "./python-pattern.ts";
import { type OpenedFiles, type SourceFile, readText } from "./source-file.ts";

export interface AdapterConfig {
  /** Rank and scaling that the configuration gives a module; throws SourceFailure when the patterns take too long. */
  scalingOf(module: string): { readonly rank: number; readonly scaling: number };
  /** `fan_in_fan_out`: the base stores [in, out]. */
  readonly transposed: boolean;
}

const LARGEST_CONFIG = 4_000_000;
/** Takes about a second; five hundred modules with a pattern for each use a fiftieth of it. */
const PATTERN_STEPS = 30_000_000;

export function readAdapterConfig(file: SourceFile, opened: OpenedFiles): AdapterConfig {
  const config = parseJson(readText(file, opened, LARGEST_CONFIG), file.display, "the configuration");
  if (!isObject(config)) fail("bad-adapter", `${file.display} must hold an object`);
  const type = config.get("peft_type");
  if (type !== "LORA") {
    const found = typeof type === "string" ? quoted(type) : "missing";
    fail("adapter-unsupported", `${file.display}: only adapters with peft_type "LORA" are served; here it is ${found}`);
  }
  refuseUnserved(config, file);
  const ranks = readPatterns(config, "rank_pattern", file, isRank);
  const alphas = readPatterns(config, "alpha_pattern", file, Number.isFinite);
  const rank = requiredNumber(config, "r", file, isRank, "an integer of 1 or more");
  const alpha = requiredNumber(config, "lora_alpha", file, Number.isFinite, "a finite number");
  const rootScaling = readBoolean(config, "use_rslora", file);
  const budget = { left: PATTERN_STEPS };
  return {
    transposed: readBoolean(config, "fan_in_fan_out", file),
    scalingOf(module) {
      const r = lookUp(ranks, module, budget) ?? rank;
      const a = lookUp(alphas, module, budget) ?? alpha;
      if (budget.left <= 0) {
        fail(
          "adapter-pattern",
          `${file.display}: matching rank_pattern and alpha_pattern with the modules takes too long`,
        );
      }
      return { rank: r, scaling: a / (rootScaling ? Math.sqrt(r) : r) };
    },
  };
}

function isRank(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 1;
}

/** Settings that say something other than how the adapter was trained; an empty value means that it is not used. */
const UNSERVED: ReadonlyMap<string, string> = new Map([
  ["use_dora", "is a DoRA adapter, whose magnitudes need the base's norms"],
  ["use_qalora", "is a QALoRA adapter"],
  ["use_bdlora", "is a block-diagonal LoRA adapter"],
  ["lora_bias", "trained biases together with the matrices"],
  ["alora_invocation_tokens", "is an activated LoRA, which acts on some tokens only"],
  ["layer_replication", "repeats layers of the base"],
  ["target_parameters", "changes parameters that are not modules"],
  ["trainable_token_indices", "trained single tokens of the embedding"],
  ["arrow_config", "routes between several adapters"],
]);

/** Settings that do not change what A and B mean. */
const HARMLESS: ReadonlySet<string> = new Set([
  "alpha_pattern",
  "auto_mapping",
  "base_model_name_or_path",
  "bias",
  "corda_config",
  "ensure_weight_tying",
  "eva_config",
  "exclude_modules",
  "fan_in_fan_out",
  "inference_mode",
  "init_lora_weights",
  "layers_pattern",
  "layers_to_transform",
  "loftq_config",
  "lora_alpha",
  "lora_dropout",
  "lora_ga_config",
  "megatron_config",
  "megatron_core",
  "modules_to_save",
  "peft_type",
  "peft_version",
  "qalora_group_size",
  "r",
  "rank_pattern",
  "revision",
  "runtime_config",
  "target_modules",
  "task_type",
  "unsloth_fixed",
  "use_rslora",
]);

/** Ways to start the training that also change the base, so the adapter fits a base that no file holds. */
const CHANGES_BASE = /^(?:pissa(?:_niter_\d+)?|olora|corda|loftq|lora_ga)$/;

function refuseUnserved(config: JsonObject, file: SourceFile): void {
  for (const [key, value] of config) {
    const reason = UNSERVED.get(key);
    if (isEmpty(value) || (reason === undefined && HARMLESS.has(key))) continue;
    if (reason !== undefined) {
      fail("adapter-unsupported", `${file.display}: the adapter ${reason} (${key}), which is not served`);
    }
    const sentence = `${file.display} has the setting ${quoted(key)}, which theta does not know`;
    fail("adapter-unsupported", sentence, "remove it if it does not change what A and B mean");
  }
  const start = config.get("init_lora_weights");
  if (typeof start === "string" && CHANGES_BASE.test(start)) {
    const help = "convert it with PEFT: save_pretrained(…, path_initial_model_for_weight_conversion=…)";
    fail(
      "adapter-unsupported",
      `${file.display}: init_lora_weights ${quoted(start)} changed the base before training`,
      help,
    );
  }
}

function isEmpty(value: JsonValue): boolean {
  if (value === null || value === false || value === "") return true;
  return Array.isArray(value) ? value.length === 0 : isObject(value) && value.size === 0;
}

interface Pattern {
  readonly pattern: PythonPattern;
  readonly value: number;
}

/** The entry whose key is the name itself is PEFT's fallback when no pattern matches. */
interface Patterns {
  readonly inOrder: readonly Pattern[];
  readonly byName: ReadonlyMap<string, number>;
}

function readPatterns(config: JsonObject, key: string, file: SourceFile, fits: (value: number) => boolean): Patterns {
  const listed = config.get(key) ?? null;
  const inOrder: Pattern[] = [];
  const byName = new Map<string, number>();
  if (listed === null) return { inOrder, byName };
  if (!isObject(listed)) fail("bad-adapter", `${file.display}: ${key} must be an object`);
  for (const [name, value] of listed) {
    if (typeof value !== "number" || !fits(value)) {
      fail("bad-adapter", `${file.display}: ${key} gives ${quoted(name)} the value ${valueText(value)}`);
    }
    const pattern = parsePythonPattern(name);
    if ("refused" in pattern) {
      fail("adapter-pattern", `${file.display}: ${key} ${quoted(name)} has ${pattern.refused}, which is not served`);
    }
    inOrder.push({ pattern, value });
    byName.set(name, value);
  }
  return { inOrder, byName };
}

/** The first match in the order of the file wins, as in PEFT. */
function lookUp({ inOrder, byName }: Patterns, module: string, budget: StepBudget): number | undefined {
  return inOrder.find(({ pattern }) => pattern.matches(module, budget))?.value ?? byName.get(module);
}

function requiredNumber(
  config: JsonObject,
  key: string,
  file: SourceFile,
  fits: (value: number) => boolean,
  wanted: string,
): number {
  const value = config.get(key);
  if (value === undefined) fail("bad-adapter", `${file.display} has no ${key}`);
  if (typeof value !== "number" || !fits(value)) {
    fail("bad-adapter", `${file.display}: ${key} must be ${wanted}, not ${valueText(value)}`);
  }
  return value;
}

function readBoolean(config: JsonObject, key: string, file: SourceFile): boolean {
  const value = config.get(key) ?? false;
  if (typeof value !== "boolean") {
    fail("bad-adapter", `${file.display}: ${key} must be true or false, not ${valueText(value)}`);
  }
  return value;
}

function valueText(value: JsonValue): string {
  if (typeof value === "string") return quoted(value);
  if (value === null || typeof value !== "object") return String(value);
  return isObject(value) ? "an object" : "a list";
}
