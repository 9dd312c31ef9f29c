// The tensor graph: one action per output tensor, its program fused and every parameter resolved for that tensor.
// This is what is hashed (action-key.ts), explained and handed to the native addon.

import type { Span } from "../dsl/source.ts";
import type { Checkpoint, Dtype, TensorInfo } from "./checkpoint.ts";
import type { OutputNode, PredicateNode } from "./recipe-graph.ts";

/** Position of the operation in the program whose result is meant. */
export type ValueId = number;

export type Group = "row" | "last" | "tensor";

/**
 * One step of a program, in static single assignment: operands are earlier positions. Every value is a tensor in the
 * work type W of the output's shape, or a mask of that shape; arithmetic is that of METHODS.md, one IEEE operation
 * each. Numbers are float64 here and are rounded once to W by the native op.
 */
export type Operation =
  /** Input `input`, widened exactly to W. `nan: "zero"` reads NaN and ±∞ as +0. */
  | { readonly op: "load"; readonly input: number; readonly nan: "propagate" | "zero" }
  /**
   * Input `input`, which has more or fewer rows than the output, as `load` reads it; rows that it lacks are those of
   * `base`, rows that the output lacks are not read.
   */
  | {
      readonly op: "resize";
      readonly input: number;
      readonly nan: "propagate" | "zero";
      readonly base: ValueId;
    }
  /** scaling × (B·A), inputs `a` [rank, in] and `b` [out, rank]; transposed afterwards when asked. */
  | {
      readonly op: "lora";
      readonly a: number;
      readonly b: number;
      readonly rank: number;
      readonly scaling: number;
      readonly transposed: boolean;
    }
  | { readonly op: "subtract" | "add"; readonly left: ValueId; readonly right: ValueId }
  /** ⊕: where the vector is 0 the result is the base itself, which keeps −0. */
  | { readonly op: "onto"; readonly base: ValueId; readonly vector: ValueId }
  | { readonly op: "negate"; readonly of: ValueId }
  | { readonly op: "multiply" | "divide"; readonly of: ValueId; readonly by: number }
  /** (alpha × ratio + rise) × τ, the ratio of two sums of sizes over all tensors: those of statistics `like` and `own`. */
  | {
      readonly op: "lines";
      readonly of: ValueId;
      readonly alpha: number;
      /** By how much the tensor's depth raises the factor. */
      readonly rise: number;
      /** Numbers of statistics: of the vector itself, and of the one that alpha is measured by. */
      readonly own: number;
      readonly like: number;
      /** Once both values are known. */
      readonly ratio?: number;
    }
  /** Mask: the trunc(g·density) first elements of each group's canonical order. `tie` is the 64-bit stream. */
  | {
      readonly op: "magnitude";
      readonly of: ValueId;
      readonly density: number;
      readonly per: Group;
      readonly atLeastOne: boolean;
      readonly tie: bigint;
    }
  | {
      readonly op: "breadcrumbs";
      readonly of: ValueId;
      readonly density: number;
      readonly dropTop: number;
      readonly per: Group;
      readonly atLeastOne: boolean;
      readonly tie: bigint;
    }
  /** Mask: elements whose random word, of this seed and 64-bit stream, is below floor(density·2³²). */
  | { readonly op: "random"; readonly density: number; readonly seed: bigint; readonly stream: bigint }
  /** Mask: the same, with a probability that rises with the rank in the group, from density − epsilon to density + epsilon. */
  | {
      readonly op: "della";
      readonly of: ValueId;
      readonly density: number;
      readonly epsilon: number;
      readonly per: Group;
      readonly tie: bigint;
      readonly seed: bigint;
      readonly stream: bigint;
    }
  /**
   * Mask: of the elements of all tensors that number `statistic` of the output's model-wide statistics is of, in one canonical
   * order, positions [trunc(g·dropTop), … + trunc(g·density)) survive.
   */
  | {
      readonly op: "model-cut";
      readonly of: ValueId;
      readonly density: number;
      readonly dropTop: number;
      readonly atLeastOne: boolean;
      readonly tie: bigint;
      readonly statistic: number;
      /** The tensor of the statistic, where a stack has given it another name. */
      readonly member?: string;
      /** What of this tensor survives, once the statistic's value is known. */
      readonly cuts?: TensorCuts;
    }
  /** Mask: as `della`, by the ranks among the elements of all tensors that number `statistic` is of. */
  | {
      readonly op: "model-della";
      readonly of: ValueId;
      readonly density: number;
      readonly epsilon: number;
      readonly seed: bigint;
      readonly stream: bigint;
      readonly statistic: number;
      /** The tensor of the statistic, where a stack has given it another name. */
      readonly member?: string;
      /** The statistic's key and the tensor's place among its members, once the digests of what they read are known. */
      readonly ranking?: string;
      readonly place?: number;
    }
  | { readonly op: "mask-and" | "mask-or"; readonly left: ValueId; readonly right: ValueId }
  | { readonly op: "mask-not"; readonly of: ValueId }
  /** The value where the mask holds, +0 elsewhere. Its kept elements are counted. */
  | { readonly op: "select"; readonly of: ValueId; readonly mask: ValueId }
  /** τ ÷ density, density rounded to W. */
  | { readonly op: "rescale-inv"; readonly of: ValueId; readonly density: number }
  /** τ ÷ the probability that `mask`, a della or model-della, keeps each element with; a multiple of 2⁻³², rounded to W. */
  | { readonly op: "rescale-della"; readonly of: ValueId; readonly mask: ValueId }
  /** before × (f64 Σ|before| ÷ f64 Σ|masked|), 1 where either sum is 0; masked is `select` of it. */
  | { readonly op: "rescale-l1"; readonly of: ValueId; readonly masked: ValueId }
  /** scale × Σ wᵢτᵢ */
  | { readonly op: "sum"; readonly of: readonly ValueId[]; readonly weights: readonly number[]; readonly scale: number }
  /** scale × (Σ wᵢτᵢ ÷ D); D, float64, was checked to be other than zero. */
  | {
      readonly op: "mean";
      readonly of: readonly ValueId[];
      readonly weights: readonly number[];
      readonly scale: number;
    }
  | {
      readonly op: "ties";
      readonly of: readonly ValueId[];
      readonly weights: readonly number[];
      readonly scale: number;
      readonly elect: "weighted" | "unweighted" | "count" | "none";
      readonly divide: "weights" | "count" | "none";
    }
  /** Population variance over `of` in float64, rounded to float32. */
  | { readonly op: "variance"; readonly of: readonly ValueId[] }
  /** Mask: the trunc(share × number of elements other than 0) first elements of the tensor's canonical order. */
  | { readonly op: "largest"; readonly of: ValueId; readonly share: number; readonly tie: bigint }
  /**
   * The elements that `chosen`, a mask, has of every value; weights ∝ f64 sums of their squares; a sign elected without
   * weights, the mean of what agrees by weights.
   */
  | { readonly op: "sce"; readonly of: readonly ValueId[]; readonly chosen?: ValueId }
  /** The mean of the elements above `epsilon` in size. */
  | { readonly op: "ram"; readonly of: readonly ValueId[]; readonly epsilon: number }
  /** The same; where one alone is above, that one × (1 + r × min(shared ÷ unique, alpha)), counted over the tensor. */
  | {
      readonly op: "ram-plus";
      readonly of: readonly ValueId[];
      readonly epsilon: number;
      readonly r: number;
      readonly alpha: number;
    }
  /** scale × Σ wᵢτᵢ where at least `atLeast` of the τᵢ have |τᵢ| ≥ lambda × |scale × Σ wᵢτᵢ − τᵢ|, +0 elsewhere. */
  | {
      readonly op: "consensus";
      readonly of: readonly ValueId[];
      readonly weights: readonly number[];
      readonly scale: number;
      readonly lambda: number;
      readonly atLeast: number;
    }
  /** scale × the τᵢ that is largest in size; of equal ones the last. */
  | { readonly op: "magmax"; readonly of: readonly ValueId[]; readonly scale: number }
  /** No tensor but two sizes: all but the share `clip` at either end of the elements of `of` lie between them. */
  | { readonly op: "extremes"; readonly of: ValueId; readonly clip: number }
  /**
   * scale × Σ wᵢsᵢτᵢ ÷ Σ sᵢ, the τᵢ held between their `extremes`; the sᵢ, from 0 to 1, are of the share `select` of the
   * elements that stand best beside their own vector's and the other vectors'.
   */
  | {
      readonly op: "pcb";
      readonly of: readonly ValueId[];
      /** One of each. */
      readonly extremes: readonly ValueId[];
      readonly weights: readonly number[];
      readonly scale: number;
      readonly select: number;
    }
  /** No tensor but a float64 a row: the divergence of the row's softmax when `of` is laid onto `base`. */
  | { readonly op: "divergence"; readonly of: ValueId; readonly base: ValueId }
  /** τ where |τ| × its row's divergence reaches median + 1.5 × interquartile range over the tensor, +0 elsewhere. */
  | { readonly op: "arcee-fusion"; readonly of: ValueId; readonly divergence: ValueId }
  /** x₁ ⊕ (Σᵢ>₁ wᵢ(xᵢ − x₁)) ÷ Σw, or Σ wᵢxᵢ when not normalised. */
  | {
      readonly op: "linear";
      readonly of: readonly ValueId[];
      readonly weights: readonly number[];
      readonly normalize: boolean;
    }
  | {
      readonly op: "slerp";
      readonly left: ValueId;
      readonly right: ValueId;
      readonly t: number;
      readonly per: "tensor" | "row";
    }
  /** Σ cᵢxᵢ, the barycentre on the sphere; c follows from the dot products of the xᵢ. `tolerance` is an angle. */
  | {
      readonly op: "karcher";
      readonly of: readonly ValueId[];
      readonly weights: readonly number[];
      readonly maxIterations: number;
      readonly tolerance: number;
    }
  /** t × (Σ τᵢ ÷ k), one t for each group, from the angles between the τᵢ. */
  | { readonly op: "model-stock"; readonly of: readonly ValueId[]; readonly per: "tensor" | "row" }
  /** τ where |τ| ≤ t, (t ÷ |τ|) × τ elsewhere. */
  | { readonly op: "nearswap"; readonly of: ValueId; readonly t: number };

