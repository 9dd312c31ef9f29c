// `theta explain`: the merge graph, as data on standard output.

import { explainRecipe } from "../../../compiler/explain/explain-recipe.ts";
import { explainTensors } from "../../../compiler/explain/explain-tensors.ts";
import { parseGlob } from "../../../compiler/glob.ts";
import { nearestGlob } from "../../../compiler/header-checks/near-glob.ts";
import type { TensorGraph } from "../../../compiler/tensor-graph.ts";
import { didYouMean } from "../../../dsl/did-you-mean.ts";
import { diagnosticToJson } from "../../../dsl/render-diagnostic.ts";
import { shortened } from "../../../dsl/shortened.ts";
import { EXIT, Failure } from "../../failure.ts";
import type { Flags } from "../invocation.ts";
import { findRecipe } from "../find-recipe.ts";
import { exitCodeOf, loadRecipe } from "../load-recipe.ts";
import { createDiagnosticPrinter } from "../report-diagnostics.ts";
import { loadSettings } from "../settings.ts";
import { useColor, writeJson, writePieces } from "../terminal.ts";

const FORMATS = ["text", "dot", "mermaid", "json"] as const;
const LEVELS = ["recipe", "tensor"] as const;

export async function explain(path: string | undefined, flags: Flags): Promise<number> {
  const format = oneOf("--format", flags.format ?? (flags.json ? "json" : "text"), FORMATS);
  const level = oneOf("--level", flags.level ?? (flags.tensor === undefined ? "recipe" : "tensor"), LEVELS);
  if (level === "recipe" && flags.tensor !== undefined) {
    throw new Failure(EXIT.usage, "--tensor goes with --level tensor", { code: "usage", help: "leave --level out" });
  }
  const file = findRecipe(path, process.cwd());
  const settings = await loadSettings(flags, file.directory);
  const { diagnostics, graph, tensors } = loadRecipe(file, flags, settings.store);
  diagnostics.forEach(createDiagnosticPrinter(useColor(settings.color), flags.quiet ?? false));
  const code = exitCodeOf(diagnostics);
  if (code !== EXIT.done || graph === undefined || tensors === undefined) {
    if (flags.json) writeJson({ schema: "theta.check/1", ok: false, diagnostics: diagnostics.map(diagnosticToJson) });
    return code;
  }
  const pieces = level === "recipe" ? [explainRecipe(graph, format)] : explainTensors(tensors, format, flags.tensor);
  if (pieces === undefined) throw matchesNothing(flags.tensor!, tensors);
  writePieces(pieces);
  return EXIT.done;
}

function oneOf<T extends string>(flag: string, given: string, words: readonly T[]): T {
  const word = words.find((each) => each === given);
  if (word !== undefined) return word;
  const near = didYouMean(given, words);
  throw new Failure(EXIT.usage, `${flag} must be one of ${words.join(", ")}, not ${JSON.stringify(given)}`, {
    code: "usage",
    ...(near !== undefined && { help: `did you mean ${near}?` }),
  });
}

function matchesNothing(pattern: string, tensors: TensorGraph): Failure {
  const shown = JSON.stringify(shortened(pattern));
  const glob = parseGlob(pattern);
  if ("problem" in glob) {
    return new Failure(EXIT.usage, `--tensor ${shown} is no glob: ${glob.problem}`, { code: "bad-glob" });
  }
  const names = tensors.outputs.flatMap(({ actions, aliases }) => [
    ...actions.map(({ tensor }) => tensor),
    ...aliases.keys(),
  ]);
  const near = glob.alternatives.length === 1 ? nearestGlob(glob.alternatives[0]!, names) : undefined;
  return new Failure(EXIT.usage, `--tensor ${shown} matches no tensor of an output`, {
    code: "no-such-tensor",
    help:
      near === undefined
        ? `a glob is matched with whole names, such as "*mlp*"; theta explain --level tensor prints them`
        : `did you mean ${JSON.stringify(near.glob)}? it matches ${near.name}`,
  });
}
