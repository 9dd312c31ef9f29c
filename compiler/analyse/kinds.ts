// The kinds of values a recipe's expressions have while it is analysed. Graph nodes live in recipe-graph.ts; these
// wrap them with what only the checker needs.

import type { Span } from "../../dsl/source.ts";
import type { MethodRow } from "../methods/method-row.ts";
import type {
  CheckpointNode,
  MaskNode,
  ModelNode,
  NumberValue,
  Selector,
  Slice,
  StrategyValue,
  Varying,
  VectorNode,
} from "../recipe-graph.ts";

/** The value of an expression that has been reported already; whatever uses it stays silent. */
export interface Poison {
  readonly kind: "poison";
}
export const POISON: Poison = { kind: "poison" };

export interface ModelResult {
  readonly kind: "model";
  readonly node: ModelNode;
}

/** A declared `models` list; it stands for its members. */
interface ModelsResult {
  readonly kind: "models";
  readonly nodes: readonly CheckpointNode[];
}

export interface VectorResult {
  readonly kind: "vector";
  readonly node: VectorNode;
  /** The base that the vector was taken from. */
  readonly base: ModelNode;
}

export interface MaskResult {
  readonly kind: "mask";
  readonly mask: Varying<MaskNode>;
  /** When it is one selector, the same for every tensor: then `at` and `match` take it. */
  readonly selector?: Selector;
  /** Nothing in it looks at elements. */
  readonly wholeTensors: boolean;
  /** An element mask in it rescales. */
  readonly rescales: boolean;
  /** How many masks are inside each other; bounded, so that walks over masks may recurse. */
  readonly nesting: number;
}

export interface StrategyResult {
  readonly kind: "strategy";
  readonly strategy: Varying<StrategyValue>;
  /** The methods it may be, each once; all of them map the same kinds. */
  readonly methods: readonly MethodRow[];
  /** As of a mask. */
  readonly nesting: number;
}

export interface NumberResult {
  readonly kind: "number";
  readonly value: NumberValue;
}

interface SizeResult {
  readonly kind: "size";
  readonly bytes: number;
}

export interface BooleanResult {
  readonly kind: "boolean";
  readonly value: Varying<boolean>;
}

export interface StringResult {
  readonly kind: "string";
  readonly text: string;
  /** What a relative path in it is relative to; absolute. */
  readonly directory: string;
}

/** A word of a closed list, where one is expected; also the value of a parameter of kind dtype. */
export interface WordResult {
  readonly kind: "word";
  readonly value: Varying<string>;
}

interface ListResult {
  readonly kind: "list";
  readonly elements: readonly { readonly value: Result; readonly span: Span }[];
}

interface RangeResult {
  readonly kind: "range";
  readonly from: number;
  readonly to?: number;
}

/** Layers of a model; it stands in a stack only. */
interface SliceResult {
  readonly kind: "slice";
  readonly slice: Slice;
}

export type Result =
  | Poison
  | ModelResult
  | ModelsResult
  | VectorResult
  | MaskResult
  | StrategyResult
  | NumberResult
  | SizeResult
  | BooleanResult
  | StringResult
  | WordResult
  | ListResult
  | RangeResult
  | SliceResult;

const KIND_NAMES: Readonly<Record<Result["kind"], string>> = {
  poison: "nothing",
  model: "a model",
  models: "a list of models",
  vector: "a vector",
  mask: "a mask",
  strategy: "a strategy",
  number: "a number",
  size: "a size",
  boolean: "a boolean",
  string: "a string",
  word: "a word",
  list: "a list",
  range: "a range",
  slice: "a slice of a model",
};

export function describeKind(result: Result): string {
  return KIND_NAMES[result.kind];
}

/**
 * The model that a vector may be added to without being rebased: `(llama + a) + b` uses b with llama. A declared model
 * is a base of its own.
 */
function homeOf(model: ModelNode): ModelNode {
  let home = model;
  while (home.kind === "onto" && home.name === undefined) home = home.base;
  return home;
}

/** Whether two nodes are the same base: one declaration, or two declarations of one source. */
export function isSameBase(left: ModelNode, right: ModelNode): boolean {
  const a = homeOf(left);
  const b = homeOf(right);
  if (a === b) return true;
  return (
    a.kind === "checkpoint" &&
    b.kind === "checkpoint" &&
    a.path === b.path &&
    JSON.stringify(a.exceptions) === JSON.stringify(b.exceptions)
  );
}

/** What messages call a model. */
export function modelName(model: ModelNode): string {
  const home = homeOf(model);
  return home.name ?? "this merge";
}
