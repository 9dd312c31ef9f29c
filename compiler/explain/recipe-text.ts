// The recipe graph as text: a tree for each output, then what its names stand for.

import { printable } from "../../dsl/printable.ts";
import type { RecipeGraph } from "../recipe-graph.ts";
import { viewOutputs, type ViewInput, type ViewNode } from "./recipe-view.ts";
import { treeText, type TreeLine } from "./tree-text.ts";
import { maskDefinition } from "./values-text.ts";

export function recipeText(graph: RecipeGraph): string {
  const shown = new Set<ViewNode>();
  const outputs = viewOutputs(graph).map((output) => treeText(lineOf({ role: "", node: output, notes: [] }, shown)));
  const sections = [
    ...outputs,
    section("masks", maskRows(graph)),
    section("sources", sourceRows(shown)),
    section(
      "lists",
      [...graph.lists].map(([name, members]) => [name, members.join(", ")]),
    ),
    section(
      "parameters",
      [...graph.parameters].map(([name, value]) => [name, JSON.stringify(value) ?? "none"]),
    ),
  ];
  const lines = sections.filter((lines) => lines.length > 0).map((lines) => lines.map(printable).join("\n"));
  return `${lines.join("\n\n")}\n`;
}

/** A node is told in full where it first stands, by its name afterwards. Sources are told by name, and below. */
function lineOf({ role, node, notes }: ViewInput, shown: Set<ViewNode>): TreeLine {
  const isKnown = shown.has(node);
  shown.add(node);
  const before = role === "" ? [] : [role];
  if (node.name !== undefined && (isKnown || isSource(node))) {
    // Shown by its name, but it makes the sources below complete.
    if (!isKnown) for (const input of node.inputs) lineOf(input, shown);
    return {
      cells: [...before, isKnown && !isSource(node) ? `${node.name} (above)` : node.name, ...notes],
      children: [],
    };
  }
  const short = inline(node, shown);
  if (short !== undefined) return { cells: [...before, named(node, short.text), ...notes], children: short.children };
  const children = node.inputs.flatMap((input) => {
    // What a gate compares with is in its text, unless that is told nowhere else.
    const isTold = node.kind === "gate" && (isSource(input.node) || shown.has(input.node));
    const line = lineOf(input, shown);
    return isTold ? [] : [line];
  });
  // Not a column of its own, which would be as wide as what stands above it.
  if (node.kind === "gate") return { cells: [`${role} ${node.text}`], children };
  return { cells: [...before, named(node, node.text), ...notes], children };
}

function isSource(node: ViewNode): boolean {
  return node.name !== undefined && (node.kind === "model" || node.kind === "adapter" || node.kind === "vector");
}

function named(node: ViewNode, text: string): string {
  if (node.kind === "output") return `output ${JSON.stringify(node.name)}  ${text}`;
  return node.name === undefined ? text : `${node.name} = ${text}`;
}

/** `maths - llama` and `llama + ties(…)` on one line, where the names make that possible. */
function inline(node: ViewNode, shown: Set<ViewNode>): { text: string; children: readonly TreeLine[] } | undefined {
  const [left, right] = node.inputs;
  if (left === undefined || right === undefined || left.notes.length > 0) return undefined;
  if (node.kind === "difference" && left.node.name !== undefined && right.node.name !== undefined) {
    const unseen = [left, right].filter((input) => !isSource(input.node) && !shown.has(input.node));
    for (const { node: side } of [left, right]) if (isSource(side)) shown.add(side);
    return { text: `${left.node.name} - ${right.node.name}`, children: unseen.map((input) => lineOf(input, shown)) };
  }
  if (node.kind === "onto" && isSource(left.node) && right.node.kind === "method" && right.node.name === undefined) {
    shown.add(left.node);
    const { text, inputs } = right.node;
    const children = inputs.map((input) => lineOf(input, shown));
    return { text: [`${left.node.name} + ${text}`, ...right.notes].join("  "), children };
  }
  return undefined;
}

function maskRows(graph: RecipeGraph): string[][] {
  return graph.declarations.flatMap(({ name, kind, node }) =>
    kind === "mask" && node.kind === "constant" ? [[name, maskDefinition(node.value)]] : [],
  );
}

function sourceRows(shown: ReadonlySet<ViewNode>): string[][] {
  return [...shown].filter(isSource).map(({ name, kind, text, inputs }) => {
    const on = inputs[0]?.node.name;
    return [name!, kind, on === undefined ? text : `${text} on ${on}`];
  });
}

function section(title: string, rows: readonly (readonly string[])[]): readonly string[] {
  if (rows.length === 0) return [];
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return [
    title,
    ...rows.map((row) => `  ${row.map((cell, column) => cell.padEnd(widths[column]!)).join("  ")}`.trimEnd()),
  ];
}
