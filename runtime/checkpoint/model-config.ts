// What merging needs to know of a model's config.json: whether embeddings are tied, how many tokens there are, and whether
// the tensors are plain numbers at all.

import type { ModelConfig, TensorInfo } from "../../compiler/checkpoint.ts";
import { computationOf } from "./computation.ts";
import { type JsonObject, isObject, parseJson } from "./json-reader.ts";
import { fail, quoted } from "./problem.ts";
import { type OpenedFiles, type SourceFile, readText } from "./source-file.ts";

export const CONFIG_FILE = "config.json";
const LARGEST_CONFIG = 16_000_000;

export function readConfigText(file: SourceFile, opened: OpenedFiles): string {
  return readText(file, opened, LARGEST_CONFIG);
}

export function parseConfig(text: string, file: SourceFile): JsonObject {
  const config = parseJson(text, file.display, "the configuration");
  if (!isObject(config)) fail("bad-config", `${file.display} must hold an object`);
  return config;
}

/** `config` is undefined when the checkpoint has none: then nothing is tied. */
export function modelConfig(
  config: JsonObject | undefined,
  tensors: ReadonlyMap<string, TensorInfo>,
  file: SourceFile,
): Omit<ModelConfig, "layers"> {
  const quantization = (config && configuredQuantization(config)) ?? storedQuantization(tensors);
  const saysTied = config === undefined ? undefined : tieSetting(config, file);
  const tieWordEmbeddings = saysTied ?? (config !== undefined && tiesByDefault(config));
  const vocabularies = config === undefined ? [] : vocabularySizes(config);
  const computation = computationOf(config === undefined ? [] : [config, ...languageParts(config)]);
  return {
    tieWordEmbeddings,
    ...(saysTied === undefined ? {} : { saysTied }),
    vocabularies,
    computation,
    ...(quantization === undefined ? {} : { quantization }),
  };
}

/**
 * Models whose class ties when config.json is silent: transformers leaves out what equals a class's default. For all
 * others silence means separate embeddings.
 */
const TIED_BY_DEFAULT: ReadonlySet<string> = new Set([
  "bloom",
  "cohere",
  "cohere2",
  "falcon",
  "gemma",
  "gemma2",
  "gemma3",
  "gemma3_text",
  "gpt2",
  "gpt_bigcode",
  "gpt_neo",
  "mpt",
  "opt",
]);

/** Models of text and images keep the facts of the language model in a configuration of its own. */
const LANGUAGE_PARTS = ["text_config", "llm_config", "language_config"] as const;

function tieSetting(config: JsonObject, file: SourceFile): boolean | undefined {
  for (const part of [config, ...languageParts(config)]) {
    const tied = part.get("tie_word_embeddings") ?? null;
    if (typeof tied === "boolean") return tied;
    if (tied !== null) fail("bad-config", `${file.display}: tie_word_embeddings must be true or false`);
  }
  return undefined;
}

function tiesByDefault(config: JsonObject): boolean {
  return [config, ...languageParts(config)].some((part) => {
    const type = part.get("model_type");
    return typeof type === "string" && TIED_BY_DEFAULT.has(type);
  });
}

function vocabularySizes(config: JsonObject): ModelConfig["vocabularies"] {
  const parts = LANGUAGE_PARTS.map((key) => ({ path: [key], part: config.get(key) }));
  return [{ path: [], part: config }, ...parts].flatMap(({ path, part }) => {
    const tokens = isObject(part) ? part.get("vocab_size") : undefined;
    return typeof tokens === "number" ? [{ path: [...path, "vocab_size"], tokens }] : [];
  });
}

function languageParts(config: JsonObject): JsonObject[] {
  return LANGUAGE_PARTS.map((key) => config.get(key)).filter(isObject);
}

function configuredQuantization(config: JsonObject): string | undefined {
  for (const part of [config, ...languageParts(config)]) {
    for (const key of ["quantization_config", "compression_config"]) {
      const quantization = part.get(key) ?? null;
      if (quantization === null) continue;
      const method = isObject(quantization) ? quantization.get("quant_method") : undefined;
      return typeof method === "string" ? `${key} says ${quoted(method)}` : `it has a ${key}`;
    }
  }
  return undefined;
}

/** Names under which quantisers store what belongs to packed weights. */
const PACKED = /\.(?:qweight|qzeros|weight_packed|absmax|quant_state\.[^.]+)$/;
const SCALE = /(?:^|[._])scales?(?:_inv|_weight)?$/;

function storedQuantization(tensors: ReadonlyMap<string, TensorInfo>): string | undefined {
  // Module → dtype of its narrow weights: CLIP's logit_scale is a parameter, and stands beside none.
  const narrow = new Map<string, string>();
  const scales: string[] = [];
  for (const { name, dtype } of tensors.values()) {
    if (PACKED.test(name)) return `tensor ${quoted(name)} belongs to packed weights`;
    if (SCALE.test(name)) scales.push(name);
    else if (/^F[468]_|^F4$/.test(dtype)) narrow.set(moduleOf(name), dtype);
  }
  const scale = scales.find((name) => narrow.has(moduleOf(name)));
  if (scale === undefined) return undefined;
  return `it holds ${narrow.get(moduleOf(scale))} weights that are scaled by tensor ${quoted(scale)}`;
}

function moduleOf(name: string): string {
  return name.slice(0, name.lastIndexOf(".") + 1);
}
