// Outputs and gates.

import type { RefusedCase } from "./case.ts";

export const OUTPUTS: Readonly<Record<string, RefusedCase>> = {
  "one path twice": { code: "output-path-twice", body: `output "dist/a" = maths\noutput "dist/../dist/a" = code` },
  "an output in another": { code: "output-nested", body: `output "dist/a" = maths\noutput "dist/a/b" = code` },
  "an output that holds another": { code: "output-nested", body: `output "dist/a/b" = maths\noutput "dist/a" = code` },
  "an output outside": { code: "output-outside", body: `output "../elsewhere" = maths` },
  "an absolute output outside": { code: "output-outside", body: `output "/tmp/elsewhere" = maths` },
  "an output over the recipe": { code: "output-holds-project", body: `output "." = maths` },
  "an output over the recipe's parent": {
    code: "output-holds-project",
    body: `output ".." = maths`,
    allowOutside: true,
  },
  "an output over its input": { code: "output-is-input", body: `output "models/maths" = maths` },
  "an output in an input": { code: "output-is-input", body: `output "models/code/merged" = maths` },
  "an output over all inputs": { code: "output-is-input", body: `output "models" = maths` },
  "an output over a member of a list": { code: "output-is-input", body: `output "runs/b" = maths` },
  "an output over an input of an import": {
    code: "output-is-input",
    body: `import "lib/common.theta" as lib\noutput "lib/models/x" = lib.x`,
    files: { "/project/lib/common.theta": `theta 1\nmodel x = "models/x"` },
  },
  "an output of a mask": { code: "wrong-kind", body: `output "dist/a" = trim` },
  "an output on the hub": { code: "not-served", body: `output "s3://bucket/a" = maths` },
  "an unknown setting": { code: "unknown-setting", body: `output "dist/a" = maths { dtpye bf16 }` },
  "a setting twice": { code: "duplicate-setting", body: `output "dist/a" = maths {\n  dtype bf16\n  dtype f32\n}` },
  "an unknown dtype": { code: "unknown-word", body: `output "dist/a" = maths { dtype fb16 }` },
  "a shard without a unit": { code: "wrong-kind", body: `output "dist/a" = maths { shard 5 }` },
  "an empty shard": { code: "shard-range", body: `output "dist/a" = maths { shard 0GB }` },
  "a tokenizer by its path": { code: "wrong-kind", body: `output "dist/a" = maths { tokenizer "models/llama" }` },
  "a tokenizer of a merge": {
    code: "wrong-kind",
    body: `merge x = llama + m\noutput "dist/a" = maths { tokenizer x }`,
  },
  "an unknown metric": { code: "unknown-metric", body: `output "dist/a" = maths\nexpect maths { cosin }` },
  "a metric without a bound": { code: "gate-form", body: `output "dist/a" = maths\nexpect maths { cosine(llama) }` },
  "a metric without its model": { code: "gate-form", body: `output "dist/a" = maths\nexpect maths { cosine > 0.5 }` },
  "finite with a bound": { code: "gate-form", body: `output "dist/a" = maths\nexpect maths { finite > 0.5 }` },
  "a varying bound": { code: "must-be-constant", body: `output "dist/a" = maths\nexpect maths { norm > ramp(0, 1) }` },
  "a gate on a vector": { code: "wrong-kind", body: `expect m { finite }` },
  "a gate that compares with a vector": {
    code: "wrong-kind",
    body: `output "dist/a" = maths\nexpect maths { cosine(m) > 0 }`,
  },
  "a gate by an evaluation program": {
    code: "not-served",
    body: `output "dist/a" = maths\nexpect maths { command(["./evaluate.sh"], metric: "acc") > 0.95 }`,
  },
};
