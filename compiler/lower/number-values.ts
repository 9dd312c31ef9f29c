// Numbers that vary: what `match`, `ramp` and arithmetic give one tensor, as METHODS.md writes them.

import type { Span } from "../../dsl/source.ts";
import { compute } from "../arithmetic.ts";
import { depthOf, isBeforeLayers, resolveRange, type Naming } from "../naming.ts";
import { candidates } from "./scope.ts";
import type { NumberValue } from "../recipe-graph.ts";

export type NumberProblem =
  | { readonly kind: "no-value"; readonly span: Span }
  | { readonly kind: "tied-names"; readonly span: Span; readonly values: readonly [number, number] }
  | { readonly kind: "not-finite"; readonly span: Span | undefined };

/** The value for the tensor with these names, the stored one first; −0 is +0. */
export function resolveNumber(
  value: NumberValue,
  naming: Naming,
  names: readonly [string, ...string[]],
): number | NumberProblem {
  const resolved = resolve(value, naming, names);
  if (typeof resolved !== "number") return resolved;
  return Number.isFinite(resolved) ? resolved + 0 : { kind: "not-finite", span: spanOf(value) };
}

type Names = readonly [string, ...string[]];

function resolve(value: NumberValue, naming: Naming, names: Names): number | NumberProblem {
  switch (value.kind) {
    case "constant":
      return value.value;
    case "negate": {
      const operand = resolve(value.operand, naming, names);
      return typeof operand === "number" ? -operand : operand;
    }
    case "arithmetic": {
      const left = resolve(value.left, naming, names);
      if (typeof left !== "number") return left;
      const right = resolve(value.right, naming, names);
      return typeof right === "number" ? compute(value.operator, left, right) : right;
    }
    case "match": {
      const values: number[] = [];
      for (const candidate of candidates(value, naming, names)) {
        const resolved = resolve(candidate, naming, names);
        if (typeof resolved !== "number") return resolved;
        values.push(resolved);
      }
      const [first] = values;
      if (first === undefined) return { kind: "no-value", span: value.span };
      const other = values.find((number) => number !== first);
      return other === undefined ? first : { kind: "tied-names", span: value.span, values: [first, other] };
    }
    case "ramp": {
      const points: number[] = [];
      for (const point of value.points) {
        const resolved = resolve(point, naming, names);
        if (typeof resolved !== "number") return resolved;
        points.push(resolved);
      }
      const depth = depthOf(naming, names[0]);
      if (depth === undefined) {
        if (value.outside !== undefined) return resolve(value.outside, naming, names);
        return isBeforeLayers(names[0]) ? points[0]! : points.at(-1)!;
      }
      if (value.over === undefined) return rampAt(points, depth.layer, depth.layers - 1);
      const { from, to } = resolveRange(value.over, depth.layers);
      const last = Math.max(to - 1 - from, 0);
      return rampAt(points, Math.min(Math.max(depth.layer - from, 0), last), last);
    }
  }
}

/** The piecewise linear function through `points` at step `i` of 0 … `last`; METHODS.md: "Numbers". */
export function rampAt(points: readonly number[], i: number, last: number): number {
  const k = points.length - 1;
  const first = points[0]!;
  if (last <= 0 || k === 0) return first;
  const u = (i * k) / last;
  const j = Math.min(Math.floor(u), k - 1);
  const from = points[j]!;
  return from + (points[j + 1]! - from) * (u - j);
}

export function spanOf(value: NumberValue): Span | undefined {
  return value.kind === "negate" ? spanOf(value.operand) : value.span;
}