/** A place in the canonical order of elements: before it lie those with a larger key, or an equal one and at least this tie. */
export interface Cut {
  /** Bits of |τ| in W; all ones: nothing lies before it. */
  readonly key: bigint;
  readonly tie: bigint;
}

/** Elements before `outer` and not before `inner` survive. */
export interface TensorCuts {
  readonly outer: Cut;
  readonly inner: Cut;
}

/** The last operation's value is the output. A lone `load` of the output's dtype copies the payload. */
export interface Program {
  readonly operations: readonly Operation[];
}

/** Where an input of an action comes from. `role` says it to people: "maths", "chat A". */
export interface ActionInput {
  readonly role: string;
  readonly tensor: TensorInfo;
  /** What to do with NaN and ±∞ in it, judged from counters; only "zero" changes a byte (see `load`). */
  readonly nan: "error" | "propagate" | "zero";
  readonly checkpoint: string;
  /** Where the recipe declares it; not in the key. */
  readonly span: Span;
}

/** Makes one tensor of one output. */
export interface Action {
  readonly kind: "compute";
  /** Stored name in the output. */
  readonly tensor: string;
  readonly program: Program;
  /** In the order the program names them; a tensor stands once. */
  readonly inputs: readonly ActionInput[];
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  /** W: F64 when any input or the output is F64, else F32; "bytes" for dtypes that are only copied. */
  readonly work: "F32" | "F64" | "bytes";
  readonly overflow: "error" | "saturate" | "inf";
  /**
   * Payloads that must equal input 0's, byte for byte, or the build fails: the other models' copies of a tensor of
   * integers, which headers cannot compare. Not inputs: they change no byte, so they are not in the key and are judged
   * from digests on a hit exactly as on a run.
   */
  readonly mustEqual?: readonly ActionInput[];
}

