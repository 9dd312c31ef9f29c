// The recipe graph as text: a tree for each output, then what its names stand for.

import { printable } from "../../dsl/printable.ts";
import type { RecipeGraph } from "../recipe-graph.ts";
import { RecipeTrees } from "./recipe-tree.ts";
import { viewOutputs } from "./recipe-view.ts";
import { WIDEST_ALIGNED } from "./tree-text.ts";
import { maskDefinition, strategyDefinition } from "./values-text.ts";

export function recipeText(graph: RecipeGraph): string {
  const outputs = viewOutputs(graph);
  const trees = new RecipeTrees(outputs);
  const sections = [
    ...outputs.flatMap((output) => trees.textsOf(output)),
    section("masks", [...maskDefinitions(graph)]),
    section("strategies", [...strategyDefinitions(graph)]),
    section("sources", sourceRows(trees)),
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

/** What every declared mask stands for. */
export function maskDefinitions({ declarations }: RecipeGraph): ReadonlyMap<string, string> {
  return new Map(
    declarations.flatMap(({ name, kind, node }) => (kind === "mask" ? [[name, maskDefinition(node)]] : [])),
  );
}

export function strategyDefinitions({ declarations }: RecipeGraph): ReadonlyMap<string, string> {
  return new Map(
    declarations.flatMap(({ name, kind, node }) => (kind === "strategy" ? [[name, strategyDefinition(node)]] : [])),
  );
}

function sourceRows(trees: RecipeTrees): string[][] {
  return trees.sources().map(({ name, kind, text, inputs }) => {
    const on = inputs[0] === undefined ? undefined : trees.nameOf(inputs[0].node);
    return [name!, kind, on === undefined ? text : `${text} on ${on}`];
  });
}

function section(title: string, rows: readonly (readonly string[])[]): readonly string[] {
  if (rows.length === 0) return [];
  const widths = rows[0]!.map((_, column) =>
    rows.reduce((width, row) => Math.max(width, row[column]!.length <= WIDEST_ALIGNED ? row[column]!.length : 0), 0),
  );
  return [
    title,
    ...rows.map((row) => `  ${row.map((cell, column) => cell.padEnd(widths[column]!)).join("  ")}`.trimEnd()),
  ];
}
