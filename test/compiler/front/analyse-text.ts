// Analyses recipes out of strings: other files and lists of sources are given as maps, nothing is read from a disk.

import { analyse, type AnalyseResult, type ParameterInput } from "../../../compiler/analyse.ts";
import type { CompilerHost } from "../../../compiler/checkpoint.ts";
import type { Diagnostic } from "../../../dsl/diagnostic.ts";
import { parse } from "../../../dsl/parse.ts";
import { renderDiagnostic } from "../../../dsl/render-diagnostic.ts";

export interface Given {
  /** Imported recipes, by absolute path. The recipe itself lies in /project. */
  readonly files?: Readonly<Record<string, string>>;
  /** What patterns of `models` find, by absolute pattern. */
  readonly sources?: Readonly<Record<string, readonly string[]>>;
  readonly parameters?: Readonly<Record<string, ParameterInput>>;
  readonly allowOutside?: boolean;
}

export function analyseText(text: string, given: Given = {}): AnalyseResult {
  const source = { path: "merge.theta", directory: "/project", text };
  const { recipe, diagnostics } = parse(source);
  const result = analyse(recipe, hostOf(given), {
    parameters: new Map(Object.entries(given.parameters ?? {})),
    projectDirectory: "/project",
    allowOutside: given.allowOutside ?? false,
    workingDirectory: "/work",
  });
  return { ...result, diagnostics: [...diagnostics, ...result.diagnostics] };
}

export function rendered(diagnostics: readonly Diagnostic[]): string {
  return diagnostics.map((diagnostic) => renderDiagnostic(diagnostic)).join("\n");
}

/** Checkpoints are the back half's business, so asking for one here is a bug. */
function hostOf({ files = {}, sources = {} }: Given): CompilerHost {
  const refuse = (path: string): never => {
    throw new Error(`analyse read the headers of ${path}`);
  };
  return {
    readRecipe(path) {
      const text = files[path];
      if (text !== undefined) return { text };
      return { kind: "problem", code: "source-missing", message: `${path} does not exist` };
    },
    readModel: refuse,
    readAdapter: refuse,
    readVector: refuse,
    listSources: (pattern) => sources[pattern] ?? [],
  };
}
