// What can change an action's bytes, in a fixed order. One walk serves the cache, which hashes it, and `explain`, which
// prints it, so the explanation cannot disagree with the key. Names, roles, paths and policies that change no byte
// (`overflow inf` against `error`, `nan propagate` against `error`) are not in it.

import { hash } from "node:crypto";
import { OPERATION_REVISION } from "./operation-revision.ts";
import type {
  Action,
  ActionInput,
  CutStatistic,
  ModelStatistic,
  Operation,
  Program,
  StatisticMember,
  TensorCuts,
} from "./tensor-graph.ts";

/** Takes the walk's fields in order. Labels are words of this file; only `text` values come from outside. */
interface KeySink {
  /** What follows belongs to this input or operation, counted from 0. For people; the encoding needs no marks. */
  begin(part: "input" | "operation", index: number): void;
  text(label: string, value: string): void;
  /** float64, by its bits; −0 counts as +0. */
  number(label: string, value: number): void;
  numbers(label: string, values: readonly number[]): void;
  /** Positions, sizes and revisions. */
  integer(label: string, value: number): void;
  integers(label: string, values: readonly number[]): void;
  /** An unsigned 64-bit stream. */
  stream(label: string, value: bigint): void;
}

/** Raised when the encoding below changes. */
const KEY_SCHEMA = "theta.action/1";

/**
 * `digests`: of each input's payload, `sha256:<hex>`, in the order of the inputs; "unknown" leaves them all out, which
 * makes the weak key.
 */
function writeActionKey(sink: KeySink, action: Action, digests: readonly string[] | "unknown"): void {
  sink.text("schema", KEY_SCHEMA);
  sink.text("numerics", "exact");
  sink.text("work", action.work);
  sink.text("output dtype", action.dtype);
  sink.integers("output shape", action.shape);
  if (action.overflow === "saturate") sink.text("overflow", "saturate");
  writeProgram(sink, action, digests);
}

interface Fed {
  readonly tensor: string;
  readonly inputs: readonly ActionInput[];
  readonly program: Program;
}

function writeProgram(
  sink: KeySink,
  { tensor: name, inputs, program }: Fed,
  digests: readonly string[] | "unknown",
): void {
  sink.integer("inputs", inputs.length);
  inputs.forEach(({ tensor }, index) => {
    sink.begin("input", index);
    sink.text("input dtype", tensor.dtype);
    sink.integers("input shape", tensor.shape);
    if (digests === "unknown") return;
    const digest = digests[index];
    if (digest === undefined) throw new Error(`no digest was given for input ${index} of ${name}`);
    sink.text("input digest", digest);
  });
  sink.integer("operations", program.operations.length);
  program.operations.forEach((operation, index) => {
    sink.begin("operation", index);
    writeOperation(sink, operation, digests === "unknown");
  });
}

/** Hex SHA-256. Equal keys mean equal bytes of the output. The values of its statistics must be known. */
export function actionKey(action: Action, digests: readonly string[]): string {
  return hashKey(action, digests);
}

/** Hex SHA-256 of everything but the inputs' digests: when no record shares it, no hit is possible. */
export function weakKey(action: Action): string {
  return hashKey(action, "unknown");
}

const STATISTIC_SCHEMA = "theta.statistic/1";

/** Hex SHA-256 of what one tensor brings to a statistic. As `weakKey` where the digests are "unknown". */
export function memberKey(
  rule: ModelStatistic,
  member: StatisticMember,
  digests: readonly string[] | "unknown",
): string {
  const sink = new HashSink();
  sink.text("schema", STATISTIC_SCHEMA);
  writeStatistic(sink, rule);
  if (rule.kind === "cut") sink.stream("tie", member.tie);
  sink.text("work", member.work);
  sink.integers("shape", member.shape);
  writeProgram(sink, member, digests);
  return hash("sha256", sink.encoded, "hex");
}

/** Hex SHA-256 of a statistic, from those of its members. */
export function statisticKey(rule: ModelStatistic, members: readonly string[]): string {
  const sink = new HashSink();
  sink.text("schema", STATISTIC_SCHEMA);
  writeStatistic(sink, rule);
  sink.integer("members", members.length);
  for (const member of members) sink.text("member", member);
  return hash("sha256", sink.encoded, "hex");
}

/** The same walk for people, an input or an operation a line. */
export function explainKey(action: Action, digests: readonly string[] | "unknown"): readonly string[] {
  const sink = new ExplanationSink();
  writeActionKey(sink, action, digests);
  return sink.lines;
}

