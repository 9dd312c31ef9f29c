// The recipe graph: what people read and `explain` prints. Names are resolved, kinds are checked, parameters have their
// effective values; what varies over tensors is still a function of the tensor. Nodes are shared, not copied: a name
// used twice is one node. That holds for models and vectors as for masks, selectors and strategies, and each name may
// mention others twice: whoever walks the graph visits a node once, or takes time that doubles with every name.

import type { Span } from "../dsl/source.ts";
import type { ArithmeticOperator } from "./arithmetic.ts";

// ---------------------------------------------------------------------------------------------------- varying values

/** A value that may differ from tensor to tensor. */
export type Varying<T> =
  | { readonly kind: "constant"; readonly value: T }
  | {
      readonly kind: "match";
      readonly arms: readonly MatchArm<Varying<T>>[];
      readonly otherwise?: Varying<T>;
      /** Of a declared mask or strategy. */
      readonly name?: string;
      readonly span: Span;
    };

export interface MatchArm<T> {
  readonly selector: Selector;
  readonly value: T;
  /** From an `at` block, which must win for some tensor; an arm of `match` that does not is only warned of. */
  readonly at?: true;
}

/** Numbers also vary with depth and can be computed with. Everything is float64 with + − × ÷ only. */
export type NumberValue =
  | { readonly kind: "constant"; readonly value: number; readonly span?: Span }
  | {
      readonly kind: "match";
      readonly arms: readonly MatchArm<NumberValue>[];
      readonly otherwise?: NumberValue;
      readonly span: Span;
    }
  | {
      readonly kind: "ramp";
      readonly points: readonly NumberValue[];
      /** Layers [from, to); negative counts from the end, no `to` runs to it. */
      readonly over?: LayerRange;
      readonly outside?: NumberValue;
      readonly span: Span;
    }
  | { readonly kind: "negate"; readonly operand: NumberValue }
  | {
      readonly kind: "arithmetic";
      readonly operator: ArithmeticOperator;
      readonly left: NumberValue;
      readonly right: NumberValue;
      readonly span: Span;
    };

export interface LayerRange {
  readonly from: number;
  readonly to?: number;
}

/** Takes whole tensors. The span of a glob or a range is where one without a match is reported. */
export type Selector = { readonly span: Span; readonly name?: string } & (
  | { readonly kind: "tensors"; readonly globs: readonly { readonly glob: string; readonly span: Span }[] }
  | { readonly kind: "layers"; readonly range: LayerRange }
  | { readonly kind: "and" | "or"; readonly left: Selector; readonly right: Selector }
  | { readonly kind: "not"; readonly operand: Selector }
);

// ---------------------------------------------------------------------------------------------------- models

/** What the recipe allows when a checkpoint does not fit; absent means it is an error. */
export interface Exceptions {
  readonly missing?: "base" | "skip";
  readonly extra?: "skip";
  readonly nan?: "propagate" | "zero";
  readonly resize?: "common";
  readonly int?: "base";
}

/** Every node carries where it stands; named ones carry the name people gave it. */
interface Node {
  readonly span: Span;
  readonly name?: string;
}

/** Of what is read. */
interface SourceFields extends Node {
  readonly name: string;
  /** Absolute. */
  readonly path: string;
  /** The path as the recipe spells it. */
  readonly display: string;
  readonly exceptions: Exceptions;
}

export type ModelNode = CheckpointNode | OntoNode | ModelMethodNode | ModelChoiceNode | StackNode;

/** A declared `model` or `base`. */
export interface CheckpointNode extends SourceFields {
  readonly kind: "checkpoint";
}

/** base ⊕ vector: `Model + Vector`, `Model - Vector` (the vector is then a negation) and `merge … onto`. */
export interface OntoNode extends Node {
  readonly kind: "onto";
  readonly base: ModelNode;
  readonly vector: VectorNode;
}

/** A method that maps models to a model: `linear`, `slerp`, `karcher` … */
export interface ModelMethodNode extends Node {
  readonly kind: "model-method";
  readonly method: string;
  readonly inputs: readonly ModelNode[];
  readonly parameters: MethodParameters;
}

/** `keep` in an `at` block and `match` over models: the first arm whose selector takes the tensor. */
interface ModelChoiceNode extends Node {
  readonly kind: "model-choice";
  readonly arms: readonly MatchArm<ModelNode>[];
  readonly otherwise?: ModelNode;
}

/** Layers of models on top of each other, renumbered. */
export interface StackNode extends Node {
  readonly kind: "stack";
  /** From the first layer of the output to the last; at least one. */
  readonly slices: readonly Slice[];
  /** The layer stack that is meant; needed where the models have several. */
  readonly stack?: { readonly prefix: string; readonly span: Span };
}

/** Some layers of a model, as a stack takes them. */
export interface Slice {
  readonly model: ModelNode;
  readonly range: LayerRange;
  readonly span: Span;
}

// ---------------------------------------------------------------------------------------------------- vectors

export type VectorNode =
  | DifferenceNode
  | AdapterNode
  | StoredVectorNode
  | VectorArithmeticNode
  | NegateNode
  | ScaleNode
  | MaskedNode
  | VectorMethodNode
  | RebaseNode
  | VectorChoiceNode;

/** model − base */
export interface DifferenceNode extends Node {
  readonly kind: "difference";
  readonly model: ModelNode;
  readonly base: ModelNode;
}

export interface AdapterNode extends SourceFields {
  readonly kind: "adapter";
  readonly base: ModelNode;
}

export interface StoredVectorNode extends SourceFields {
  readonly kind: "stored-vector";
  readonly base: ModelNode;
}

export interface VectorArithmeticNode extends Node {
  readonly kind: "vector-add" | "vector-subtract";
  readonly left: VectorNode;
  readonly right: VectorNode;
}

