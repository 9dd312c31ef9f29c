// Analyses recipes out of strings: other files and lists of sources are given as maps, nothing is read from a disk.

import { analyse, type AnalyseResult, type ParameterInput } from "../../../compiler/analyse.ts";
import type { CompilerHost } from "../../../compiler/checkpoint.ts";
import type { Diagnostic } from "../../../dsl/diagnostic.ts";
import { parse } from "../../../dsl/parse.ts";
import type { Source } from "../../../dsl/source.ts";
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
  });
  return { ...result, diagnostics: [...diagnostics, ...result.diagnostics] };
}

/** What `-p` gives in the directory /project. */
export function flag(text: string): Readonly<Record<string, ParameterInput>> {
  const source: Source = { path: "-p", directory: "/project", text, isArgument: true };
  const equals = text.indexOf("=");
  const name = { source, start: 0, end: equals };
  const value = { source, start: equals + 1, end: text.length };
  return { [text.slice(0, equals)]: { from: "flag", name, value } };
}

/** What a parameter file in the directory /project/p gives. */
export function parameterFile(values: object): Readonly<Record<string, ParameterInput>> {
  const source: Source = { path: "p/params.json", directory: "/project/p", text: JSON.stringify(values, null, 2) };
  const inputs = Object.entries(values).map(([key, json]: [string, unknown]): [string, ParameterInput] => {
    const start = source.text.indexOf(`"${key}"`);
    const name = { source, start, end: start + key.length + 2 };
    const end = name.end + 2 + JSON.stringify(json, null, 2).length;
    return [key, { from: "file", name, value: { source, start: name.end + 2, end }, json }];
  });
  return Object.fromEntries(inputs);
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
