// Stacks of layers and scaled models.

import type { RefusedCase } from "./case.ts";

export const STACKS: Readonly<Record<string, RefusedCase>> = {
  "a stack of nothing": { code: "input-count", body: `merge x = stack()` },
  "a stack of a vector": { code: "wrong-kind", body: `merge x = stack(maths, c)` },
  "a stack of numbers": { code: "wrong-kind", body: `merge x = stack(maths, 2)` },
  "a stack's name that is no string": { code: "wrong-kind", body: `merge x = stack(maths, code, stack: 3)` },
  "a stack's name twice": {
    code: "duplicate-parameter",
    body: `merge x = stack(maths, stack: "model.layers", stack: "model.layers")`,
  },
  "an unknown parameter of a stack": { code: "unknown-parameter", body: `merge x = stack(maths, layers: 3)` },
  "a stack as a strategy": { code: "input-count", body: `merge x using stack { maths }` },
  "a slice without a range": { code: "input-count", body: `merge x = stack(slice(maths))` },
  "a slice of one layer's number": { code: "wrong-kind", body: `merge x = stack(slice(maths, 3))` },
  "a slice with two ranges": { code: "input-count", body: `merge x = stack(slice(maths, 0..2, 3..4))` },
  "a slice of a vector": { code: "wrong-kind", body: `merge x = stack(slice(m, 0..2))` },
  "a slice that holds nothing": { code: "empty-range", body: `merge x = stack(slice(maths, 4..4))` },
  "a slice between half layers": { code: "wrong-kind", body: `merge x = stack(slice(maths, 0.5..2))` },
  "a slice that varies": {
    code: "must-be-constant",
    body: `merge x = stack(slice(maths, match("*": 1, else: 2)..4))`,
  },
  "a slice outside a stack": { code: "wrong-kind", body: `merge x = slice(maths, 0..4)` },
  "a slice in another method": { code: "wrong-kind", body: `merge x = linear(maths, slice(code, 0..4))` },
  "a scaled model without a factor": { code: "missing-parameter", body: `merge x = scale(maths)` },
  "a factor without its name": { code: "missing-parameter", body: `merge x = scale(maths, 0.5)` },
  "a scaled vector": { code: "wrong-kind", body: `merge x = scale(m, by: 0.5)` },
  "two scaled models": { code: "input-count", body: `merge x = scale(maths, code, by: 0.5)` },
  "a factor that is a word": { code: "unknown-name", body: `merge x = scale(maths, by: none)` },
};
