// A golden case of the strict oracle as a task for the addon: the program that the compiler would make of it.

import { readFileSync } from "node:fs";
import type { NativeOperation } from "../../native/addon-types.ts";
import type { Group, Operation, ValueId } from "../../compiler/tensor-graph.ts";

const folder = new URL("../golden/strict/", import.meta.url);

interface Mask {
  readonly kind: "none" | "magnitude" | "breadcrumbs" | "random";
  readonly density: number;
  readonly drop_top: number;
  readonly per: Group;
  readonly rescale: "none" | "inv" | "l1";
  readonly at_least_one: boolean;
}

type Strategy =
  | { readonly kind: "sum" | "mean"; readonly scale: number }
  | {
      readonly kind: "ties";
      readonly scale: number;
      readonly elect: "weighted" | "unweighted" | "count" | "none";
      readonly divide: "weights" | "count" | "none";
    }
  | { readonly kind: "linear"; readonly normalize: boolean }
  | { readonly kind: "slerp"; readonly t: number };

type InputCounts = readonly [nan: number, firstNan: number, inf: number, firstInf: number];

export interface GoldenCase {
  readonly name: string;
  readonly mask?: string;
  readonly strategy: string;
  readonly weights: readonly number[];
  readonly out: string;
  readonly overflow?: "saturate";
  readonly nan?: "zero" | "propagate";
  readonly streams?: readonly (number | null)[];
  readonly absent?: readonly number[];
  readonly tensor: string;
  readonly inputs: string;
  readonly work?: "F32" | "F64";
  /** Tensor of expect.safetensors; a case with `error` has none. */
  readonly expect?: string;
  readonly error?: string;
  readonly counters?: {
    readonly inputs?: readonly (InputCounts | null)[];
    readonly kept?: readonly (number | null)[];
    readonly empty?: readonly (number | null)[];
    readonly first_empty?: readonly (number | null)[];
    readonly overflow?: number;
    readonly first_overflow?: number;
  };
}

interface Golden {
  readonly masks: Readonly<Record<string, Mask>>;
  readonly strategies: Readonly<Record<string, Strategy>>;
  /** Tensor name → stream number → 64-bit stream as hex. */
  readonly ties: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly cases: readonly GoldenCase[];
}

export const golden = JSON.parse(readFileSync(new URL("cases.json", folder), "utf8")) as Golden;
export const goldenFile = (name: string): URL => new URL(`${name}.safetensors`, folder);

export interface GoldenProgram {
  readonly operations: readonly NativeOperation[];
  /** Tensors of inputs.safetensors. */
  readonly inputs: readonly string[];
  /** By entry of the merge: which of its inputs, and the `select` that applies its mask. */
  readonly entries: readonly { readonly input?: number; readonly select?: ValueId }[];
}

/** `scalar`: whether the tensor has no dimension, so that nothing is masked. */
export function programOf(test: GoldenCase, scalar: boolean): GoldenProgram {
  const operations: Operation[] = [];
  const inputs: string[] = [];
  const add = (operation: Operation): ValueId => operations.push(operation) - 1;
  const load = (role: string): ValueId => {
    inputs.push(`${test.inputs}/${role}`);
    return add({ op: "load", input: inputs.length - 1, nan: test.nan ?? "propagate" });
  };
  const strategy = golden.strategies[test.strategy]!;
  const { weights } = test;
  const base = load("base");
  if (strategy.kind === "slerp") {
    add({ op: "slerp", left: base, right: load("m0"), t: strategy.t, per: "tensor" });
    return { operations, inputs, entries: [] };
  }
  if (strategy.kind === "linear") {
    const of = [base, ...weights.slice(1).map((_, i) => load(`m${i}`))];
    add({ op: "linear", of, weights, normalize: strategy.normalize });
    return { operations, inputs, entries: [] };
  }
  const mask = golden.masks[test.mask!]!;
  const terms: { readonly value: ValueId; readonly weight: number }[] = [];
  const entries = weights.map((weight, i) => {
    if (test.absent?.includes(i)) return {};
    const left = load(`m${i}`);
    const tau = add({ op: "subtract", left, right: base });
    const stream = test.streams?.[i] ?? i;
    const value = scalar ? tau : masked(add, mask, tau, BigInt(golden.ties[test.tensor]![stream]!));
    terms.push({ value, weight });
    const input = inputs.length - 1;
    return value === tau ? { input } : { input, select: value };
  });
  if (terms.length > 0) {
    const common = { of: terms.map((term) => term.value), weights: terms.map((term) => term.weight) };
    const { scale } = strategy;
    const vector =
      strategy.kind === "ties"
        ? add({ op: "ties", ...common, scale, elect: strategy.elect, divide: strategy.divide })
        : add({ op: strategy.kind, ...common, scale });
    add({ op: "onto", base, vector });
  }
  return { operations, inputs, entries };
}

function masked(add: (operation: Operation) => ValueId, mask: Mask, tau: ValueId, tie: bigint): ValueId {
  const { density, per, at_least_one: atLeastOne } = mask;
  if (mask.kind !== "breadcrumbs" && (mask.kind !== "magnitude" || density >= 1)) return tau;
  const common = { of: tau, density, per, atLeastOne, tie };
  const applied =
    mask.kind === "magnitude"
      ? add({ op: "magnitude", ...common })
      : add({ op: "breadcrumbs", ...common, dropTop: mask.drop_top });
  const rescaled = mask.rescale === "inv" && density < 1 ? add({ op: "rescale-inv", of: tau, density }) : tau;
  return add({ op: "select", of: rescaled, mask: applied });
}
