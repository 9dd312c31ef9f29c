// Writes the output's dtype into a copy of config.json and leaves every other character of it as it was.

import { type Dtype, isFloat } from "../../compiler/checkpoint.ts";
import { JsonReader } from "./json-reader.ts";
import { quoted } from "./problem.ts";

const TORCH_NAMES: Readonly<Record<string, string>> = {
  F64: "float64",
  F32: "float32",
  F16: "float16",
  BF16: "bfloat16",
  F8_E5M2: "float8_e5m2",
  F8_E4M3: "float8_e4m3fn",
};

/** The one dtype of all floating tensors as torch calls it; undefined when they differ or there are none. */
export function uniformTorchDtype(dtypes: Iterable<Dtype>): string | undefined {
  const floating = new Set([...dtypes].filter((dtype) => isFloat(dtype) || dtype.startsWith("F")));
  const [only] = floating;
  return floating.size === 1 && only !== undefined ? TORCH_NAMES[only] : undefined;
}

/**
 * `torch_dtype` (before transformers 5) and `dtype` (since), of the model and of its parts such as `text_config`.
 * Where the configuration does not state a dtype none is added. Throws SourceFailure on malformed text.
 */
export function withDtype(text: string, dtype: string, display: string): string {
  const reader = new JsonReader(text, display);
  const edits: { readonly start: number; readonly end: number }[] = [];
  const walk = (what: string): void => {
    reader.readObject(what, (key) => {
      const start = reader.position;
      if ((key === "torch_dtype" || key === "dtype") && text[start] === '"') {
        reader.readString(quoted(key));
        edits.push({ start, end: reader.offset });
      } else if (key.endsWith("_config") && key !== "quantization_config" && text[start] === "{") {
        walk(quoted(key));
      } else {
        reader.readValue(quoted(key));
      }
    });
  };
  walk("the configuration");
  reader.end();
  let corrected = "";
  let copied = 0;
  for (const { start, end } of edits) {
    corrected += text.slice(copied, start) + JSON.stringify(dtype);
    copied = end;
  }
  return corrected + text.slice(copied);
}