/** A stored vector and the checkpoint that the recipe says it is a change of: only payloads tell whether it is. */
export interface VectorOnBase {
  /** As the recipe names it. */
  readonly name: string;
  readonly display: string;
  /** Of its declaration. */
  readonly span: Span;
  readonly base: Checkpoint;
  /** What the vector says of its base: see `StoredVector.baseDigest`. */
  readonly baseDigest: string;
}

/** The model that a gate compares an output with, tensor by tensor. */
export interface GateOperand {
  /**
   * What makes the operand's tensor, by the output's stored name; a lone `load` that keeps its dtype is the payload as it
   * lies there. Gates that compare with the same tensor share its action. Other tensors are not in the metric.
   */
  readonly tensors: ReadonlyMap<string, Action>;
}

/** A line of `expect`: judged on the output's final tensors, before the output is switched in. */
export interface Gate {
  readonly predicate: PredicateNode;
  /** Of metrics that compare. */
  readonly operand?: GateOperand;
}

/** A value of config.json, by its keys from the root, and the JSON text that takes its place. */
export interface ConfigChange {
  readonly path: readonly string[];
  readonly json: string;
}

/** A vector at one tensor, as its model-wide statistic reads it. */
export interface StatisticMember {
  /** Stored name in the output. */
  readonly tensor: string;
  /** Makes τ. */
  readonly program: Program;
  readonly inputs: readonly ActionInput[];
  readonly shape: readonly number[];
  readonly work: "F32" | "F64";
  /** 64-bit stream of its ties. */
  readonly tie: bigint;
}

