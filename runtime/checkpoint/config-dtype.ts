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

/** The dtypes of an output's floating tensors, as torch calls them. */
interface TorchDtypes {
  readonly all: ReadonlySet<string>;
  /** Of most bytes. */
  readonly main: string;
}

/** `bytes`: of the tensors of each dtype. Undefined when none is floating, or torch has no name for most of them. */
export function torchDtypes(bytes: ReadonlyMap<Dtype, number>): TorchDtypes | undefined {
  const floating = [...bytes].filter(([dtype]) => isFloat(dtype) || dtype.startsWith("F"));
  const [most] = floating.sort(([, a], [, b]) => b - a);
  const main = most && TORCH_NAMES[most[0]];
  return main === undefined
    ? undefined
    : { all: new Set(floating.flatMap(([dtype]) => TORCH_NAMES[dtype] ?? [])), main };
}

/**
 * `torch_dtype` (before transformers 5) and `dtype` (since), of the model and of its parts such as `text_config`: what is
 * the dtype of no tensor gives way to that of most. Where the configuration does not state a dtype none is added. Throws
 * SourceFailure on malformed text.
 */
export function withDtype(text: string, { all, main }: TorchDtypes, display: string): string {
  const reader = new JsonReader(text, display);
  const edits: { readonly start: number; readonly end: number }[] = [];
  const walk = (what: string): void => {
    reader.readObject(what, (key) => {
      const start = reader.position;
      if ((key === "torch_dtype" || key === "dtype") && text[start] === '"') {
        const stated = reader.readString(quoted(key));
        if (!all.has(stated)) edits.push({ start, end: reader.offset });
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
    corrected += text.slice(copied, start) + JSON.stringify(main);
    copied = end;
  }
  return corrected + text.slice(copied);
}
