// Merge blocks: entries, clauses, `at`, `each`.

import type { RefusedCase } from "./case.ts";

export const MERGES: Readonly<Record<string, RefusedCase>> = {
  "no strategy": { code: "missing-strategy", body: `merge x onto llama { maths }` },
  "a strategy over vectors without a base": { code: "missing-base", body: `merge x using sum { maths }` },
  "vectors under a method that takes both, without a base": {
    code: "missing-base",
    body: `merge x using multislerp { maths - llama }`,
  },
  "a strategy over models with a base": { code: "base-not-used", body: `merge x onto llama using linear { maths }` },
  "a base that is a vector": { code: "wrong-kind", body: `merge x onto m using sum { maths }` },
  "inputs behind using": { code: "wrong-kind", body: `merge x onto llama using sum(m) { code }` },
  "no entries": { code: "empty-merge", body: `merge x onto llama using sum { }` },
  "an entry that is a mask": { code: "wrong-kind", body: `merge x onto llama using sum { trim }` },
  "a vector in a merge of models": { code: "wrong-kind", body: `merge x using linear {\n  maths\n  c\n}` },
  "an unknown clause with a near miss": {
    code: "unknown-clause",
    body: `merge x onto llama using sum { maths wieght 1 }`,
  },
  "a shared parameter as a clause": { code: "unknown-clause", body: `merge x onto llama using sum { maths scale 1 }` },
  "density as a clause": { code: "unknown-clause", body: `merge x onto llama using sum { maths density 0.2 }` },
  "a clause stated twice": {
    code: "duplicate-clause",
    body: `merge x onto llama using sum { maths weight 1 weight 2 }`,
  },
  "each without a clause": {
    code: "each-states-nothing",
    body: `merge x onto llama using sum {\n  each { }\n  maths\n}`,
  },
  "a clause of each stated twice": {
    code: "duplicate-clause",
    body: `merge x onto llama using sum {\n  each weight 1\n  each weight 2\n  maths\n}`,
  },
  "a weight that is a mask": { code: "wrong-kind", body: `merge x onto llama using sum { maths weight trim }` },
  "a mask that is a number": { code: "wrong-kind", body: `merge x onto llama using sum { maths mask 0.2 }` },
  "a mask in a merge of models": {
    code: "mask-on-model",
    body: `merge x using linear {\n  maths mask trim\n  code\n}`,
  },
  "keep of a vector": { code: "wrong-kind", body: `merge x onto llama using sum {\n  maths\n  at "*mlp*" keep m\n}` },
  "at with an element mask": {
    code: "wrong-kind",
    body: `merge x onto llama using sum {\n  maths\n  at trim keep llama\n}`,
  },
  "at with an entry that is none": {
    code: "not-an-entry",
    body: `merge x onto llama using sum {\n  maths\n  at "*mlp*" { code weight 1 }\n}`,
  },
  "at with a call that differs in a number": {
    code: "not-an-entry",
    body: `merge x onto llama using sum {\n  m & magnitude(density: 0.2)\n  at "*mlp*" { m & magnitude(density: 0.3) weight 1 }\n}`,
  },
  "at with an entry that stands twice": {
    code: "ambiguous-entry",
    body: `merge x onto llama using sum {\n  maths\n  maths\n  at "*mlp*" { maths weight 1 }\n}`,
  },
  "at that states nothing": {
    code: "at-states-nothing",
    body: `merge x onto llama using sum {\n  maths\n  at "*mlp*" { maths }\n}`,
  },
  "at behind an equal at": {
    code: "at-never-wins",
    body: `merge x onto llama using sum {\n  maths\n  at "*mlp*" { maths weight 1 }\n  at "*mlp*" { maths weight 2 }\n}`,
  },
  "at behind a wider at": {
    code: "at-never-wins",
    body: `merge x onto llama using sum {\n  maths\n  at layers(0..) { maths weight 1 }\n  at layers(4..8) & "*mlp*" { maths weight 2 }\n}`,
  },
  "at hidden by a later keep": {
    code: "at-never-wins",
    body: `merge x onto llama using sum {\n  maths\n  at "*mlp*" { maths weight 1 }\n  at "*norm*", "*mlp*" keep llama\n}`,
  },
  "keep behind an equal keep": {
    code: "at-never-wins",
    body: `merge x onto llama using sum {\n  maths\n  at "*" keep llama\n  at "*mlp*" keep code\n}`,
  },
  "one clause of an at hidden": {
    code: "at-never-wins",
    body: `merge x onto llama using sum {\n  maths\n  at "*mlp*" { maths weight 1 }\n  at "*mlp*" { maths weight 2 mask trim }\n}`,
  },
};