/**
 * What must be known of all tensors of a vector: a node of its own. Its value is part of the keys of the actions that use it, so
 * they are known only when it is.
 */
export type ModelStatistic = CutStatistic | RankStatistic | SizeStatistic;

interface StatisticFields {
  /** The vector, as people call it. */
  readonly vector: string;
  /** Every tensor that the vector has but empty ones, whatever its mask there; sorted by name, by bytes. */
  readonly members: readonly StatisticMember[];
}

/** Where a mask `per: model` cuts the vector. Scalars are not among its members. */
export interface CutStatistic extends StatisticFields {
  readonly kind: "cut";
  readonly density: number;
  readonly dropTop: number;
  readonly atLeastOne: boolean;
}

/**
 * The ranks of the vector's elements, for `della` masks `per: model`. They are as many as the elements, so no value of theirs is
 * kept: what the ranks follow from stands for them. Scalars are not among its members.
 */
export interface RankStatistic extends StatisticFields {
  readonly kind: "ranks";
  /** The number that streams of ties and of random words are drawn from, with the members' names. */
  readonly stream: number;
}

/** Σ|τ|, in float64: of each tensor, then added in the order of the members. */
export interface SizeStatistic extends StatisticFields {
  readonly kind: "size";
}

export interface OutputGraph {
  readonly output: OutputNode;
  readonly kind: "model" | "vector";
  /** config.json, tokenizer and side files come from here unless the output names another. */
  readonly donor: Checkpoint;
  /** What a stack of layers changes in the donor's config.json. */
  readonly configChanges: readonly ConfigChange[];
  /** Of a vector: the base it belongs to. */
  readonly base?: Checkpoint;
  /** Those that the output is made of. */
  readonly storedVectors?: readonly VectorOnBase[];
  /** As operations number them. */
  readonly statistics: readonly ModelStatistic[];
  /** Sorted by tensor name, by bytes. */
  readonly actions: readonly Action[];
  /** Other name → stored name, as the donor ties them. */
  readonly aliases: ReadonlyMap<string, string>;
  /** In the order of the recipe. */
  readonly gates: readonly Gate[];
}

export interface TensorGraph {
  readonly outputs: readonly OutputGraph[];
}
