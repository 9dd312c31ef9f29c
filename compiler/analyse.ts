// From the tree of a recipe to its graph: names resolved, kinds checked, parameters with their effective values. Reads
// imported recipes and lists of sources through the host, never a checkpoint.

import { basename, resolve } from "node:path";
import type { Recipe } from "../dsl/ast.ts";
import type { Diagnostic } from "../dsl/diagnostic.ts";
import type { Source } from "../dsl/source.ts";
import { LANGUAGE_VERSION } from "../dsl/version-header.ts";
import { type Analysis, analyseFile } from "./analyse/analyse-file.ts";
import type { CompilerHost } from "./checkpoint.ts";
import { checkOutputPaths, type InputPath } from "./analyse/checks/output-paths.ts";
import { warnOfUnused } from "./analyse/checks/unused.ts";
import { declarationsOf } from "./analyse/declared-nodes.ts";
import { evaluateExpect } from "./analyse/gates.ts";
import { type Scope, suggestions } from "./analyse/names.ts";
import { evaluateOutput } from "./analyse/outputs.ts";
import { parseInput, type ParameterInput, type ParsedInput } from "./analyse/parameter-inputs.ts";
import { plainValue, reportUnknownOverride } from "./analyse/parameters.ts";
import { limitDiagnostics } from "./limit-diagnostics.ts";
import type { ModelNode, RecipeGraph } from "./recipe-graph.ts";
import { NodeNumbers } from "./same-node.ts";

export type { ParameterInput } from "./analyse/parameter-inputs.ts";

interface AnalyseOptions {
  /** By name; the caller has let `-p` beat `--params`. */
  readonly parameters: ReadonlyMap<string, ParameterInput>;
  /** Absolute: the root recipe's directory, outside of which an output needs `allowOutside`. */
  readonly projectDirectory: string;
  readonly allowOutside: boolean;
}

export interface AnalyseResult {
  /** Present when nothing is wrong. */
  readonly graph?: RecipeGraph;
  /** Every independent error of the run, by file and place. */
  readonly diagnostics: readonly Diagnostic[];
}

/** Never throws on a recipe, whatever it says. */
export function analyse(recipe: Recipe, host: CompilerHost, options: AnalyseOptions): AnalyseResult {
  // The parser has said so, and what a newer language means is unknown.
  if (recipe.version !== undefined && recipe.version.version > LANGUAGE_VERSION) return { diagnostics: [] };
  const diagnostics: Diagnostic[] = [];
  const report = (diagnostic: Diagnostic) => void diagnostics.push(diagnostic);
  const { source } = recipe.span;
  const directory = resolve(source.directory);
  const analysis: Analysis = { host, report, suggest: suggestions(), lists: new Map(), imported: 0, importedText: 0 };
  const inputs = parseInputs(recipe, options.parameters, report);
  const root = { recipe, directory, prefix: "", inputs, open: [resolve(directory, basename(source.path))] };
  const { scope, mentioned } = analyseFile(root, analysis);
  reportUnknownInputs(recipe, options.parameters, scope);

  const outputs = recipe.statements.flatMap((statement) => {
    if (statement.kind !== "output") return [];
    const node = evaluateOutput(statement, scope);
    return node === undefined ? [] : [{ node, pathSpan: statement.path.span }];
  });
  const projectDirectory = resolve(options.projectDirectory);
  checkOutputPaths(outputs, inputPaths(scope), projectDirectory, options.allowOutside, report);
  const outputNodes = outputs.map(({ node }) => node);
  const numbers = new NodeNumbers();
  const made = new Set(outputNodes.map(({ value }) => numbers.of(value.node)));
  const expectations = recipe.statements.flatMap((statement) => {
    const isMade = (model: ModelNode): boolean => made.has(numbers.of(model));
    const node = statement.kind === "expect" ? evaluateExpect(statement, isMade, scope) : undefined;
    return node === undefined ? [] : [node];
  });
  // A broken line may have used them.
  if (scope.faults.length === 0) warnOfUnused(scope.declarations, mentioned, report);

  const found = inOrder(diagnostics, source);
  // A poisoned value was reported: here, or by the parser.
  const isBroken = [...scope.values.values()].some(({ kind }) => kind === "poison");
  if (isBroken || found.some(({ severity }) => severity === "error")) return { diagnostics: found };
  const graph: RecipeGraph = {
    outputs: outputNodes,
    expectations,
    declarations: declarationsOf(scope),
    parameters: effectiveParameters(scope),
    lists: analysis.lists,
  };
  return { graph, diagnostics: found };
}

function parseInputs(
  recipe: Recipe,
  parameters: ReadonlyMap<string, ParameterInput>,
  report: (diagnostic: Diagnostic) => void,
): Map<string, ParsedInput> {
  const inputs = new Map<string, ParsedInput>();
  for (const statement of recipe.statements) {
    if (statement.kind !== "param" || inputs.has(statement.name.text)) continue;
    const input = parameters.get(statement.name.text);
    if (input !== undefined) inputs.set(statement.name.text, parseInput(statement, input, report));
  }
  return inputs;
}

function reportUnknownInputs(recipe: Recipe, parameters: ReadonlyMap<string, ParameterInput>, scope: Scope): void {
  const declared = new Set<string>();
  for (const statement of recipe.statements) if (statement.kind === "param") declared.add(statement.name.text);
  for (const [name, input] of parameters) {
    const isBroken = scope.values.has(name) && !scope.declarations.has(name);
    if (declared.has(name) || isBroken) continue;
    reportUnknownOverride(name, declared, "the recipe", input.name, scope);
  }
}

/** Everything that the recipe or a file that it imports would read. */
function inputPaths(scope: Scope): InputPath[] {
  const paths: InputPath[] = [];
  for (const value of scope.values.values()) {
    const nodes =
      value.kind === "models" ? value.nodes : value.kind === "model" || value.kind === "vector" ? [value.node] : [];
    for (const node of nodes) {
      if (node.kind === "checkpoint" || node.kind === "adapter" || node.kind === "stored-vector") paths.push(node);
    }
  }
  for (const file of scope.imports.values())
    if (file !== undefined) for (const path of inputPaths(file)) paths.push(path);
  return paths;
}

function effectiveParameters({ declarations, values }: Scope): Map<string, unknown> {
  const parameters = new Map<string, unknown>();
  for (const [name, { kind }] of declarations) {
    if (kind === "param") parameters.set(name, plainValue(values.get(name)!));
  }
  return parameters;
}

/** What has no place first, then the recipe, then other texts as they came up; each once, by place; not too many. */
function inOrder(diagnostics: readonly Diagnostic[], root: Source): readonly Diagnostic[] {
  const texts = new Map<Source | undefined, number>([
    [undefined, -2],
    [root, -1],
  ]);
  for (const { span } of diagnostics) if (!texts.has(span?.source)) texts.set(span?.source, texts.size);
  const rank = ({ span }: Diagnostic) => texts.get(span?.source)!;
  const sorted = diagnostics.toSorted((a, b) => rank(a) - rank(b) || (a.span?.start ?? 0) - (b.span?.start ?? 0));
  const seen = new Set<string>();
  const distinct = sorted.filter(({ code, message, span }) => {
    const key = JSON.stringify([code, message, span?.source.path, span?.start, span?.end]);
    return !seen.has(key) && seen.add(key);
  });
  return limitDiagnostics(distinct, root);
}
