// The tree of a recipe: readonly data, a `kind` and a `span` in every node. What words mean is the compiler's business;
// here a mask and a method call look the same.

import type { Span } from "./source.ts";

export interface Recipe {
  readonly kind: "recipe";
  readonly span: Span;
  /** `theta 1`; absent when the header is missing (which the parser has reported). */
  readonly version?: VersionHeader;
  readonly statements: readonly Statement[];
  /** Names that broken statements would have declared: reported already, so a use of one is no further error. */
  readonly brokenNames?: readonly Name[];
  /** Where the parser reported errors: a block around one may lack a line. */
  readonly faults?: readonly Span[];
}

export interface VersionHeader {
  readonly kind: "version";
  readonly span: Span;
  readonly version: number;
}

export interface Name {
  readonly kind: "name";
  readonly span: Span;
  readonly text: string;
}

// ---------------------------------------------------------------------------------------------------- statements

export type Statement =
  | ImportStatement
  | ParamStatement
  | ModelStatement
  | ModelsStatement
  | AdapterStatement
  | VectorStatement
  | MaskStatement
  | StrategyStatement
  | MergeStatement
  | ExpectStatement
  | OutputStatement;

/** `import "lib/common.theta" as lib(density: 0.2)` */
export interface ImportStatement {
  readonly kind: "import";
  readonly span: Span;
  readonly path: StringExpression;
  readonly name: Name;
  readonly arguments: readonly Argument[];
}

/** `param maths_weight: number(min: 0, max: 2) = 0.6`; for `list(number)` the element type is the first argument. */
export interface ParamStatement {
  readonly kind: "param";
  readonly span: Span;
  readonly name: Name;
  readonly type: Name;
  readonly typeArguments: readonly Argument[];
  readonly default?: Expression;
}

/** `model code = "…" @ "revision" { missing base }`; `base` declares the same, the word only tells the reader. */
export interface ModelStatement {
  readonly kind: "model";
  readonly span: Span;
  readonly word: "base" | "model";
  readonly name: Name;
  readonly source: Expression;
  readonly revision?: Expression;
  readonly exceptions: readonly Setting[];
}

/** `models runs = ["a", "b"]` or `= "runs/*\/final"` */
export interface ModelsStatement {
  readonly kind: "models";
  readonly span: Span;
  readonly name: Name;
  readonly source: Expression;
  readonly exceptions: readonly Setting[];
}

/** `adapter chat = "adapters/chat" on llama` */
export interface AdapterStatement {
  readonly kind: "adapter";
  readonly span: Span;
  readonly name: Name;
  readonly source: Expression;
  readonly revision?: Expression;
  readonly on: Expression;
  readonly exceptions: readonly Setting[];
}

/** `vector delta = maths - llama`, or `vector d = "vectors/maths" on llama`, which reads one that `output` wrote. */
export interface VectorStatement {
  readonly kind: "vector";
  readonly span: Span;
  readonly name: Name;
  readonly value: Expression;
  readonly on?: Expression;
  readonly exceptions: readonly Setting[];
}

export interface MaskStatement {
  readonly kind: "mask";
  readonly span: Span;
  readonly name: Name;
  readonly value: Expression;
}

export interface StrategyStatement {
  readonly kind: "strategy";
  readonly span: Span;
  readonly name: Name;
  readonly value: Expression;
}

/** Either the expression form (`value`) or the block form (`using`, `entries` …). */
export interface MergeStatement {
  readonly kind: "merge";
  readonly span: Span;
  readonly name: Name;
  readonly body: MergeExpressionBody | MergeBlockBody;
}

interface MergeExpressionBody {
  readonly kind: "merge-expression";
  readonly value: Expression;
}

export interface MergeBlockBody {
  readonly kind: "merge-block";
  readonly span: Span;
  readonly onto?: Expression;
  readonly using?: Expression;
  /** In source order; the order of entries and of `at` blocks is meaning. */
  readonly items: readonly MergeItem[];
}

export type MergeItem = Entry | EachClauses | AtBlock;

/** `maths weight 0.6 mask crumbs` */
export interface Entry {
  readonly kind: "entry";
  readonly span: Span;
  readonly value: Expression;
  readonly clauses: readonly Clause[];
}

/** `each mask crumbs`: the clauses of every entry that does not state its own. */
export interface EachClauses {
  readonly kind: "each";
  readonly span: Span;
  readonly clauses: readonly Clause[];
}

