// `theta explain --level recipe`: the recipe graph, in the format asked for.

import { printableJson } from "../../dsl/printable.ts";
import type { RecipeGraph } from "../recipe-graph.ts";
import { dotText, mermaidText, type Arrow, type Box, type Diagram } from "./diagram.ts";
import { maskDefinitions, recipeText, strategyDefinitions } from "./recipe-text.ts";
import { viewOutputs, type ViewNode } from "./recipe-view.ts";

export type ExplainFormat = "text" | "dot" | "mermaid" | "json";

/** Of both levels. */
export const EXPLAIN_SCHEMA = "theta.explain/2";

export function explainRecipe(graph: RecipeGraph, format: ExplainFormat): string {
  switch (format) {
    case "text":
      return recipeText(graph);
    case "dot":
      return dotText(diagramOf(viewOutputs(graph)));
    case "mermaid":
      return mermaidText(diagramOf(viewOutputs(graph)));
    case "json":
      return `${printableJson(JSON.stringify(jsonOf(graph), null, 2))}\n`;
  }
}

/** Every node under the outputs, inputs before what is made of them; the id counts in that order. */
function numbered(outputs: readonly ViewNode[]): ReadonlyMap<ViewNode, string> {
  const ids = new Map<ViewNode, string>();
  const visit = (node: ViewNode): void => {
    if (ids.has(node)) return;
    for (const { node: input } of node.inputs) visit(input);
    ids.set(node, `n${ids.size}`);
  };
  outputs.forEach(visit);
  return ids;
}

const SHAPES: Readonly<Partial<Record<ViewNode["kind"], Box["shape"]>>> = {
  output: "document",
  gate: "rounded",
  model: "cylinder",
  adapter: "cylinder",
  vector: "cylinder",
  method: "rounded",
};

function diagramOf(outputs: readonly ViewNode[]): Diagram {
  const ids = numbered(outputs);
  const boxes: Box[] = [];
  const arrows: Arrow[] = [];
  for (const [node, id] of ids) {
    const lines = [...(node.name === undefined ? [] : [node.name]), ...(node.text === "" ? [] : [node.text])];
    boxes.push({ id, lines, shape: SHAPES[node.kind] ?? "box" });
    for (const { role, node: input, notes } of node.inputs) {
      const label = [...(role === "" ? [] : [role]), ...notes].join(", ");
      arrows.push({ from: ids.get(input)!, to: id, label });
    }
  }
  return { groups: [{ title: "", boxes }], arrows };
}

function jsonOf(graph: RecipeGraph): object {
  const outputs = viewOutputs(graph);
  const ids = numbered(outputs);
  return {
    schema: EXPLAIN_SCHEMA,
    level: "recipe",
    outputs: outputs.map((output) => ids.get(output)),
    nodes: [...ids].map(([{ kind, name, text, inputs }, id]) => ({
      id,
      kind,
      ...(name === undefined ? {} : { name }),
      text,
      inputs: inputs.map(({ role, node, notes }) => ({ role, node: ids.get(node), notes })),
    })),
    masks: Object.fromEntries(maskDefinitions(graph)),
    strategies: Object.fromEntries(strategyDefinitions(graph)),
    parameters: Object.fromEntries(graph.parameters),
    lists: Object.fromEntries(graph.lists),
  };
}
