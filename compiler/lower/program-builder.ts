// Builds the program of one action. Equal operations become one value (hash-consing), and `finish` writes down only
// what the result needs, in the order of a depth-first walk: so names, statement order and dead parts leave no trace.

import type { FloatDtype } from "../checkpoint.ts";
import type { ActionInput, Cut, Operation, Program, TensorCuts, ValueId } from "../tensor-graph.ts";

/** A value of the program in the making. `zero`: known to be 0 everywhere, so ⊕ takes the base over. */
export interface Value {
  readonly id: ValueId;
  readonly zero: boolean;
  /** Of a checkpoint that lacks rows (`resize common`): the same where another base has them. */
  readonly over?: (base: Value) => Value;
}

interface BuiltProgram {
  readonly program: Program;
  readonly inputs: readonly ActionInput[];
}

export class ProgramBuilder {
  readonly #operations: Operation[] = [];
  /** By fingerprint. */
  readonly #values = new Map<number, ValueId[]>();
  readonly #inputs: ActionInput[] = [];
  /** Positions of a tensor's inputs; a list of models may have as many as there are files. */
  readonly #places = new Map<ActionInput["tensor"], number[]>();
  #wide = false;
  #propagates = false;

  /** Whether a tensor that takes part is F64, be it one whose weight is 0: then W is float64. */
  get wide(): boolean {
    return this.#wide;
  }

  /** A factor of 0 leaves nothing, unless the recipe computes with NaN and infinity: 0 × ∞ is NaN. */
  annuls(factor: number): boolean {
    return factor === 0 && !this.#propagates;
  }

  load(input: ActionInput): Value {
    return this.emit({ op: "load", input: this.input(input), nan: nanOf(input) });
  }

  /** One with more or fewer rows than the output, over a base that has them all. */
  resize(input: ActionInput, base: Value): Value {
    const { id, zero } = this.emit({ op: "resize", input: this.input(input), nan: nanOf(input), base: base.id });
    return { id, zero, over: (other) => this.resize(input, other) };
  }

