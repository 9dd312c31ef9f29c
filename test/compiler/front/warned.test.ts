// What is warned of and built all the same.

import { expect, test } from "vitest";
import { analyseText, type Given, rendered } from "./analyse-text.ts";

interface WarnedCase extends Given {
  readonly codes: readonly string[];
  readonly body: string;
}

const HEAD = `theta 1
base  llama = "models/llama"
model maths = "models/maths"
model code  = "models/code"
`;

const CASES: Readonly<Record<string, WarnedCase>> = {
  "nothing unused": { codes: [], body: `output "out/x" = linear(llama, maths, code)` },
  "unused declarations": { codes: ["unused", "unused"], body: `output "out/x" = llama` },
  "a name that may stay unused": {
    codes: [],
    body: `mask _k = layers(0..2)\noutput "out/x" = linear(llama, maths, code)`,
  },
  "a merge that no output names": {
    codes: ["unused"],
    body: `merge x = linear(llama, maths, code)`,
  },
  "a word of a list is no use of a name": {
    codes: ["unused"],
    body: `vector count = maths - llama\noutput "out/x" = llama + ties((code - llama) & magnitude(density: 0.2), divide: count)`,
  },
  "a name that hides a method": {
    codes: ["hides-method"],
    body: `mask random = magnitude(density: 0.5)\noutput "out/x" = linear(code, llama + ((maths - llama) & random))`,
  },
  "the base among the entries, as in mergekit": {
    codes: ["base-as-entry"],
    body: `merge x onto llama using model_stock {\n  llama\n  maths\n  code\n}\noutput "out/x" = x`,
  },
  "what is made of the base among the entries": {
    codes: [],
    body: `merge y = llama + 0.5 * (maths - llama)\nmerge x onto llama using mean {\n  y\n  code\n}\noutput "out/x" = x`,
  },
  "a vector on another model": {
    codes: ["other-base"],
    body: `vector m = maths - llama\noutput "out/x" = code + m`,
  },
  "a vector on another model, rebased": {
    codes: [],
    body: `vector m = maths - llama\noutput "out/x" = code + rebase(m, code)`,
  },
  "an adapter in a merge onto another model": {
    codes: ["other-base"],
    body: `adapter chat = "adapters/chat" on llama\nmerge a = linear(maths, code)\nmerge b onto a using sum { chat }\noutput "out/x" = b`,
  },
  "two vectors one after the other": {
    codes: [],
    body: `output "out/x" = llama + (maths - llama) - 0.5 * (code - llama)`,
  },
  "vectors of two bases added": {
    codes: ["other-base"],
    body: `output "out/x" = llama + ((maths - llama) + (llama - code))`,
  },
  "two declarations of one base": {
    codes: [],
    body: `base again = "models/llama"\noutput "out/x" = linear(llama + (maths - again), code)`,
  },
  "random masks of one seed and stream": {
    codes: ["equal-random-masks"],
    body: `mask dare = random(density: 0.5, seed: 7)
output "out/x" = llama + sum((maths - llama) & dare, 0.5 * ((code - llama) & dare))`,
  },
  "random masks of one seed and stated stream, in a block": {
    codes: ["equal-random-masks"],
    body: `merge x onto llama using sum {
  maths mask della(density: 0.5, seed: 7, stream: 3)
  code mask della(density: 0.4, seed: 7, stream: 3) & layers(0..)
}
output "out/x" = x`,
  },
  "random masks of other seeds, streams, methods": {
    codes: [],
    body: `merge x onto llama using sum {
  each mask random(density: 0.5, seed: 7)
  maths
  code
}
output "out/x" = x
output "out/y" = llama + sum((maths - llama) & random(density: 0.5, seed: 1), (code - llama) & random(density: 0.5, seed: 2))
output "out/z" = llama + sum((maths - llama) & random(density: 0.5, seed: 1), (code - llama) & della(density: 0.5, seed: 1))`,
  },
  "a vector that only a mask is computed from": {
    codes: [],
    body: `vector c = code - llama\noutput "out/x" = llama + ((maths - llama) & magnitude(density: 0.5, of: c))`,
  },
  "ties without a mask": {
    codes: ["ties-without-mask"],
    body: `merge x onto llama using ties {\n  maths\n  code\n}\noutput "out/x" = x`,
  },
  "ties with a mask on one entry": {
    codes: [],
    body: `merge x onto llama using ties {\n  maths mask magnitude(density: 0.2)\n  code\n}\noutput "out/x" = x`,
  },
  "ties without a mask in an expression": {
    codes: ["ties-without-mask"],
    body: `output "out/x" = llama + ties(maths - llama, 0.5 * (code - llama))`,
  },
  "a consensus of one": {
    codes: ["never-enough"],
    body: `merge x onto llama using consensus { maths }\noutput "out/x" = x\noutput "out/y" = code`,
  },
  "a consensus of more than there are for some tensors": {
    codes: ["never-enough"],
    body: `merge x onto llama using match("*mlp*": consensus(at_least: 3), else: consensus(at_least: 2)) {\n  maths\n  code\n}\noutput "out/x" = x`,
  },
  "a clause of each that no entry needs": {
    codes: ["each-never-used"],
    body: `merge x onto llama using sum {\n  each weight 1\n  maths weight 2\n  code weight 3\n}\noutput "out/x" = x`,
  },
  "a gate on a model without an output": {
    codes: ["expect-without-output"],
    body: `output "out/x" = linear(llama, maths)\nexpect code { finite }`,
  },
  "a gate that everything meets": {
    codes: ["gate-bound", "gate-bound"],
    body: `merge x = linear(llama, maths, code)\noutput "out/x" = x\nexpect x {\n  changed(llama) <= 50\n  norm > -1\n}`,
  },
  "a gate that nothing meets": {
    codes: ["gate-bound", "gate-bound", "gate-bound"],
    body: `merge x = linear(llama, maths, code)\noutput "out/x" = x\nexpect x {\n  cosine(llama) > 1\n  each changed(llama) >= 50\n  distance(llama) < 0\n}`,
  },
  "a gate at the end of a metric's range": {
    codes: [],
    body: `merge x = linear(llama, maths, code)\noutput "out/x" = x\nexpect x {\n  cosine(llama) >= 1\n  changed(llama) <= 0\n  norm >= 0\n}`,
  },
  "an output outside that is allowed": {
    codes: [],
    body: `output "../x" = linear(llama, maths, code)`,
    allowOutside: true,
  },
};

test.each(Object.entries(CASES))("%s", (_, { codes, body, ...given }) => {
  const { graph, diagnostics } = analyseText(`${HEAD}${body}\n`, given);
  expect.soft(rendered(diagnostics)).toMatchSnapshot();
  expect.soft(diagnostics.map(({ code }) => code)).toEqual(codes);
  expect.soft(diagnostics.every(({ severity }) => severity === "warning")).toBe(true);
  expect(graph).toBeDefined();
});
