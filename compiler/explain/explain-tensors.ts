// `theta explain --level tensor`: the program of every output tensor, in the format asked for.

import { matchesGlob, parseGlob } from "../glob.ts";
import { predicateText } from "../predicates.ts";
import type { Operation, OutputGraph, TensorGraph } from "../tensor-graph.ts";
import { dotText, mermaidText, type Arrow, type Box, type Diagram } from "./diagram.ts";
import type { ExplainFormat } from "./explain-recipe.ts";
import { programLines } from "./program-text.ts";
import { groupActions } from "./tensor-groups.ts";
import { tensorJson } from "./tensor-json.ts";
import { tensorText } from "./tensor-text.ts";

/**
 * In pieces, which together may be longer than a string. `pattern`: a glob over stored and tied names. Undefined when it
 * takes no tensor of an output.
 */
export function explainTensors(
  graph: TensorGraph,
  format: ExplainFormat,
  pattern?: string,
): Iterable<string> | undefined {
  const outputs = pattern === undefined ? graph.outputs : chosenBy(pattern, graph.outputs);
  if (outputs.length === 0 && pattern !== undefined) return undefined;
  switch (format) {
    case "text":
      return [tensorText(outputs, pattern !== undefined)];
    case "dot":
      return [dotText(diagramOf(outputs))];
    case "mermaid":
      return [mermaidText(diagramOf(outputs))];
    case "json":
      return tensorJson(outputs);
  }
}

function chosenBy(pattern: string, outputs: readonly OutputGraph[]): readonly OutputGraph[] {
  const glob = parseGlob(pattern);
  if ("problem" in glob) return [];
  return outputs.flatMap((output) => {
    const tied = new Set([...output.aliases].filter(([alias]) => matchesGlob(glob, alias)).map(([, stored]) => stored));
    const actions = output.actions.filter(({ tensor }) => tied.has(tensor) || matchesGlob(glob, tensor));
    return actions.length === 0 ? [] : [{ ...output, actions }];
  });
}

/** One frame a group of tensors with the same program: its inputs, its operations, its result. */
function diagramOf(outputs: readonly OutputGraph[]): Diagram {
  const groups: { title: string; boxes: Box[] }[] = [];
  const arrows: Arrow[] = [];
  for (const [position, { output, actions, gates }] of outputs.entries()) {
    const expected = `e${position}`;
    for (const { actions: members, number } of groupActions(actions)) {
      const prefix = `g${groups.length}`;
      const [first] = members;
      const boxes: Box[] = first.inputs.map(({ role, tensor }, index) => ({
        id: `${prefix}_in${index}`,
        lines: [role, tensor.dtype.toLowerCase()],
        shape: "cylinder",
      }));
      const idOf = (value: number): string => {
        const operation = first.program.operations[value]!;
        return operation.op === "load" ? `${prefix}_in${operation.input}` : `${prefix}_v${value}`;
      };
      const { operations } = first.program;
      for (const { id, text } of programLines(first, number)) {
        const operation = operations[id]!;
        if (operation.op === "load") continue;
        boxes.push({ id: idOf(id), lines: [text], shape: "rounded" });
        for (const operand of operandsOf(operation)) arrows.push({ from: idOf(operand), to: idOf(id), label: "" });
        if (operation.op !== "lora") continue;
        for (const input of [operation.a, operation.b]) {
          arrows.push({ from: `${prefix}_in${input}`, to: idOf(id), label: "" });
        }
      }
      const more = members.length === 1 ? "" : ` and ${members.length - 1} more`;
      boxes.push({
        id: `${prefix}_out`,
        lines: [`${first.tensor}${more}`, first.dtype.toLowerCase()],
        shape: "document",
      });
      arrows.push({ from: idOf(operations.length - 1), to: `${prefix}_out`, label: "" });
      if (gates.length > 0) arrows.push({ from: `${prefix}_out`, to: expected, label: "" });
      groups.push({ title: output.display, boxes });
    }
    if (gates.length === 0) continue;
    const lines = ["expect", ...gates.map(({ predicate }) => predicateText(predicate))];
    groups.push({ title: output.display, boxes: [{ id: expected, lines, shape: "rounded" }] });
  }
  return { groups, arrows };
}

function operandsOf(operation: Operation): readonly number[] {
  const operands: number[] = [];
  for (const field of ["of", "left", "right", "base", "vector", "mask", "masked"] as const) {
    if (!(field in operation)) continue;
    const value = (operation as Partial<Record<typeof field, number | readonly number[]>>)[field];
    if (typeof value === "number") operands.push(value);
    else if (value !== undefined) operands.push(...value);
  }
  return operands;
}
