// Parameters of methods and of the recipe.

import { flag, parameterFile } from "../analyse-text.ts";
import type { RefusedCase } from "./case.ts";

export const PARAMETERS: Readonly<Record<string, RefusedCase>> = {
  "an unknown parameter with a near miss": {
    code: "unknown-parameter",
    body: `mask x = magnitude(densty: 0.2, density: 0.2)`,
  },
  "an unknown parameter": { code: "unknown-parameter", body: `merge x = slerp(maths, code, t: 0.5, temperature: 1)` },
  "a parameter of a method without any": { code: "unknown-parameter", body: `mask x = tensors(glob: "*")` },
  "density on a strategy": {
    code: "strategy-never-masks",
    body: `merge x onto llama using ties(density: 0.2) { maths }`,
  },
  "a required parameter left out": { code: "missing-parameter", body: `mask x = breadcrumbs(density: 0.1)` },
  "a required parameter of a bare method": { code: "missing-parameter", body: `merge x using slerp { maths\ncode }` },
  "a parameter given twice": { code: "duplicate-parameter", body: `mask x = magnitude(density: 0.1, density: 0.2)` },
  "an argument without its name": { code: "unlabelled-argument", body: `mask x = magnitude(0.2)` },
  "density above 1": { code: "density-range", body: `mask x = magnitude(density: 1.4)` },
  "density 0": { code: "density-range", body: `mask x = magnitude(density: 0)` },
  "density out of range in an arm": {
    code: "density-range",
    body: `mask x = magnitude(density: match("*mlp*": 2, else: 0.5))`,
  },
  "density out of range at an end of a ramp": {
    code: "density-range",
    body: `mask x = magnitude(density: ramp(0.5, -0.5))`,
  },
  "density out of range through a parameter": {
    code: "density-range",
    body: `param d: number = 3\nmask x = magnitude(density: d)`,
  },
  "drop_top 1": { code: "drop-top-range", body: `mask x = breadcrumbs(density: 0.1, drop_top: 1)` },
  "t above 1": { code: "t-range", body: `merge x = slerp(maths, code, t: 1.5)` },
  "a negative stream": { code: "stream-range", body: `mask x = magnitude(density: 0.1, stream: -1)` },
  "a string for a number": { code: "wrong-kind", body: `mask x = magnitude(density: "high")` },
  "a model for a number": { code: "wrong-kind", body: `merge x = slerp(maths, code, t: llama)` },
  "a quoted word": { code: "wrong-kind", body: `mask x = magnitude(density: 0.1, per: "row")` },
  "an unknown word": { code: "unknown-word", body: `mask x = magnitude(density: 0.1, per: rows)` },
  "a number for a boolean": { code: "wrong-kind", body: `merge x = linear(maths, code, normalize: 1)` },
  "a varying stream": { code: "must-be-constant", body: `mask x = magnitude(density: 0.1, stream: ramp(0, 1))` },
  "a fraction for an integer": { code: "wrong-kind", body: `mask x = magnitude(density: 0.1, stream: 1.5)` },
  "an integer that float64 does not tell from its neighbours": {
    code: "wrong-kind",
    body: `mask x = random(density: 0.1, seed: 9007199254740993)`,
  },
  "a recipe parameter that is such an integer": {
    code: "wrong-kind",
    body: `param w: integer = -9007199254740993`,
  },
  "a number that float64 cannot hold, also out of the range": {
    code: "number-out-of-range",
    body: `mask x = magnitude(density: 1e999)`,
  },
  "a number that float64 cannot tell from 0, where 0 is out of the range": {
    code: "number-out-of-range",
    body: `mask x = magnitude(density: 1e-999)`,
  },
  "a list of weights that is too short": { code: "list-length", body: `merge x = linear(maths, code, weight: [1])` },
  "a list of weights beside a list of models": {
    code: "list-length",
    body: `merge x = linear(runs, weight: [1, 2, 3])`,
  },
  "a string where a list of weights belongs": {
    code: "wrong-kind",
    body: `merge x = linear(maths, code, weight: "1")`,
  },
  "weights without inputs": { code: "missing-inputs", body: `merge x using linear(weight: [1, 2]) { maths\ncode }` },
  "three inputs of slerp": { code: "input-count", body: `merge x = slerp(maths, code, llama, t: 0.5)` },
  "three inputs of nuslerp": { code: "input-count", body: `merge x = nuslerp(maths, code, llama)` },
  "two vectors of nearswap": { code: "input-count", body: `merge x onto llama using nearswap(t: 1) { maths\ncode }` },
  "lines without beta": { code: "missing-parameter", body: `merge x onto llama using lines(alpha: 0.3) { maths }` },
  "a model that lines shall be like": {
    code: "wrong-kind",
    body: `merge x onto llama using lines(beta: 0.3, like: code) { maths }`,
  },
  "two vectors of lines": { code: "input-count", body: `merge x onto llama using lines(beta: 0.3) { maths\ncode }` },
  "nearswap without t": { code: "missing-parameter", body: `merge x onto llama using nearswap { maths }` },
  "a negative distance": { code: "t-range", body: `merge x onto llama using nearswap(t: -1) { maths }` },
  "too many steps of karcher": { code: "max-iter-range", body: `merge x = karcher(maths, code, max_iter: 10001)` },
  "a number of steps that is none": { code: "wrong-kind", body: `merge x = karcher(maths, code, max_iter: true)` },
  "a varying number of steps": {
    code: "must-be-constant",
    body: `merge x = karcher(maths, code, max_iter: match("*mlp*": 1, else: 2))`,
  },
  "a tolerance of 0": { code: "tol-range", body: `merge x = karcher(maths, code, tol: 0)` },
  "karcher onto a base": { code: "base-not-used", body: `merge x onto llama using karcher { maths\ncode }` },
  "a weight where angles decide": {
    code: "unknown-clause",
    body: `merge x onto llama using model_stock { maths weight 2\ncode }`,
  },
  "a model and a vector": { code: "wrong-kind", body: `merge x = nuslerp(maths, c)` },
  "a vector among models": { code: "wrong-kind", body: `merge x = linear(maths, c)` },
  "a model among vectors": { code: "wrong-kind", body: `vector x = sum(maths, c)` },
  "the base among vectors": { code: "wrong-kind", body: `vector x = sum((llama), c)` },
  "a strategy that is called without inputs": {
    code: "missing-inputs",
    body: `strategy soft = ties(scale: 0.7)\nmerge x onto llama using soft() { each mask trim\nmaths }`,
  },
  "a shared parameter given to a declared strategy": {
    code: "unknown-parameter",
    body: `strategy soft = sum(scale: 0.7)\nvector x = soft(m, c, scale: 1)`,
  },
  "a model that is called": { code: "wrong-kind", body: `merge x = maths(1)` },
  "a recipe parameter out of its bounds": { code: "parameter-range", body: `param w: number(min: 0, max: 2) = 3` },
  "a recipe parameter without a value": { code: "parameter-without-value", body: `param w: number` },
  "a recipe parameter of an unknown kind": { code: "unknown-parameter-kind", body: `param w: nubmer = 1` },
  "a recipe parameter of the wrong kind": { code: "wrong-kind", body: `param w: integer = 0.5` },
  "a varying density of one threshold": {
    code: "must-be-constant",
    body: `mask x = magnitude(density: ramp(0.1, 0.2), per: model)`,
  },
  "a varying top of one threshold": {
    code: "must-be-constant",
    body: `mask x = breadcrumbs(density: 0.1, drop_top: match("*": 0.1), per: match(layers(0..1): model, else: row))`,
  },
  "a varying recipe parameter": { code: "must-be-constant", body: `param w: number = ramp(0, 1)` },
  "a bound that is none": { code: "unknown-parameter", body: `param w: number(least: 0) = 1` },
  "-p for a parameter that is not declared": {
    code: "unknown-parameter",
    body: `param weight: number = 1`,
    parameters: flag("wieght=2"),
  },
  "-p out of bounds": {
    code: "parameter-range",
    body: `param weight: number(above: 0) = 1`,
    parameters: flag("weight=0"),
  },
  "-p of the wrong kind": {
    code: "wrong-kind",
    body: `param weight: number = 1`,
    parameters: flag("weight=true"),
  },
  "-p with two expressions": {
    code: "unexpected-token",
    body: `param weight: number = 1`,
    parameters: flag('weight=1\nmodel evil = "x"'),
  },
  "a parameter file's value of the wrong kind": {
    code: "wrong-kind",
    body: `param weight: number = 1`,
    parameters: parameterFile({ weight: "heavy" }),
  },
  "a parameter file's object": {
    code: "wrong-kind",
    body: `param weight: number = 1`,
    parameters: parameterFile({ weight: {} }),
  },
  "a parameter file's member that is not declared": {
    code: "unknown-parameter",
    body: `param weight: number = 1`,
    parameters: parameterFile({ weight: 2, wieght: 2 }),
  },
  "a parameter file's value out of bounds": {
    code: "parameter-range",
    body: `param weight: number(max: 2) = 1`,
    parameters: parameterFile({ weight: 3 }),
  },
  "a parameter file's size that is none": {
    code: "broken-number",
    body: `param limit: size = 1GB`,
    parameters: parameterFile({ limit: "5gigs" }),
  },
  "a parameter file's infinity": {
    code: "wrong-kind",
    body: `param weight: number = 1`,
    parameters: parameterFile({ weight: Infinity }),
  },
  "-p without a value": { code: "expected-value", body: `param weight: number = 1`, parameters: flag("weight=") },
  "-p that is no expression": {
    code: "expected-value",
    body: `param weight: number = 1`,
    parameters: flag("weight=0.5 *"),
  },
  "-p with more than an expression": {
    code: "unexpected-token",
    body: `param weight: number = 1`,
    parameters: flag("weight=0.5 weight"),
  },
  "-p with a comment alone": {
    code: "expected-value",
    body: `param weight: number = 1`,
    parameters: flag("weight=# 1"),
  },
  "-p that names nothing": { code: "unknown-name", body: `param weight: number = 1`, parameters: flag("weight=heavy") },
};
