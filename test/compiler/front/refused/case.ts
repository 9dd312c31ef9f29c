// A recipe that must be refused. `body` follows the prelude, and `code` is the one error it gives: a second one would be
// a mistake that follows from the first, which nobody should have to read.

import type { Given } from "../analyse-text.ts";

export interface RefusedCase extends Given {
  readonly code: string;
  readonly body: string;
}

export const PRELUDE = `theta 1
base  llama = "models/llama"
model maths = "models/maths"
model code  = "models/code"
vector m = maths - llama
vector c = code - llama
mask trim = magnitude(density: 0.2)
models runs = ["runs/a", "runs/b"]
`;
