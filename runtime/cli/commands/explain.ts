// `theta explain`: the merge graph, as data on standard output.

import { explainRecipe } from "../../../compiler/explain/explain-recipe.ts";
import { explainTensors } from "../../../compiler/explain/explain-tensors.ts";
import { diagnosticToJson } from "../../../dsl/render-diagnostic.ts";
import { EXIT, Failure } from "../../failure.ts";
import type { Flags } from "../command-line.ts";
import { findRecipe } from "../find-recipe.ts";
import { exitCodeOf, loadRecipe } from "../load-recipe.ts";
import { createDiagnosticPrinter } from "../report-diagnostics.ts";
import { loadSettings } from "../settings.ts";
import { useColor, writeJson, writeOutput } from "../terminal.ts";

export async function explain(path: string | undefined, flags: Flags): Promise<number> {
  const place = findRecipe(path, process.cwd());
  const settings = await loadSettings(flags, place.directory);
  const { diagnostics, graph, tensors } = loadRecipe(place, flags, settings.store);
  diagnostics.forEach(createDiagnosticPrinter(useColor(settings.color), flags.quiet ?? false));
  const code = exitCodeOf(diagnostics);
  const format = (flags.format ?? (flags.json ? "json" : "text")) as "text" | "dot" | "mermaid" | "json";
  if (code !== EXIT.done || graph === undefined || tensors === undefined) {
    if (flags.json) writeJson({ schema: "theta.check/1", ok: false, diagnostics: diagnostics.map(diagnosticToJson) });
    return code;
  }
  const level = flags.level ?? (flags.tensor === undefined ? "recipe" : "tensor");
  if (level === "recipe" && flags.tensor !== undefined) {
    throw new Failure(EXIT.usage, "--tensor goes with --level tensor", { code: "usage" });
  }
  if (level === "recipe") {
    writeOutput(explainRecipe(graph, format));
    return EXIT.done;
  }
  const text = explainTensors(tensors, format, flags.tensor);
  if (text === undefined) {
    throw new Failure(EXIT.usage, `--tensor ${JSON.stringify(flags.tensor)} matches no tensor of an output`, {
      code: "no-such-tensor",
      help: 'patterns are globs over whole names, such as "*mlp*"',
    });
  }
  writeOutput(text);
  return EXIT.done;
}
