// The fields of an operation or a statistic in an action's key, in a fixed order.

import type { KeySink } from "./key-sink.ts";
import { OPERATION_REVISION } from "./operation-revision.ts";
import type { CutStatistic, ModelStatistic, Operation, TensorCuts } from "./tensor-graph.ts";

/** `weak`: also what stands for the digests of other tensors. */
export function writeOperation(sink: KeySink, operation: Operation, weak: boolean): void {
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
    case "model-della":
      sink.integer("of", operation.of);
      sink.number("density", operation.density);
      sink.number("epsilon", operation.epsilon);
      sink.text("per", "model");
      sink.stream("seed", operation.seed);
      sink.stream("stream", operation.stream);
      if (weak) break;
      if (operation.ranking === undefined || operation.place === undefined) {
        throw new Error("a key was asked for before its statistic was known");
      }
      sink.text("ranking", operation.ranking);
      sink.integer("place", operation.place);
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

export function writeStatistic(sink: KeySink, statistic: ModelStatistic): void {
  switch (statistic.kind) {
    case "cut":
      writeRule(sink, statistic);
      break;
    case "ranks":
      sink.text("order", "of sizes");
      break;
    case "size":
      sink.text("sum", "sizes");
      break;
  }
}
