// The process that compiles and explains large recipes, those whose names hold the argument; large-recipes.test.ts
// watches it. One line of JSON before each recipe, one behind it.

import { explainRecipe } from "../../compiler/explain/explain-recipe.ts";
import { explainTensors } from "../../compiler/explain/explain-tensors.ts";
import { renderDiagnostic } from "../../dsl/render-diagnostic.ts";
import { compileText } from "../support/compile-text.ts";
import { LARGE_RECIPES } from "./large-recipes.ts";
import { SOURCES } from "./recipe-sources.ts";

const [part = ""] = process.argv.slice(2);
for (const [name, { text }] of LARGE_RECIPES) {
  if (!name.includes(part)) continue;
  console.log(JSON.stringify({ name }));
  const start = process.cpuUsage();
  const { graph, tensors, diagnostics } = compileText(text, SOURCES);
  const printed = diagnostics.map((one) => renderDiagnostic(one).length);
  for (const format of ["text", "dot", "mermaid", "json"] as const) {
    if (graph === undefined || tensors === undefined) continue;
    printed.push(explainRecipe(graph, format).length);
    for (const piece of explainTensors(tensors, format)!) printed.push(piece.length);
  }
  const { user, system } = process.cpuUsage(start);
  console.log(
    JSON.stringify({
      name,
      milliseconds: Math.round((user + system) / 1000),
      characters: printed.reduce((sum, length) => sum + length, 0),
      error: diagnostics.find(({ severity }) => severity === "error")?.code,
    }),
  );
}
