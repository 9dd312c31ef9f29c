// One file, the recipe itself or an import: declares its names, orders them and evaluates every declaration.

import { basename, dirname, resolve } from "node:path";
import type { ImportStatement, Name, ParamStatement, Recipe } from "../../dsl/ast.ts";
import type { Report } from "../../dsl/diagnostic.ts";
import { MAX_RECIPE_LENGTH } from "../../dsl/limits.ts";
import { parse } from "../../dsl/parse.ts";
import type { CompilerHost } from "../checkpoint.ts";
import { evaluate } from "./evaluate.ts";
import { evaluateDeclaration } from "./evaluate-declaration.ts";
import { POISON, type Result } from "./kinds.ts";
import { type DeclaringStatement, declareNames, type Scope, type Suggest } from "./names.ts";
import { evaluateInput, type ParsedInput } from "./parameter-inputs.ts";
import { evaluateParameter, expectationOf, reportUnknownOverride } from "./parameters.ts";
import { referencesIn, referencesOf } from "./references.ts";
import { orderOfEvaluation } from "./resolve-order.ts";
import { listMembers } from "./sources.ts";
import { DTYPE_WORDS } from "../settings.ts";

/** What all files of one analysis share. */
export interface Analysis {
  readonly host: CompilerHost;
  readonly report: Report;
  readonly suggest: Suggest;
  /** By name, `lib.` included. */
  readonly lists: Map<string, readonly string[]>;
  imported: number;
  /** UTF-16 units of all imported files; one that is imported twice counts twice. */
  importedText: number;
}

/** Deeper chains of imports, and more imported files, than anyone needs; they bound what a hostile recipe costs. */
const MOST_OPEN_FILES = 32;
const MOST_IMPORTS = 1000;
const MOST_IMPORTED_TEXT = 4 * MAX_RECIPE_LENGTH;

interface FileUnderAnalysis {
  readonly recipe: Recipe;
  readonly directory: string;
  readonly prefix: string;
  /** Values for parameters from outside the file. */
  readonly inputs: ReadonlyMap<string, ParsedInput>;
  /** Absolute paths of the files that are being imported, the outermost first. */
  readonly open: readonly string[];
}

interface AnalysedFile {
  readonly scope: Scope;
  /** Names that some statement mentions. */
  readonly mentioned: ReadonlySet<string>;
}

export function analyseFile(file: FileUnderAnalysis, analysis: Analysis): AnalysedFile {
  const { recipe, inputs } = file;
  const { report } = analysis;
  const declarations = declareNames(recipe, report);
  const scope: Scope = {
    directory: file.directory,
    prefix: file.prefix,
    declarations,
    values: new Map(),
    imports: new Map(),
    faults: recipe.faults ?? [],
    report,
    suggest: analysis.suggest,
  };
  for (const { text } of recipe.brokenNames ?? []) if (!declarations.has(text)) scope.values.set(text, POISON);

  const mentioned = new Set<string>();
  const needs = new Map<string, readonly Name[]>();
  for (const statement of recipe.statements) {
    const references = [...referencesOf(statement, declarations)];
    if (statement.kind === "param") {
      const input = inputs.get(statement.name.text);
      const words = statement.type.text === "dtype" ? DTYPE_WORDS : [];
      if (input?.kind === "expression") {
        for (const name of referencesIn(input.expression, words, declarations)) references.push(name);
      }
    }
    for (const { text } of references) mentioned.add(text);
    if (statement.kind === "output" || statement.kind === "expect") continue;
    if (declarations.get(statement.name.text) === statement) needs.set(statement.name.text, references);
  }
  const { names, cyclic } = orderOfEvaluation(declarations, needs, report);
  for (const name of cyclic) {
    if (declarations.get(name)!.kind === "import") scope.imports.set(name, undefined);
    else scope.values.set(name, POISON);
  }
  for (const name of names) {
    const statement = declarations.get(name)!;
    if (statement.kind === "import") {
      if (!cyclic.has(name)) scope.imports.set(name, evaluateImport(statement, file, scope, analysis));
      continue;
    }
    const value = evaluateStatement(statement, inputs, scope, analysis);
    if (!cyclic.has(name)) scope.values.set(name, value);
  }
  return { scope, mentioned };
}