interface NegateNode extends Node {
  readonly kind: "vector-negate";
  readonly operand: VectorNode;
}

/** factor × vector, or vector ÷ divisor. */
export interface ScaleNode extends Node {
  readonly kind: "vector-multiply" | "vector-divide";
  readonly operand: VectorNode;
  readonly factor: NumberValue;
}

/** `vector & mask`. `stream` is the position in a merge block, else 0; a mask's own `stream:` beats it. */
export interface MaskedNode extends Node {
  readonly kind: "masked";
  readonly vector: VectorNode;
  readonly mask: Varying<MaskNode>;
  readonly stream: number;
}

/** A strategy applied to vectors: `sum`, `mean`, `ties`. */
export interface VectorMethodNode extends Node {
  readonly kind: "vector-method";
  readonly inputs: readonly VectorNode[];
  /** The base of the merge block, where it is another than the one that the inputs were taken from. */
  readonly onto?: ModelNode;
  /** A strategy may differ by tensor; its parameters go with it. */
  readonly strategy: Varying<StrategyValue>;
  /** Parameters of each input, such as `weight`. */
  readonly perInput: MethodParameters["perInput"];
}

/** The vector, used with another base than the one it was taken from. */
interface RebaseNode extends Node {
  readonly kind: "rebase";
  readonly vector: VectorNode;
  readonly base: ModelNode;
}

interface VectorChoiceNode extends Node {
  readonly kind: "vector-choice";
  readonly arms: readonly MatchArm<VectorNode>[];
  readonly otherwise?: VectorNode;
}

// ---------------------------------------------------------------------------------------------------- strategies, masks

/** A scalar parameter's value, by its kind in the method table. */
export type ParameterValue =
  | { readonly kind: "number"; readonly value: NumberValue }
  | { readonly kind: "word"; readonly value: Varying<string> }
  | { readonly kind: "boolean"; readonly value: Varying<boolean> }
  | { readonly kind: "vector"; readonly node: VectorNode };

export interface MethodParameters {
  /** Every parameter of the method table, defaults filled in. */
  readonly shared: ReadonlyMap<string, ParameterValue>;
  /** For each per-input parameter, one value an input. */
  readonly perInput: ReadonlyMap<string, readonly NumberValue[]>;
}

export interface StrategyValue {
  readonly method: string;
  readonly shared: ReadonlyMap<string, ParameterValue>;
  readonly name?: string;
  readonly span: Span;
}

export type MaskNode =
  | { readonly kind: "selector"; readonly selector: Selector; readonly name?: string; readonly span: Span }
  | {
      readonly kind: "mask-method";
      /** `magnitude`, `breadcrumbs` … */
      readonly method: string;
      readonly shared: ReadonlyMap<string, ParameterValue>;
      readonly name?: string;
      readonly span: Span;
    }
  | {
      readonly kind: "mask-and" | "mask-or";
      readonly left: Varying<MaskNode>;
      readonly right: Varying<MaskNode>;
      readonly name?: string;
      readonly span: Span;
    }
  | { readonly kind: "mask-not"; readonly operand: Varying<MaskNode>; readonly name?: string; readonly span: Span };

// ---------------------------------------------------------------------------------------------------- the graph

export interface OutputNode {
  readonly kind: "output";
  readonly span: Span;
  /** As the recipe spells it; `--only` compares with it. */
  readonly display: string;
  /** Absolute. */
  readonly path: string;
  readonly value:
    { readonly kind: "model"; readonly node: ModelNode } | { readonly kind: "vector"; readonly node: VectorNode };
  readonly dtype?: Varying<string>;
  /** Bytes. */
  readonly shard?: number;
  readonly overflow: "error" | "saturate" | "inf";
  /** Where tokenizer files come from, when not from the donor. */
  readonly tokenizer?: CheckpointNode;
  /** Where config.json and the other side files come from, when not from the donor. */
  readonly config?: CheckpointNode;
}

/** What the final tensors of every output of `target` must meet. */
export interface ExpectNode {
  readonly kind: "expect";
  readonly span: Span;
  readonly target: ModelNode;
  readonly predicates: readonly PredicateNode[];
}

export type Metric = "finite" | "cosine" | "distance" | "norm" | "changed";

export interface Comparison {
  readonly operator: "<" | "<=" | ">" | ">=";
  readonly bound: number;
}

export interface PredicateNode {
  readonly metric: Metric;
  /** Of every tensor, instead of all as one vector. */
  readonly each: boolean;
  /** As the recipe writes it: "cosine(llama)", "finite". */
  readonly subject: string;
  /** The model to compare with. */
  readonly against?: ModelNode;
  /** Of all but `finite`. */
  readonly comparison?: Comparison;
  readonly span: Span;
}

/** A declared name and the node that it stands for. */
export type Declaration = { readonly name: string; readonly span: Span } & (
  | { readonly kind: "model" | "merge"; readonly node: ModelNode }
  | { readonly kind: "vector"; readonly node: VectorNode }
  | { readonly kind: "mask"; readonly node: Varying<MaskNode> }
  | { readonly kind: "strategy"; readonly node: Varying<StrategyValue> }
);

export interface RecipeGraph {
  /** In source order. */
  readonly outputs: readonly OutputNode[];
  readonly expectations: readonly ExpectNode[];
  /** Every declared name that has a node, for `explain`; in source order. */
  readonly declarations: readonly Declaration[];
  /** Effective values of the root recipe's parameters; part of a build's record. */
  readonly parameters: ReadonlyMap<string, unknown>;
  /** Members of every `models` list, as resolved: part of the plan. */
  readonly lists: ReadonlyMap<string, readonly string[]>;
}
