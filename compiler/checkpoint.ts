// What the compiler knows of a checkpoint: headers, never a payload. runtime/checkpoint fills these in.

import type { DiagnosticCode } from "../dsl/diagnostic-codes.ts";

/** Dtypes that arithmetic is served for, as safetensors spells them; the others are copied. */
export const FLOAT_DTYPES = ["F64", "F32", "F16", "BF16", "F8_E4M3", "F8_E5M2"] as const;
export type FloatDtype = (typeof FLOAT_DTYPES)[number];
/** Any dtype name of a safetensors header. */
export type Dtype = FloatDtype | (string & { readonly dtypeBrand?: never });

export function isFloat(dtype: Dtype): dtype is FloatDtype {
  return (FLOAT_DTYPES as readonly string[]).includes(dtype);
}

/** Where a tensor lies: `offset` counts from the start of the file, `bytes` is its payload's size. */
export interface TensorInfo {
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  /** Path of the file that holds it; two tensors of one file have the identical string. */
  readonly file: string;
  readonly offset: number;
  readonly bytes: number;
}

/** The facts of `config.json` that merging needs; everything else is carried over by the runtime. */
export interface ModelConfig {
  readonly tieWordEmbeddings: boolean;
  /** The same where config.json says it itself, and does not leave it to the model's class. */
  readonly saysTied?: boolean;
  /** Every `vocab_size`, with its keys from the root: of the model, or of its language model. */
  readonly vocabularies: readonly { readonly path: readonly string[]; readonly tokens: number }[];
  /** Setting → JSON text, of what it says of how the model computes and no shape shows; empty without one. */
  readonly computation: ReadonlyMap<string, string>;
  /** What config.json says of layers; absent without one. */
  readonly layers?: readonly LayerSetting[];
  /** Why arithmetic on these tensors would be wrong, such as "quantization_config says gptq". */
  readonly quantization?: string;
}

/** One setting of config.json that says how many layers there are, or which of them are of a kind. */
export interface LayerSetting {
  /** Keys from the root: `["text_config", "num_hidden_layers"]`. */
  readonly path: readonly string[];
  readonly says:
    | { readonly kind: "count"; readonly layers: number }
    /** A value for each layer, as JSON text. */
    | { readonly kind: "each"; readonly elements: readonly string[] }
    /** The numbers of the layers that are special. */
    | { readonly kind: "numbers"; readonly layers: readonly number[] }
    /** What a layer is follows from the remainder of its number. */
    | { readonly kind: "period"; readonly every: number }
    /** The first so many layers are of another kind than the rest; or, `fromEnd`, the last. */
    | { readonly kind: "edge"; readonly layers: number; readonly fromEnd: boolean };
}

/** A model directory or file in the hub's conventions. */
export interface Checkpoint {
  readonly kind: "model";
  /** Absolute, as resolved from the recipe. */
  readonly path: string;
  /** As the recipe spells it, for messages. */
  readonly display: string;
  /** By stored name, sorted by bytes. */
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  /**
   * Other name → stored name. A name is tied when it shares another's offsets (then the stored name is the smallest
   * by bytes), or when it is absent by convention (`tie_word_embeddings` without `lm_head.weight`).
   */
  readonly aliases: ReadonlyMap<string, string>;
  readonly config: ModelConfig;
}

/** One Linear module of a LoRA adapter: τ = scaling × (B·A), A [rank, in], B [out, rank]. */
export interface LoraModule {
  /** Module path in the base model, without `.weight`. */
  readonly module: string;
  readonly a: TensorInfo;
  readonly b: TensorInfo;
  readonly rank: number;
  /** alpha ÷ rank, or alpha ÷ √rank with rsLoRA; float64. */
  readonly scaling: number;
  /** `fan_in_fan_out`: the base stores [in, out], so τ is transposed. */
  readonly transposed: boolean;
}

/** A PEFT adapter directory. */
export interface Adapter {
  readonly kind: "adapter";
  readonly path: string;
  readonly display: string;
  /** By module path. */
  readonly modules: ReadonlyMap<string, LoraModule>;
}

/** A vector that `output` wrote: tensors are τ, `theta.json` beside them names the base. */
export interface StoredVector {
  readonly kind: "vector";
  readonly path: string;
  readonly display: string;
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  readonly aliases: ReadonlyMap<string, string>;
  /** SHA-256 over the base's sorted lines `name dtype shape payload-digest`, as `sha256:<hex>`. */
  readonly baseDigest: string;
}

/** What is wrong with a source, as the runtime saw it: becomes a diagnostic with `subject: "input"`. */
export interface SourceProblem {
  readonly kind: "problem";
  readonly code: DiagnosticCode;
  readonly message: string;
  readonly help?: string;
}

/** How the compiler asks for what lies outside the recipe's text. Every call is synchronous and reads no payload. */
export interface CompilerHost {
  /** An imported recipe, or why it cannot be read. `path` is absolute. */
  readRecipe(path: string): { readonly text: string } | SourceProblem;
  readModel(path: string, display: string): Checkpoint | SourceProblem;
  readAdapter(path: string, display: string): Adapter | SourceProblem;
  readVector(path: string, display: string): StoredVector | SourceProblem;
  /**
   * Directories and files that match, sorted by bytes. Both paths are absolute; what `pattern` shares with `directory`
   * is taken as it stands, so that a project may lie in a directory with a bracket in its name.
   */
  listSources(pattern: string, directory: string): readonly string[];
}
