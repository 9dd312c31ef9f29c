// Closed lists of words outside the method table, as recipes spell them.

import { FLOAT_DTYPES } from "../checkpoint.ts";

/** Dtypes that a recipe may ask for. */
export const DTYPE_WORDS: readonly string[] = FLOAT_DTYPES.map((dtype) => dtype.toLowerCase());
