// What a checkpoint says of itself beside its tensors: its model's configuration in short, an adapter's settings, what
// theta recorded of an output. For people to read; nothing is built from it.

import type { Adapter } from "../../compiler/checkpoint.ts";
import { type JsonObject, type JsonValue, isObject, parseJson } from "../checkpoint/json-reader.ts";
import { CONFIG_FILE, parseConfig, readConfigText } from "../checkpoint/model-config.ts";
import { type OpenedFiles, type SourceFile, inside, readText } from "../checkpoint/source-file.ts";

export interface CheckpointFacts {
  readonly architecture?: string;
  readonly modelType?: string;
  readonly layers?: number;
  /** Why these tensors are not plain numbers, such as "quantization_config says gptq". */
  readonly quantization?: string;
  readonly adapter?: AdapterFacts;
  readonly output?: OutputFacts;
}

export interface AdapterFacts {
  /** The model that it was trained on, as PEFT recorded it. */
  readonly base?: string;
  readonly modules: number;
  /** Distinct, ascending. */
  readonly ranks: readonly number[];
  /** alpha ÷ rank or alpha ÷ √rank; distinct, ascending. */
  readonly scalings: readonly number[];
}

/** Of theta.json; what an older or newer theta did not write is absent. */
export interface OutputFacts {
  /** Of the tensors, as the build that wrote them computed it. */
  readonly digest?: string;
  readonly recipe?: string;
  readonly inputs: readonly { readonly source: string; readonly digest?: string }[];
  /** Of a vector: the digest of the base that it was taken from. */
  readonly baseDigest?: string;
  /** Of theta. */
  readonly version?: string;
}

export const ADAPTER_CONFIG = "adapter_config.json";
const LARGEST_RECORD = 64_000_000;

/** `names`: what the directory holds. Throws SourceFailure. */
export function configFacts(directory: SourceFile, names: readonly string[], opened: OpenedFiles): CheckpointFacts {
  if (!names.includes(CONFIG_FILE)) return {};
  const file = inside(directory, CONFIG_FILE);
  const config = parseConfig(readConfigText(file, opened), file);
  const architectures = config.get("architectures");
  const architecture = Array.isArray(architectures) ? text((architectures as readonly JsonValue[])[0]) : undefined;
  const modelType = text(config.get("model_type"));
  const layers = layerCount(config);
  return {
    ...(architecture !== undefined && { architecture }),
    ...(modelType !== undefined && { modelType }),
    ...(layers !== undefined && { layers }),
  };
}

/** Models of text and images keep the facts of the language model in a configuration of its own. */
function layerCount(config: JsonObject): number | undefined {
  const parts = [config, ...["text_config", "llm_config", "language_config"].map((key) => config.get(key))];
  for (const part of parts.filter(isObject)) {
    for (const key of ["num_hidden_layers", "n_layer", "n_layers", "num_layers"]) {
      const layers = part.get(key);
      if (typeof layers === "number" && Number.isSafeInteger(layers)) return layers;
    }
  }
  return undefined;
}

/** `file`: its configuration. Throws SourceFailure. */
export function adapterFacts({ modules }: Adapter, file: SourceFile, opened: OpenedFiles): AdapterFacts {
  const config = parseConfig(readConfigText(file, opened), file);
  const base = text(config.get("base_model_name_or_path"));
  const all = [...modules.values()];
  return {
    ...(base !== undefined && { base }),
    modules: all.length,
    ranks: distinct(all.map(({ rank }) => rank)),
    scalings: distinct(all.map(({ scaling }) => scaling)),
  };
}

/** `file`: theta.json, which `readThetaFile` has accepted. Throws SourceFailure. */
export function outputFacts(file: SourceFile, opened: OpenedFiles): OutputFacts {
  const record = parseJson(readText(file, opened, LARGEST_RECORD), file.display, "the record");
  if (!isObject(record)) return { inputs: [] };
  const digest = text(record.get("digest"));
  const recipe = text(record.get("recipe"));
  const base = record.get("base");
  const baseDigest = isObject(base) ? text(base.get("digest")) : undefined;
  const version = text(record.get("theta"));
  return {
    ...(digest !== undefined && { digest }),
    ...(recipe !== undefined && { recipe }),
    inputs: inputsOf(record.get("inputs")),
    ...(baseDigest !== undefined && { baseDigest }),
    ...(version !== undefined && { version }),
  };
}

function inputsOf(listed: JsonValue | undefined): OutputFacts["inputs"] {
  if (!Array.isArray(listed)) return [];
  return (listed as readonly JsonValue[]).filter(isObject).flatMap((input) => {
    const source = text(input.get("source"));
    const digest = text(input.get("digest"));
    return source === undefined ? [] : [{ source, ...(digest !== undefined && { digest }) }];
  });
}

function text(value: JsonValue | undefined): string | undefined {
  return typeof value === "string" ? value : undefined;
}

function distinct(numbers: readonly number[]): readonly number[] {
  return [...new Set(numbers)].sort((a, b) => a - b);
}
