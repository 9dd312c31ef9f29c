// Closed lists of words outside the method table, as recipes spell them.

import type { FloatDtype } from "../checkpoint.ts";

/** Dtypes that a recipe may ask for, and how safetensors spells them. */
export const DTYPES: ReadonlyMap<string, FloatDtype> = new Map([
  ["f64", "F64"],
  ["f32", "F32"],
  ["f16", "F16"],
  ["bf16", "BF16"],
]);

/** Dtypes that are known and refused in this version. */
const DTYPES_NOT_SERVED: readonly string[] = ["f8_e4m3", "f8_e5m2"];

export const DTYPE_WORDS: readonly string[] = [...DTYPES.keys(), ...DTYPES_NOT_SERVED];