/** `weak`: also what stands for the digests of other tensors. */
function writeOperation(sink: KeySink, operation: Operation, weak: boolean): void {
  sink.text("operation", operation.op);
  sink.integer("revision", OPERATION_REVISION[operation.op]);
  switch (operation.op) {
    case "load":
      sink.integer("input", operation.input);
      if (operation.nan === "zero") sink.text("nan", "zero");
      break;
    case "resize":
      sink.integer("input", operation.input);
      if (operation.nan === "zero") sink.text("nan", "zero");
      sink.integer("base", operation.base);
      break;
    case "lora":
      sink.integers("inputs a, b", [operation.a, operation.b]);
      sink.integer("rank", operation.rank);
      sink.number("scaling", operation.scaling);
      sink.text("transposed", String(operation.transposed));
      break;
    case "subtract":
    case "add":
    case "mask-and":
    case "mask-or":
      sink.integers("left, right", [operation.left, operation.right]);
      break;
    case "onto":
      sink.integers("base, vector", [operation.base, operation.vector]);
      break;
    case "negate":
    case "mask-not":
      sink.integer("of", operation.of);
      break;
    case "multiply":
    case "divide":
      sink.integer("of", operation.of);
      sink.number("by", operation.by);
      break;
    case "lines":
      sink.integer("of", operation.of);
      if (weak) {
        sink.number("alpha", operation.alpha);
        sink.number("rise", operation.rise);
      } else sink.number("by", factorOf(operation));
      break;
    case "magnitude":
    case "breadcrumbs":
      sink.integer("of", operation.of);
      sink.number("density", operation.density);
      if (operation.op === "breadcrumbs") sink.number("drop_top", operation.dropTop);
      sink.text("per", operation.per);
      sink.text("at_least_one", String(operation.atLeastOne));
      sink.stream("tie", operation.tie);
      break;
    case "random":
      sink.number("density", operation.density);
      sink.stream("seed", operation.seed);
      sink.stream("stream", operation.stream);
      break;
    case "della":
      sink.integer("of", operation.of);
      sink.number("density", operation.density);
      sink.number("epsilon", operation.epsilon);
      sink.text("per", operation.per);
      sink.stream("tie", operation.tie);
      sink.stream("seed", operation.seed);
      sink.stream("stream", operation.stream);
      break;
    case "model-cut":
      sink.integer("of", operation.of);
      if (weak) {
        writeRule(sink, operation);
        sink.stream("tie", operation.tie);
      } else if (operation.cuts === undefined) {
        throw new Error("a key was asked for before its statistic was known");
      } else writeCuts(sink, operation.cuts, operation.tie);
      break;
    case "select":
    case "rescale-della":
      sink.integers("of, mask", [operation.of, operation.mask]);
      break;
    case "rescale-inv":
      sink.integer("of", operation.of);
      sink.number("density", operation.density);
      break;
    case "rescale-l1":
      sink.integers("of, masked", [operation.of, operation.masked]);
      break;
    case "sum":
    case "mean":
    case "ties":
      sink.integers("of", operation.of);
      sink.numbers("weights", operation.weights);
      sink.number("scale", operation.scale);
      if (operation.op !== "ties") break;
      sink.text("elect", operation.elect);
      sink.text("divide", operation.divide);
      break;
    case "variance":
      sink.integers("of", operation.of);
      break;
    case "largest":
      sink.integer("of", operation.of);
      sink.number("share", operation.share);
      sink.stream("tie", operation.tie);
      break;
    case "sce":
      sink.integers("of", operation.of);
      if (operation.chosen !== undefined) sink.integer("chosen", operation.chosen);
      break;
    case "ram":
    case "ram-plus":
      sink.integers("of", operation.of);
      sink.number("epsilon", operation.epsilon);
      if (operation.op !== "ram-plus") break;
      sink.number("r", operation.r);
      sink.number("alpha", operation.alpha);
      break;
    case "consensus":
      sink.integers("of", operation.of);
      sink.numbers("weights", operation.weights);
      sink.number("scale", operation.scale);
      sink.number("lambda", operation.lambda);
      sink.integer("at_least", operation.atLeast);
      break;
    case "magmax":
      sink.integers("of", operation.of);
      sink.number("scale", operation.scale);
      break;
    case "extremes":
      sink.integer("of", operation.of);
      sink.number("clip", operation.clip);
      break;
    case "pcb":
      sink.integers("of", operation.of);
      sink.integers("extremes", operation.extremes);
      sink.numbers("weights", operation.weights);
      sink.number("scale", operation.scale);
      sink.number("select", operation.select);
      break;
    case "divergence":
      sink.integers("of, base", [operation.of, operation.base]);
      break;
    case "arcee-fusion":
      sink.integers("of, divergence", [operation.of, operation.divergence]);
      break;
    case "linear":
      sink.integers("of", operation.of);
      sink.numbers("weights", operation.weights);
      sink.text("normalize", String(operation.normalize));
      break;
    case "slerp":
      sink.integers("left, right", [operation.left, operation.right]);
      sink.number("t", operation.t);
      if (operation.per === "row") sink.text("per", "row");
      break;
    case "karcher":
      sink.integers("of", operation.of);
      sink.numbers("weights", operation.weights);
      sink.integer("max_iter", operation.maxIterations);
      sink.number("tol", operation.tolerance);
      break;
    case "model-stock":
      sink.integers("of", operation.of);
      sink.text("per", operation.per);
      break;
    case "nearswap":
      sink.integer("of", operation.of);
      sink.number("t", operation.t);
      break;
  }
}