  /** One tensor is one input, unless it is read under different rules for NaN. */
  input(input: ActionInput): number {
    if ((input.tensor.dtype as FloatDtype) === "F64") this.#wide = true;
    const places = this.#places.get(input.tensor);
    const known = places?.find((place) => this.#inputs[place]!.nan === input.nan);
    if (known !== undefined) return known;
    if (input.nan === "propagate") this.#propagates = true;
    const place = this.#inputs.push(input) - 1;
    if (places === undefined) this.#places.set(input.tensor, [place]);
    else places.push(place);
    return place;
  }

  emit(operation: Operation, zero = false): Value {
    const print = fingerprint(operation);
    const alike = this.#values.get(print);
    const known = alike?.find((id) => isSameOperation(this.#operations[id]!, operation));
    if (known !== undefined) return { id: known, zero };
    const id = this.#operations.push(operation) - 1;
    if (alike === undefined) this.#values.set(print, [id]);
    else alike.push(id);
    return { id, zero };
  }

  /** A whole program's value. */
  add({ program, inputs }: BuiltProgram): ValueId {
    const ids: ValueId[] = [];
    for (const operation of program.operations) {
      const here = renumber(
        operation,
        (id) => ids[id]!,
        (index) => this.input(inputs[index]!),
      );
      ids.push(this.emit(here).id);
    }
    return ids.at(-1)!;
  }

  /** Everything that was emitted, where several values are wanted. */
  all(): BuiltProgram {
    return { program: { operations: this.#operations }, inputs: this.#inputs };
  }

  /** Exactly +0 everywhere, in the shape of `like`: a sum to which a weight of 0 adds no term. */
  zero(like: Value): Value {
    return this.emit({ op: "sum", of: [like.id], weights: [0], scale: 1 }, true);
  }

  finish(result: Value): BuiltProgram {
    const operations: Operation[] = [];
    const inputs: ActionInput[] = [];
    const newIds = new Map<ValueId, ValueId>();
    const newInputs = new Map<number, number>();
    const input = (old: number): number => {
      let now = newInputs.get(old);
      if (now === undefined) newInputs.set(old, (now = inputs.push(this.#inputs[old]!) - 1));
      return now;
    };
    const visit = (old: ValueId): ValueId => {
      const known = newIds.get(old);
      if (known !== undefined) return known;
      const now = operations.push(renumber(this.#operations[old]!, visit, input)) - 1;
      newIds.set(old, now);
      return now;
    };
    visit(result.id);
    return { program: { operations }, inputs };
  }
}

function nanOf({ nan }: ActionInput): "propagate" | "zero" {
  return nan === "zero" ? "zero" : "propagate";
}

/** The operation with other operands; they are visited in the order of its fields. */
function renumber(operation: Operation, value: (id: ValueId) => ValueId, input: (index: number) => number): Operation {
  switch (operation.op) {
    case "load":
      return { ...operation, input: input(operation.input) };
    case "resize": {
      const base = value(operation.base);
      return { ...operation, input: input(operation.input), base };
    }
    case "lora": {
      const a = input(operation.a);
      return { ...operation, a, b: input(operation.b) };
    }
    case "subtract":
    case "add":
    case "mask-and":
    case "mask-or":
    case "slerp": {
      const left = value(operation.left);
      return { ...operation, left, right: value(operation.right) };
    }
    case "onto": {
      const base = value(operation.base);
      return { ...operation, base, vector: value(operation.vector) };
    }
    case "negate":
    case "multiply":
    case "divide":
    case "magnitude":
    case "breadcrumbs":
    case "della":
    case "model-cut":
    case "model-della":
    case "mask-not":
    case "rescale-inv":
    case "nearswap":
    case "largest":
    case "lines":
    case "extremes":
      return { ...operation, of: value(operation.of) };
    case "random":
      return operation;
    case "select":
    case "rescale-della": {
      const of = value(operation.of);
      return { ...operation, of, mask: value(operation.mask) };
    }
    case "rescale-l1": {
      const of = value(operation.of);
      return { ...operation, of, masked: value(operation.masked) };
    }
    case "divergence": {
      const of = value(operation.of);
      return { ...operation, of, base: value(operation.base) };
    }
    case "arcee-fusion": {
      const of = value(operation.of);
      return { ...operation, of, divergence: value(operation.divergence) };
    }
    case "pcb": {
      const of = operation.of.map(value);
      return { ...operation, of, extremes: operation.extremes.map(value) };
    }
    case "sce": {
      const of = operation.of.map(value);
      return operation.chosen === undefined
        ? { ...operation, of }
        : { ...operation, of, chosen: value(operation.chosen) };
    }
    case "sum":
    case "mean":
    case "ties":
    case "variance":
    case "ram":
    case "ram-plus":
    case "consensus":
    case "magmax":
    case "linear":
    case "karcher":
    case "model-stock":
      return { ...operation, of: operation.of.map(value) };
  }
}

/** Equal for equal operations, and cheap: operands and numbers tell most others apart. */
function fingerprint(operation: Operation): number {
  let print = operation.op.length;
  for (const name in operation) {
    const field: unknown = operation[name as keyof Operation];
    if (typeof field === "number") print = (Math.imul(print, 31) + field) | 0;
    else if (Array.isArray(field))
      for (const one of field as readonly number[]) print = (Math.imul(print, 31) + one) | 0;
  }
  return print;
}

export function isSameProgram({ operations: one }: Program, { operations: other }: Program): boolean {
  return one.length === other.length && one.every((operation, index) => isSameOperation(operation, other[index]!));
}

function isSameOperation(one: Operation, other: Operation): boolean {
  if (one.op !== other.op) return false;
  for (const name in one) if (!isSameField(one[name as keyof Operation], other[name as keyof Operation])) return false;
  // Of one op, but the fields that may be left out may be another's.
  for (const name in other) if (!(name in one)) return false;
  return true;
}

/** Words, numbers, lists of numbers, and cuts. */
function isSameField(one: unknown, other: unknown): boolean {
  if (one === other) return true;
  if (Array.isArray(one) && Array.isArray(other)) {
    return one.length === other.length && one.every((element, index) => element === other[index]);
  }
  return isCuts(one) && isCuts(other) && isSameCut(one.outer, other.outer) && isSameCut(one.inner, other.inner);
}

function isCuts(field: unknown): field is TensorCuts {
  return typeof field === "object" && field !== null && "outer" in field;
}

function isSameCut(one: Cut, other: Cut): boolean {
  return one.key === other.key && one.tie === other.tie;
}
