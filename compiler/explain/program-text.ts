// A program in words: one line a value, loads by the name of their model, arithmetic as people write it.

import { counted } from "../../dsl/counted.ts";
import type { Action, Operation } from "../tensor-graph.ts";

interface ProgramLine {
  /** Position of the operation. */
  readonly id: number;
  readonly text: string;
}

/** How a number of an operation is written; groups of actions write a range where theirs differ. */
export type NumberText = (operation: number, field: string, index: number) => string;

/** Loads have no line of their own unless the program is one: their model's name stands where the value is used. */
export function programLines(action: Action, number: NumberText): readonly ProgramLine[] {
  const { operations } = action.program;
  const nameOf = (id: number): string => {
    const operation = operations[id]!;
    if (operation.op !== "load") return `%${id}`;
    const { role } = action.inputs[operation.input]!;
    return operation.nan === "zero" ? `${role} (nan zero)` : role;
  };
  const lines = operations.flatMap((operation, id) =>
    operation.op === "load" ? [] : [{ id, text: operationText(operation, action, nameOf, boundTo(number, id)) }],
  );
  return lines.length > 0 ? lines : [{ id: 0, text: nameOf(0) }];
}

type FieldText = (field: string, index?: number) => string;

function boundTo(number: NumberText, id: number): FieldText {
  return (field, index = 0) => number(id, field, index);
}

function operationText(operation: Operation, action: Action, name: (id: number) => string, number: FieldText): string {
  switch (operation.op) {
    case "load":
      return action.inputs[operation.input]!.role;
    case "resize": {
      const role = action.inputs[operation.input]!.role;
      return `${operation.nan === "zero" ? `${role} (nan zero)` : role} resized over ${name(operation.base)}`;
    }
    case "lora": {
      const product = `${number("scaling")} * ${action.inputs[operation.b]!.role} @ ${action.inputs[operation.a]!.role}`;
      return `${product}, rank ${operation.rank}${operation.transposed ? ", transposed" : ""}`;
    }
    case "subtract":
      return `${name(operation.left)} - ${name(operation.right)}`;
    case "add":
      return `${name(operation.left)} + ${name(operation.right)}`;
    case "onto":
      return `${name(operation.base)} + ${name(operation.vector)}`;
    case "negate":
      return `-${name(operation.of)}`;
    case "multiply":
      return `${number("by")} * ${name(operation.of)}`;
    case "divide":
      return `${name(operation.of)} / ${number("by")}`;
    case "magnitude":
    case "breadcrumbs": {
      const parts = [name(operation.of), `density ${number("density")}`];
      if (operation.op === "breadcrumbs") parts.push(`drop_top ${number("dropTop")}`);
      parts.push(`per ${operation.per}`);
      if (operation.atLeastOne) parts.push("at least one");
      return `${operation.op}(${parts.join(", ")})`;
    }
    case "lines": {
      const alpha = `${number("alpha")} * (size ${operation.like} / size ${operation.own})`;
      return `(${alpha} + ${number("rise")}) * ${name(operation.of)}`;
    }
    case "random":
      return `random(density ${number("density")}, seed ${operation.seed})`;
    case "della": {
      const parts = [`density ${number("density")}`, `epsilon ${number("epsilon")}`, `per ${operation.per}`];
      return `della(${name(operation.of)}, ${parts.join(", ")}, seed ${operation.seed})`;
    }
    case "model-cut": {
      const parts = [name(operation.of), `density ${number("density")}`];
      if (operation.dropTop > 0) parts.push(`drop_top ${number("dropTop")}`);
      parts.push(`per model, statistic ${operation.statistic}`);
      if (operation.atLeastOne) parts.push("at least one");
      return `model-cut(${parts.join(", ")})`;
    }
    case "model-della": {
      const parts = [`density ${number("density")}`, `epsilon ${number("epsilon")}`];
      parts.push(`per model, statistic ${operation.statistic}`);
      return `model-della(${name(operation.of)}, ${parts.join(", ")}, seed ${operation.seed})`;
    }
    case "mask-and":
      return `${name(operation.left)} & ${name(operation.right)}`;
    case "mask-or":
      return `${name(operation.left)} | ${name(operation.right)}`;
    case "mask-not":
      return `!${name(operation.of)}`;
    case "select":
      return `${name(operation.of)} where ${name(operation.mask)}`;
    case "rescale-inv":
      return `${name(operation.of)} / density ${number("density")}`;
    case "rescale-della":
      return `${name(operation.of)} / probability of ${name(operation.mask)}`;
    case "rescale-l1":
      return `${name(operation.of)} * (l1 of ${name(operation.of)} / l1 of ${name(operation.masked)})`;
    case "sum":
    case "mean":
    case "ties": {
      const terms = weighted(operation, name, number);
      const parts = [terms, `scale ${number("scale")}`];
      if (operation.op === "ties") parts.push(`elect ${operation.elect}`, `divide ${operation.divide}`);
      return `${operation.op}(${parts.join(", ")})`;
    }
    case "variance":
      return `variance(${names(operation, name)})`;
    case "largest":
      return `largest(${name(operation.of)}, share ${number("share")} of what is not 0)`;
    case "sce": {
      const where = operation.chosen === undefined ? "" : ` where ${name(operation.chosen)}`;
      return `sce(${names(operation, name)}${where})`;
    }
    case "ram":
      return `ram(${names(operation, name)}, epsilon ${number("epsilon")})`;
    case "ram-plus": {
      const parts = [`epsilon ${number("epsilon")}`, `r ${number("r")}`, `alpha ${number("alpha")}`];
      return `ram_plus(${names(operation, name)}, ${parts.join(", ")})`;
    }
    case "consensus": {
      const parts = [`scale ${number("scale")}`, `lambda ${number("lambda")}`, `at least ${number("atLeast")}`];
      return `consensus(${weighted(operation, name, number)}, ${parts.join(", ")})`;
    }
    case "magmax":
      return `magmax(${names(operation, name)}, scale ${number("scale")})`;
    case "extremes":
      return `extremes(${name(operation.of)}, clip ${number("clip")})`;
    case "pcb": {
      const held = operation.extremes.map(name).join(", ");
      const parts = [`scale ${number("scale")}`, `select ${number("select")}`];
      return `pcb(${weighted(operation, name, number)}, within ${held}, ${parts.join(", ")})`;
    }
    case "divergence":
      return `divergence of each row's softmax(${name(operation.base)} + ${name(operation.of)}, ${name(operation.base)})`;
    case "arcee-fusion":
      return `arcee_fusion(${name(operation.of)}, ${name(operation.divergence)})`;
    case "linear":
      return `linear(${weighted(operation, name, number)}${operation.normalize ? "" : ", not normalized"})`;
    case "slerp":
      return `slerp(${name(operation.left)}, ${name(operation.right)}, t ${number("t")}${operation.per === "row" ? ", per row" : ""})`;
    case "karcher": {
      const steps = counted(operation.maxIterations, "step");
      return `karcher(${weighted(operation, name, number)}, at most ${steps}, tol ${number("tolerance")})`;
    }
    case "model-stock":
      return `model_stock(${operation.of.map(name).join(", ")}, per ${operation.per})`;
    case "nearswap":
      return `nearswap(${name(operation.of)}, t ${number("t")})`;
  }
}

function names({ of }: { readonly of: readonly number[] }, name: (id: number) => string): string {
  return of.map(name).join(", ");
}

function weighted({ of }: { readonly of: readonly number[] }, name: (id: number) => string, number: FieldText): string {
  return of.map((id, index) => `${number("weights", index)} * ${name(id)}`).join(", ");
}
