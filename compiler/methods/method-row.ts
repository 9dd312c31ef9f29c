// What one row of the method table says. The type checker, the reference, the editor's help and lowering read the same
// rows; a method that is not in the table does not exist.

import type { RangeCode } from "../../dsl/diagnostic-codes.ts";
import type { Operation } from "../tensor-graph.ts";

/** `min` and `max` are allowed values, `above` and `below` are not. */
export interface Range {
  readonly min?: number;
  readonly above?: number;
  readonly max?: number;
  readonly below?: number;
}

interface ParameterCommon {
  readonly name: string;
  /** What it is, one sentence without a capital or a full stop; printed as the note of a range error. */
  readonly meaning: string;
  /** Why it is refused in this version, though it is known. */
  readonly notServed?: string;
}

export interface NumberParameter extends ParameterCommon {
  readonly kind: "number";
  readonly range: Range;
  /** Without one the parameter must be given. */
  readonly default?: number;
}

/** One value for each input (`weight: [0.5, 0.5]`, or a clause of an entry) instead of one for the call. */
export interface PerInputParameter extends NumberParameter {
  readonly perInput: true;
  readonly default: number;
}

export interface IntegerParameter extends ParameterCommon {
  readonly kind: "integer";
  readonly range: Range;
  readonly default?: number;
  /** Neither required nor defaulted: absence has a meaning of its own, stated in `meaning`. */
  readonly optional?: true;
}

export interface WordParameter extends ParameterCommon {
  readonly kind: "word";
  readonly words: readonly string[];
  readonly default: string;
  /** Words that are understood but refused in this version, and why. */
  readonly wordsNotServed?: ReadonlyMap<string, string>;
}

export interface BooleanParameter extends ParameterCommon {
  readonly kind: "boolean";
  readonly default: boolean;
}

/** `of:`, the vector that a mask is computed from when it is not the one it is applied to. */
export interface VectorParameter extends ParameterCommon {
  readonly kind: "vector";
}

/** Integers (`seed`, `stream`, `max_iter`) must be constant; the other kinds may vary from tensor to tensor. */
export type Parameter =
  NumberParameter | PerInputParameter | IntegerParameter | WordParameter | BooleanParameter | VectorParameter;

/** What every row says. */
interface RowCommon {
  readonly name: string;
  /** How many inputs it takes; absent means at least one. */
  readonly inputs?: { readonly min: number; readonly max?: number };
  readonly parameters: readonly Parameter[];
  /** One paragraph. */
  readonly summary: string;
  /** The paper or implementation that the method comes from. */
  readonly source?: string;
  readonly example: string;
  /** Why it is refused in this version, and what to use instead. */
  readonly notServed?: string;
}

/** A row that `Op` can run; `op` is absent for what is not served, or is resolved before an operation runs. */
interface Row<Maps extends string, Op extends Operation["op"] = never> extends RowCommon {
  readonly maps: Maps;
  readonly op?: Op;
}

/**
 * "models": models to a model. "vectors": vectors to a vector. "either": both. "mask" and "selector" take no inputs.
 * "function": words with rules of their own (`match`, `ramp`, `rebase`, `scale` …). Lowering switches over `op`: types or
 * lint name the place where an operation that is added here must be lowered.
 */
export type MethodRow =
  | Row<"models", "linear" | "slerp" | "karcher" | "multiply">
  | Row<"vectors", "sum" | "mean" | "ties" | "model-stock" | "nearswap">
  | Row<"vectors", "sce" | "ram" | "ram-plus" | "consensus" | "magmax" | "pcb" | "arcee-fusion" | "lines">
  | Row<"either", "slerp" | "karcher">
  | Row<"mask", "magnitude" | "breadcrumbs" | "random" | "della">
  | Row<"selector" | "function">;

/** "above 0 and at most 1"; the empty string when everything is allowed. */
export function describeRange(range: Range): string {
  const parts: string[] = [];
  if (range.above !== undefined) parts.push(`above ${range.above}`);
  if (range.min !== undefined) parts.push(`at least ${range.min}`);
  if (range.below !== undefined) parts.push(`below ${range.below}`);
  if (range.max !== undefined) parts.push(`at most ${range.max}`);
  return parts.join(" and ");
}

/** NaN is in no range. */
export function isInRange(range: Range, value: number): boolean {
  return (
    !Number.isNaN(value) &&
    (range.above === undefined || value > range.above) &&
    (range.min === undefined || value >= range.min) &&
    (range.below === undefined || value < range.below) &&
    (range.max === undefined || value <= range.max)
  );
}

/** The stable code of a value that is out of a parameter's range: `drop-top-range`. */
export function rangeCode(parameter: string): RangeCode {
  return `${parameter.replaceAll("_", "-")}-range`;
}