/** By value: what of the tensor survives, whatever the rule and the other tensors that it comes from. */
function writeCuts(sink: KeySink, { outer, inner }: TensorCuts, tie: bigint): void {
  for (const [name, cut] of [["outer", outer] as const, ["inner", inner] as const]) {
    sink.stream(`${name} key`, cut.key);
    sink.stream(`${name} tie`, cut.tie);
  }
  // Nobody asks for the ties of a cut between keys.
  if (outer.tie !== 0n || inner.tie !== 0n) sink.stream("tie", tie);
}

/** By value: whatever the vectors that the ratio comes from. */
function factorOf({ alpha, rise, ratio }: Extract<Operation, { op: "lines" }>): number {
  if (ratio === undefined) throw new Error("a key was asked for before its statistic was known");
  return alpha * ratio + rise;
}

type Rule = Pick<CutStatistic, "density" | "dropTop" | "atLeastOne">;

function writeRule(sink: KeySink, rule: Rule): void {
  sink.text("per", "model");
  sink.number("density", rule.density);
  sink.number("drop_top", rule.dropTop);
  sink.text("at_least_one", String(rule.atLeastOne));
}

function writeStatistic(sink: KeySink, statistic: ModelStatistic): void {
  switch (statistic.kind) {
    case "cut":
      writeRule(sink, statistic);
      break;
    case "size":
      sink.text("sum", "sizes");
      break;
  }
}

function hashKey(action: Action, digests: readonly string[] | "unknown"): string {
  const sink = new HashSink();
  writeActionKey(sink, action, digests);
  return hash("sha256", sink.encoded, "hex");
}

const float64 = new Float64Array(1);
const words = new Uint32Array(float64.buffer);
/** Most numbers of a recipe are those of every tensor. */
const knownBits = new Map<number, string>();
const MOST_KNOWN = 1000;

/** Big-endian hex of a float64's bits, sixteen digits; −0 as +0. */
export function float64Bits(value: number): string {
  let bits = knownBits.get(value);
  if (bits === undefined) {
    float64[0] = value + 0;
    bits = hex32(words[1]!) + hex32(words[0]!);
    if (knownBits.size < MOST_KNOWN) knownBits.set(value, bits);
  }
  return bits;
}

function hex32(word: number): string {
  return word.toString(16).padStart(8, "0");
}

/**
 * No two walks have one encoding: a field is its label, its kind and its value, whose length is stated (text) or fixed
 * by what it is made of (digits, so many of them).
 */
class HashSink implements KeySink {
  encoded = "";

  begin(): void {
    // Labels tell the parts apart already.
  }

  text(label: string, value: string): void {
    this.encoded += `${label}:t${value.length}:${value}\n`;
  }
  number(label: string, value: number): void {
    this.encoded += `${label}:f${float64Bits(value)}\n`;
  }
  numbers(label: string, values: readonly number[]): void {
    this.encoded += `${label}:F${values.map(float64Bits).join(",")}\n`;
  }
  integer(label: string, value: number): void {
    this.encoded += `${label}:i${value}\n`;
  }
  integers(label: string, values: readonly number[]): void {
    this.encoded += `${label}:I${values.join(",")}\n`;
  }
  stream(label: string, value: bigint): void {
    this.encoded += `${label}:s${value.toString(16).padStart(16, "0")}\n`;
  }
}

/** Numbers are printed in the shortest form that reads back to the same float64. */
class ExplanationSink implements KeySink {
  readonly lines: string[] = [];
  #part = "";

  begin(part: "input" | "operation", index: number): void {
    this.#part = part;
    this.lines.push(`${part} ${index}`);
  }
  text(label: string, value: string): void {
    this.#add(label, value);
  }
  number(label: string, value: number): void {
    this.#add(label, String(value + 0));
  }
  numbers(label: string, values: readonly number[]): void {
    this.#add(label, `[${values.map((value) => value + 0).join(", ")}]`);
  }
  integer(label: string, value: number): void {
    // The number of operations ends the last input's line.
    if (label === "operations") this.#part = "";
    this.#add(label, String(value));
  }
  integers(label: string, values: readonly number[]): void {
    this.#add(label, `[${values.join(", ")}]`);
  }
  stream(label: string, value: bigint): void {
    this.#add(label, value.toString(16).padStart(16, "0"));
  }

  #add(label: string, value: string): void {
    if (this.#part === "") this.lines.push(`${label}  ${value}`);
    else this.lines.push(`${this.lines.pop()!}  ${this.#short(label)}${value}`);
  }

  /** The part's own word is not said twice. */
  #short(label: string): string {
    if (label === this.#part && label === "operation") return "";
    return `${label.replace(`${this.#part} `, "")} `;
  }
}
