// What may stand in braces behind a source or an output: the words that each setting takes, what they mean, and what
// holds without it. The checker and the language reference read these rows; that the words are those of the graph is
// checked by the compiler.

import { FLOAT_DTYPES } from "./checkpoint.ts";
import type { Exceptions, OutputNode } from "./recipe-graph.ts";

interface SourceSetting<Word extends string> {
  readonly words: { readonly [K in Word]: string };
  readonly without: string;
}

/** Behind `base`, `model`, `models`, `adapter` and `vector "…" on`: what is allowed of that checkpoint. */
export const SOURCE_SETTINGS: { readonly [K in keyof Exceptions]-?: SourceSetting<NonNullable<Exceptions[K]>> } = {
  missing: {
    words: {
      base: "a tensor that it lacks does not change there: τ is 0, and its weight counts",
      skip: "it takes no part in a tensor that it lacks, and its weight does not count",
    },
    without: "lacking a tensor of the output is an error",
  },
  extra: {
    words: { skip: "its tensors that the base lacks are left out" },
    without: "having more tensors than the base is an error",
  },
  nan: {
    words: {
      zero: "its NaN and infinities are read as 0",
      propagate: "its NaN and infinities are computed with, and may be in the output",
    },
    without: "NaN or infinity in it is an error",
  },
  resize: {
    words: { common: "of embeddings and heads with another number of tokens, the rows that both have are used" },
    without: "another shape is an error",
  },
  int: {
    words: { base: "its tensors of integers or booleans may differ; the donor's are copied" },
    without: "tensors of integers and booleans must be the donor's, byte for byte",
  },
};

interface OutputSetting {
  readonly values: string;
  readonly meaning: string;
  readonly without: string;
}

export const OUTPUT_SETTING_NAMES = ["dtype", "shard", "overflow", "tokenizer", "config"] as const;
export type OutputSettingName = (typeof OUTPUT_SETTING_NAMES)[number];

/** Dtypes that a recipe may ask for. */
export const DTYPE_WORDS: readonly string[] = FLOAT_DTYPES.map((dtype) => dtype.toLowerCase());

export const OVERFLOW_WORDS = ["error", "saturate", "inf"] as const satisfies readonly OutputNode["overflow"][];

/** Behind `output "…" = m`. */
export const OUTPUT_SETTINGS: { readonly [K in OutputSettingName]: OutputSetting } = {
  dtype: {
    values: `${inCode(DTYPE_WORDS)}; may vary`,
    meaning: "what the tensors are rounded to, once, when they are written",
    without: "each keeps the donor's; F32 for a vector",
  },
  shard: {
    values: "size",
    meaning: "no shard holds more bytes of tensors, but for one that a single tensor fills",
    without: "one file below 1 GB, else a sixteenth of the whole, within 256 MB and 5 GB",
  },
  overflow: {
    values: inCode(OVERFLOW_WORDS),
    meaning: "what becomes of an element that does not fit the dtype: the largest finite value of its sign, or ±∞",
    without: "`error`: the build fails and names the tensor",
  },
  tokenizer: {
    values: "a model that is read",
    meaning: "its tokenizer files are copied; no tensor is touched",
    without: "the donor's",
  },
  config: {
    values: "a model that is read",
    meaning:
      "its config.json and other side files are copied; what it says of layers and tokens must be true of the output",
    without: "the donor's",
  },
};

function inCode(words: readonly string[]): string {
  return words.map((word) => `\`${word}\``).join(" ");
}