function evaluateStatement(
  statement: Exclude<DeclaringStatement, ImportStatement>,
  inputs: ReadonlyMap<string, ParsedInput>,
  scope: Scope,
  analysis: Analysis,
): Result {
  if (statement.kind === "param") {
    const input = inputs.get(statement.name.text);
    const override = input === undefined ? undefined : evaluateInput(input, statement, scope);
    return evaluateParameter(statement, override, scope);
  }
  if (statement.kind === "models") {
    const nodes = listMembers(statement, analysis.host, scope);
    if (nodes === undefined) return POISON;
    analysis.lists.set(
      scope.prefix + statement.name.text,
      nodes.map(({ display }) => display),
    );
    return { kind: "models", nodes };
  }
  return evaluateDeclaration(statement, scope);
}

/** The imported file's names; undefined when it could not be read, which was reported. */
function evaluateImport(
  statement: ImportStatement,
  importer: FileUnderAnalysis,
  scope: Scope,
  analysis: Analysis,
): Scope | undefined {
  const { report, host } = analysis;
  const { span } = statement.path;
  const path = resolve(scope.directory, statement.path.value);
  const at = importer.open.indexOf(path);
  if (at !== -1) {
    const files = [...importer.open.slice(at), path].map((each) => basename(each));
    report({
      code: "import-cycle",
      severity: "error",
      message: `this file imports itself: ${files.join(" -> ")}`,
      span,
    });
    return undefined;
  }
  if (importer.open.length >= MOST_OPEN_FILES || ++analysis.imported > MOST_IMPORTS) {
    report({
      code: "too-many-imports",
      severity: "error",
      message: `imports go at most ${MOST_OPEN_FILES} files deep, and at most ${MOST_IMPORTS} files in all`,
      span,
    });
    return undefined;
  }
  const read = host.readRecipe(path);
  if ("kind" in read) {
    const { code, message, help } = read;
    report({ code, severity: "error", subject: "input", message, span, ...(help === undefined ? {} : { help }) });
    return undefined;
  }
  analysis.importedText += read.text.length;
  if (analysis.importedText > MOST_IMPORTED_TEXT) {
    report({
      code: "too-many-imports",
      severity: "error",
      message: `imported files have at most ${MOST_IMPORTED_TEXT / 1024 / 1024} MiB of text in all, each counted as often as it is imported`,
      span,
    });
    return undefined;
  }
  const source = { path: displayPath(statement), directory: dirname(path), text: read.text };
  const { recipe, diagnostics } = parse(source);
  diagnostics.forEach(report);
  const inputs = importArguments(statement, recipe, scope);
  const prefix = `${scope.prefix}${statement.name.text}.`;
  const file = { recipe, directory: source.directory, prefix, inputs, open: [...importer.open, path] };
  return analyseFile(file, analysis).scope;
}

/** The imported file's path as diagnostics print it: beside the importing file's own. */
function displayPath({ path }: ImportStatement): string {
  if (path.value.startsWith("/")) return path.value;
  const folder = dirname(path.span.source.path);
  return folder === "." ? path.value : `${folder}/${path.value}`;
}

/** `as lib(density: 0.2)`: values for the imported file's parameters, computed where the import stands. */
function importArguments(statement: ImportStatement, recipe: Recipe, scope: Scope): Map<string, ParsedInput> {
  const inputs = new Map<string, ParsedInput>();
  const parameters = new Map<string, ParamStatement>();
  for (const each of recipe.statements) {
    if (each.kind === "param" && !parameters.has(each.name.text)) parameters.set(each.name.text, each);
  }
  for (const { label, value, span } of statement.arguments) {
    if (label?.kind !== "name") {
      scope.report({
        code: "unlabelled-argument",
        severity: "error",
        message: "an import takes values for parameters by name",
        span,
        help: `write ${statement.name.text}(density: 0.2)`,
      });
      continue;
    }
    const parameter = parameters.get(label.text);
    if (parameter === undefined) {
      reportUnknownOverride(label.text, new Set(parameters.keys()), statement.name.text, label.span, scope);
    } else if (inputs.has(label.text)) {
      scope.report({
        code: "duplicate-parameter",
        severity: "error",
        message: `${label.text} is given twice`,
        span: label.span,
      });
    } else {
      const result = evaluate(value, scope, expectationOf(parameter));
      inputs.set(label.text, { kind: "value", value: result, span: value.span });
    }
  }
  return inputs;
}
