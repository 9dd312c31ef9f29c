// What a config.json says of how a model computes with its tensors and no shape of them shows: two models of other heads
// or frequencies have equal shapes, and their average is no model.

import { type JsonObject, type JsonValue, isObject } from "./json-reader.ts";

/**
 * The commonest settings, as the classes of transformers read them. Left out is what trains, samples or labels, and what
 * differs between fine-tunes that merge well: epsilons, windows, lengths.
 */
const SETTINGS = [
  "model_type",
  "num_attention_heads",
  "num_key_value_heads",
  "n_head",
  "head_dim",
  "hidden_act",
  "hidden_activation",
  "activation_function",
  "position_embedding_type",
  "alibi",
  "rotary_emb_base",
  "rope_local_base_freq",
  "partial_rotary_factor",
  "rotary_pct",
  "num_experts_per_tok",
  "norm_topk_prob",
  "routed_scaling_factor",
  "query_pre_attn_scalar",
  "attn_logit_softcapping",
  "final_logit_softcapping",
  "logit_scale",
] as const;

/** Setting → its value as JSON text, of what the configuration says; `parts`: itself, then that of its language model. */
export function computationOf(parts: readonly JsonObject[]): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  const say = (setting: string, value: JsonValue | undefined): void => {
    if (value === undefined || found.has(setting)) return;
    found.set(setting, canonicalText(value));
  };
  for (const part of parts) {
    for (const setting of SETTINGS) say(setting, isRead(setting, part) ? (part.get(setting) ?? undefined) : undefined);
    for (const [setting, value] of rotaryOf(part)) say(setting, value);
  }
  return found;
}

/** Gemma's class takes another activation than `hidden_act` says. */
function isRead(setting: string, part: JsonObject): boolean {
  const type = part.get("model_type");
  return !(setting === "hidden_act" && typeof type === "string" && type.startsWith("gemma"));
}

/** Llama's first configurations leave it out. */
const LLAMA_THETA = 10_000;

/** transformers 5 keeps in `rope_parameters` what were `rope_theta`, `partial_rotary_factor` and `rope_scaling`. */
function rotaryOf(part: JsonObject): readonly (readonly [string, JsonValue | undefined])[] {
  const parameters = part.get("rope_parameters");
  if (isObject(parameters)) {
    const theta = parameters.get("rope_theta");
    // Those of each kind of layer apart.
    if (theta === undefined) return [["rope_parameters", parameters]];
    const factor = parameters.get("partial_rotary_factor") ?? undefined;
    return [
      ["rope_theta", theta],
      ["partial_rotary_factor", factor],
      ["rope_scaling", scalingOf(parameters)],
    ];
  }
  const theta = part.get("rope_theta") ?? (part.get("model_type") === "llama" ? LLAMA_THETA : undefined);
  const scaling = part.get("rope_scaling");
  const isSaid = theta !== undefined || scaling !== undefined;
  return [
    ["rope_theta", theta],
    ["rope_scaling", isSaid ? scalingOf(scaling ?? null) : undefined],
  ];
}

/** Types that change no frequency: what `mrope` adds is how positions of images are counted. */
const NO_SCALING: ReadonlySet<JsonValue> = new Set<JsonValue>([null, "default", "mrope"]);

/** What both generations store beside or in it, and what only says how long the texts were. */
const NOT_SCALING: ReadonlySet<string> = new Set([
  "rope_type",
  "type",
  "rope_theta",
  "partial_rotary_factor",
  "original_max_position_embeddings",
]);

/** Under the names of today. */
function scalingOf(scaling: JsonValue): JsonValue {
  if (!isObject(scaling)) return null;
  const said = scaling.get("rope_type") ?? scaling.get("type") ?? null;
  if (NO_SCALING.has(said)) return null;
  const others = [...scaling].filter(([key, value]) => !NOT_SCALING.has(key) && value !== null);
  return new Map<string, JsonValue>([["rope_type", said === "su" ? "longrope" : said], ...others]);
}

/** Equal for equal values, whatever the order of their keys. */
function canonicalText(value: JsonValue): string {
  if (Array.isArray(value)) return `[${value.map(canonicalText).join(", ")}]`;
  if (!isObject(value)) return JSON.stringify(value);
  const members = [...value].sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${members.map(([key, member]) => `${JSON.stringify(key)}: ${canonicalText(member)}`).join(", ")}}`;
}