/** `at "lm_head.*" | "*embed*" keep llama`, or `at SELECTOR, … { entries }`. */
export interface AtBlock {
  readonly kind: "at";
  readonly span: Span;
  readonly selectors: readonly Expression[];
  readonly body: KeepBody | EntriesBody;
}

export interface KeepBody {
  readonly kind: "keep";
  readonly span: Span;
  readonly value: Expression;
}

export interface EntriesBody {
  readonly kind: "entries";
  readonly span: Span;
  readonly entries: readonly Entry[];
}

/** A per-input parameter of the method (`weight 0.6`) or `mask m`. */
export interface Clause {
  readonly kind: "clause";
  readonly span: Span;
  readonly name: Name;
  readonly value: Expression;
}

export interface ExpectStatement {
  readonly kind: "expect";
  readonly span: Span;
  readonly target: Expression;
  readonly predicates: readonly Predicate[];
}

/** `finite`, or `[each] metric OP number`. */
export interface Predicate {
  readonly kind: "predicate";
  readonly span: Span;
  readonly each: boolean;
  readonly metric: Expression;
  readonly comparison?: { readonly operator: "<" | "<=" | ">" | ">="; readonly bound: Expression };
}

/** `output "dist/assistant" = assistant { dtype bf16 }` */
export interface OutputStatement {
  readonly kind: "output";
  readonly span: Span;
  readonly path: Expression;
  readonly value: Expression;
  readonly settings: readonly Setting[];
}

/** A line of a settings block: `dtype bf16`, `shard 5GB`, `missing base`, `tokenizer maths`. */
export interface Setting {
  readonly kind: "setting";
  readonly span: Span;
  readonly name: Name;
  readonly value: Expression;
}

// ---------------------------------------------------------------------------------------------------- expressions

export type Expression =
  | Name
  | MemberExpression
  | NumberExpression
  | SizeExpression
  | StringExpression
  | BooleanExpression
  | ListExpression
  | RangeExpression
  | CallExpression
  | UnaryExpression
  | BinaryExpression
  | ParenthesizedExpression;

/** `lib.x` */
export interface MemberExpression {
  readonly kind: "member";
  readonly span: Span;
  readonly object: Name;
  readonly member: Name;
}

export interface NumberExpression {
  readonly kind: "number";
  readonly span: Span;
  /** NaN of one that float64 cannot hold, which was reported. */
  readonly value: number;
}

/** `5GB`, in bytes. */
export interface SizeExpression {
  readonly kind: "size";
  readonly span: Span;
  readonly bytes: number;
}

export interface StringExpression {
  readonly kind: "string";
  readonly span: Span;
  /** Escapes resolved. */
  readonly value: string;
}

interface BooleanExpression {
  readonly kind: "boolean";
  readonly span: Span;
  readonly value: boolean;
}

interface ListExpression {
  readonly kind: "list";
  readonly span: Span;
  readonly elements: readonly Expression[];
}

/** `A..B`, half-open; `A..` runs to the end. Only an argument may be one. */
interface RangeExpression {
  readonly kind: "range";
  readonly span: Span;
  readonly from: Expression;
  readonly to?: Expression;
}

export interface CallExpression {
  readonly kind: "call";
  readonly span: Span;
  readonly callee: Name | MemberExpression;
  readonly arguments: readonly Argument[];
}

/**
 * `value`, `label: value` or `else: value`. A label is a parameter's name, or in `match` a selector, which may be a
 * name too; the callee decides.
 */
export interface Argument {
  readonly kind: "argument";
  readonly span: Span;
  readonly label?: Expression | ElseLabel;
  readonly value: Expression;
}

interface ElseLabel {
  readonly kind: "else";
  readonly span: Span;
}

export interface UnaryExpression {
  readonly kind: "unary";
  readonly span: Span;
  readonly operator: "-" | "!";
  readonly operand: Expression;
}

export type BinaryOperator = "+" | "-" | "*" | "/" | "&" | "|";

export interface BinaryExpression {
  readonly kind: "binary";
  readonly span: Span;
  readonly operator: BinaryOperator;
  readonly operatorSpan: Span;
  readonly left: Expression;
  readonly right: Expression;
}

/** Kept, because arithmetic and mask operators may only be mixed with parentheses. */
interface ParenthesizedExpression {
  readonly kind: "parenthesized";
  readonly span: Span;
  readonly inner: Expression;
}
