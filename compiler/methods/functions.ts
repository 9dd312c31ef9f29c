// Rows of the method table: words that are called but have rules of their own instead of typed parameters.

import type { MethodRow } from "./method-row.ts";

export const FUNCTIONS: readonly MethodRow[] = [
  {
    name: "match",
    maps: "function",
    parameters: [],
    summary: "For each tensor the value of the first selector that matches its name; `else` for the rest.",
    example: 'merge halfway = slerp(maths, code, t: match("*self_attn*": 0.3, layers(0..8): 0.2, else: 0.5))',
  },
  {
    name: "ramp",
    maps: "function",
    parameters: [],
    summary:
      "The piecewise-linear value at a tensor's depth in its layer stack; `over: A..B` spans those layers, `outside:` is for tensors in no stack.",
    example: "merge halfway = slerp(maths, code, t: ramp(0.2, 0.8))",
  },
  {
    name: "rebase",
    maps: "function",
    parameters: [],
    summary: "The vector, meant to be used with another base than the one it was taken from.",
    example: "merge analogy = code + rebase(maths - llama, code)",
  },
  {
    name: "stack",
    maps: "function",
    parameters: [],
    summary:
      'Layers on top of each other, renumbered: slices of models, or whole models. What lies before the layers (the embedding) comes from the first, what lies behind them (the last norm, the head) from the last. `stack: "model.layers"` names the layer stack where a model has several.',
    example: "merge tall = stack(slice(maths, 0..24), slice(code, 8..32))",
  },
  {
    name: "slice",
    maps: "function",
    parameters: [],
    summary:
      "Layers A up to, not including, B of a model, for a stack; `A..` runs to the end, a negative number counts from it.",
    example: "merge shorter = stack(slice(maths, 0..8), slice(maths, -4..))",
  },
  {
    name: "moe",
    maps: "function",
    parameters: [],
    summary: "A mixture of experts out of dense models.",
    example: "merge experts = moe(llama, maths, code)",
    notServed: "outputs have the tensors of their inputs in this version",
  },
  {
    name: "renamed",
    maps: "function",
    parameters: [],
    summary: "A model whose tensors have other names.",
    example: 'merge fixed = renamed(maths, "model.*": "*")',
    notServed: "tensors keep their names in this version",
  },
  {
    name: "command",
    maps: "function",
    parameters: [],
    summary: "An evaluation program whose metric a gate tests.",
    example: 'expect maths { command(["./evaluate.sh"], metric: "acc") > 0.95 }',
    notServed: "run the program behind theta build",
  },
];
