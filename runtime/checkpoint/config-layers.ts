// What a model's config.json says of its layers, and a copy of it that says something else. Which values a stack needs is
// the compiler's affair; here they are found and written, every other character stays as it was.

import type { LayerSetting } from "../../compiler/checkpoint.ts";
import type { ConfigChange } from "../../compiler/tensor-graph.ts";
import { JsonReader, type JsonValue } from "./json-reader.ts";
import { fail } from "./problem.ts";

type Says = LayerSetting["says"];

/** The number of layers, as the architectures of transformers name it. */
const COUNTS: ReadonlySet<string> = new Set([
  "num_hidden_layers",
  "n_layer",
  "n_layers",
  "num_layers",
  "num_decoder_layers",
  "num_encoder_layers",
  "decoder_layers",
  "encoder_layers",
  "depth",
]);

/** Settings by which a layer's number says what it is. Lists with a value for each layer need no names. */
const PERIODS: ReadonlySet<string> = new Set([
  "sliding_window_pattern",
  "_sliding_window_pattern",
  "full_attention_interval",
  "no_rope_layer_interval",
  "attn_layer_period",
  "expert_layer_period",
  "decoder_sparse_step",
  "encoder_sparse_step",
  "moe_layer_freq",
  "moe_layer_frequency",
  "interleave_moe_layer_step",
  "global_attn_every_n_layers",
  "cross_attn_every_n_layers",
]);
const FIRST_LAYERS: ReadonlySet<string> = new Set(["first_k_dense_replace", "max_window_layers"]);
const LAST_LAYERS: ReadonlySet<string> = new Set(["num_kv_shared_layers"]);
const NUMBERS: ReadonlySet<string> = new Set([
  "mlp_only_layers",
  "cross_attention_layers",
  "moe_layers",
  "hybrid_layer_ids",
  "full_attn_idxs",
  "attn_layer_indices",
  "attn_layer_idx",
  "global_attention_layers",
  "global_attn_indexes",
  "fullatt_block_indexes",
]);

/** These count only where the kinds of layers are not listed; a window, only where there is one. */
const BEHIND_LAYER_TYPES = /^(?:_?sliding_window_pattern|full_attention_interval|max_window_layers)$/;

function saysOf(key: string, value: JsonValue, config: ReadonlyMap<string, JsonValue>): Says | undefined {
  if (BEHIND_LAYER_TYPES.test(key) && Array.isArray(config.get("layer_types"))) return undefined;
  if (key === "max_window_layers" && config.get("use_sliding_window") !== true) return undefined;
  if (NUMBERS.has(key) && Array.isArray(value)) {
    const layers = value.filter((layer): layer is number => Number.isSafeInteger(layer));
    return layers.length === value.length ? { kind: "numbers", layers } : undefined;
  }
  if (typeof value !== "number") return undefined;
  if (PERIODS.has(key)) return value > 1 ? { kind: "period", every: value } : undefined;
  const isLast = LAST_LAYERS.has(key);
  if (!isLast && !FIRST_LAYERS.has(key)) return undefined;
  return value > 0 ? { kind: "edge", layers: value, fromEnd: isLast } : undefined;
}

/** Lists that may have as many values as there are layers without saying anything of them. */
const NOT_OF_LAYERS =
  /^(?:architectures|keys_to_ignore_at_inference|.*_token_ids?|.*_tokens?|.*_section|.*_size|.*_sizes|betas)$/;

interface Value {
  readonly path: readonly string[];
  readonly start: number;
  readonly end: number;
  readonly value: JsonValue;
}

/** Of the configuration and its parts such as `text_config`. Throws SourceFailure on malformed text. */
export function layerSettings(text: string, display: string): readonly LayerSetting[] {
  const parts = new Map<string, Value[]>();
  for (const value of valuesOf(text, display)) {
    const part = JSON.stringify(value.path.slice(0, -1));
    const known = parts.get(part);
    if (known === undefined) parts.set(part, [value]);
    else known.push(value);
  }
  return [...parts.values()].flatMap((values) => settingsOf(values, text, display));
}

function settingsOf(values: readonly Value[], text: string, display: string): LayerSetting[] {
  const config = new Map(values.map(({ path, value }) => [path.at(-1)!, value]));
  const counts = new Set([...config].filter(([key]) => COUNTS.has(key)).map(([, value]) => value));
  return values.flatMap(({ path, value, start, end }): LayerSetting[] => {
    const key = path.at(-1)!;
    if (COUNTS.has(key)) {
      return typeof value === "number" ? [{ path, says: { kind: "count", layers: value } }] : [];
    }
    const byNumber = saysOf(key, value, config);
    if (byNumber !== undefined) return [{ path, says: byNumber }];
    if (!Array.isArray(value) || !counts.has(value.length) || NOT_OF_LAYERS.test(key)) return [];
    return [{ path, says: { kind: "each", elements: elementsOf(text.slice(start, end), display) } }];
  });
}

function elementsOf(array: string, display: string): string[] {
  const reader = new JsonReader(array, display);
  const elements: string[] = [];
  reader.readArray("a list", () => {
    const start = reader.position;
    reader.readValue("a value");
    elements.push(array.slice(start, reader.offset));
  });
  return elements;
}

/** Every value but the parts' own, in the order of the text. */
function valuesOf(text: string, display: string): readonly Value[] {
  const reader = new JsonReader(text, display);
  const values: Value[] = [];
  const walk = (what: string, path: readonly string[]): void => {
    reader.readObject(what, (key) => {
      const start = reader.position;
      const inner = [...path, key];
      if (key.endsWith("_config") && text[start] === "{") {
        walk(key, inner);
        return;
      }
      const value = reader.readValue(key);
      values.push({ path: inner, start, end: reader.offset, value });
    });
  };
  walk("the configuration", []);
  reader.end();
  return values;
}

/** The text with other values; every one of them is there, because the compiler has them from `layerSettings`. */
export function withChanges(text: string, changes: readonly ConfigChange[], display: string): string {
  if (changes.length === 0) return text;
  const wanted = new Map(changes.map(({ path, json }) => [JSON.stringify(path), json]));
  let changed = "";
  let copied = 0;
  for (const { path, start, end } of valuesOf(text, display)) {
    const key = JSON.stringify(path);
    const json = wanted.get(key);
    if (json === undefined) continue;
    wanted.delete(key);
    changed += text.slice(copied, start) + json;
    copied = end;
  }
  const [lost] = wanted.keys();
  if (lost !== undefined) fail("bad-config", `${display} has changed: it says ${lost} no more`);
  return changed + text.slice(copied);
}
