// Operators on kinds they do not take.

import type { RefusedCase } from "./case.ts";

export const OPERATORS: Readonly<Record<string, RefusedCase>> = {
  "model + model": { code: "model-plus-model", body: `merge x = maths + code` },
  "number * model": { code: "number-times-model", body: `merge x = 0.5 * maths` },
  "model * number": { code: "number-times-model", body: `merge x = maths * 0.5` },
  "model / number": { code: "number-times-model", body: `merge x = maths / 2` },
  "vector + model": { code: "wrong-kind", body: `merge x = m + llama` },
  "vector - model": { code: "wrong-kind", body: `merge x = m - llama` },
  "- model": { code: "wrong-kind", body: `merge x = llama + -maths` },
  "vector * vector": { code: "wrong-kind", body: `vector x = m * c` },
  "number / vector": { code: "wrong-kind", body: `vector x = 2 / m` },
  "vector / 0": { code: "division-by-zero", body: `vector x = m / 0` },
  "number / 0": { code: "division-by-zero", body: `param p: number = 1 / (2 - 2)` },
  "a number too large": { code: "number-too-large", body: `param p: number = 1e308 * 10` },
  "a mask applied to a model": { code: "mask-on-model", body: `merge x = maths & trim` },
  "a mask before its model": { code: "mask-on-model", body: `merge x = llama + (trim & maths)` },
  "a mask before its vector": { code: "wrong-kind", body: `vector x = trim & m` },
  "vector | mask": { code: "wrong-kind", body: `vector x = m | trim` },
  "mask + mask": { code: "wrong-kind", body: `mask x = trim + trim` },
  "! vector": { code: "wrong-kind", body: `vector x = m & !c` },
  "arithmetic and mask operators mixed": { code: "mixed-operators", body: `vector x = 0.3 * m & trim` },
  "a list in arithmetic": { code: "wrong-kind", body: `vector x = runs - llama` },
  "a string as a model": { code: "wrong-kind", body: `vector x = "models/maths" - llama` },
  "a range outside layers": { code: "wrong-kind", body: `merge x = linear(maths, 0..8)` },
  "a rescaling mask in an or": {
    code: "rescale-combined",
    body: `mask x = magnitude(density: 0.2, rescale: l1) | magnitude(density: 0.1)`,
  },
  "a rescaling mask turned around": {
    code: "rescale-combined",
    body: `mask x = !magnitude(density: 0.2, rescale: inv)`,
  },
  "two element masks of which one rescales": {
    code: "rescale-combined",
    body: `mask x = trim & magnitude(density: 0.2, rescale: match("*mlp*": inv, else: none))`,
  },
};
