// What a config.json says of how a model computes with its tensors and no shape of them shows: two models of other heads
// or frequencies have equal shapes, and their average is no model.

import { type JsonObject, type JsonValue, isObject } from "./json-reader.ts";

/** As the classes of transformers read them. What merely trains, samples or labels is left out. */
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
  "partial_rotary_factor",
  "rotary_pct",
  "num_experts_per_tok",
] as const;

/** Setting → its value as JSON text, of what the configuration says; `parts`: itself, then that of its language model. */
export function computationOf(parts: readonly JsonObject[]): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  const say = (setting: string, text: string): void => {
    if (!found.has(setting)) found.set(setting, text);
  };
  for (const part of parts) {
    for (const setting of SETTINGS) {
      const value = part.get(setting) ?? null;
      if (value !== null) say(setting, canonicalText(value));
    }
    for (const [setting, value] of rotaryOf(part)) say(setting, canonicalText(value));
  }
  return found;
}

/** transformers 5 keeps in `rope_parameters` what were `rope_theta` and `rope_scaling`. */
function rotaryOf(part: JsonObject): readonly (readonly [string, JsonValue])[] {
  const parameters = part.get("rope_parameters") ?? null;
  if (!isObject(parameters)) {
    const theta = part.get("rope_theta") ?? null;
    return theta === null ? [] : rotary(theta, part.get("rope_scaling") ?? null);
  }
  const theta = parameters.get("rope_theta") ?? null;
  // Those of each kind of layer apart.
  if (theta === null) return [["rope_parameters", parameters]];
  return rotary(theta, parameters);
}

function rotary(theta: JsonValue, scaling: JsonValue): readonly (readonly [string, JsonValue])[] {
  return [
    ["rope_theta", theta],
    ["rope_scaling", isObject(scaling) ? scalingOf(scaling) : null],
  ];
}

/** Under the names of today. */
function scalingOf(scaling: JsonObject): JsonValue {
  const type = scaling.get("rope_type") ?? scaling.get("type") ?? null;
  if (type === "default") return null;
  const others = [...scaling].filter(
    ([key, value]) => !["rope_type", "type", "rope_theta"].includes(key) && value !== null,
  );
  return new Map([["rope_type", type], ...others]);
}

/** Equal for equal values, whatever the order of their keys. */
function canonicalText(value: JsonValue): string {
  if (Array.isArray(value)) return `[${value.map(canonicalText).join(", ")}]`;
  if (!isObject(value)) return JSON.stringify(value);
  const members = [...value].sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${members.map(([key, member]) => `${JSON.stringify(key)}: ${canonicalText(member)}`).join(", ")}}`;
}
