// The names of one file: one name space, every name declared once. Values are filled in later, in an order in which
// everything a declaration needs is there before it (resolve-order.ts).

import type { ExpectStatement, Name, OutputStatement, Recipe, Statement } from "../../dsl/ast.ts";
import type { Diagnostic, Report } from "../../dsl/diagnostic.ts";
import { didYouMean } from "../../dsl/did-you-mean.ts";
import { MAX_DIAGNOSTICS } from "../../dsl/limits.ts";
import type { Span } from "../../dsl/source.ts";
import { POISON, type Result } from "./kinds.ts";
import { METHODS } from "../methods/method-table.ts";
import { NAMES_ELSEWHERE } from "../methods/names-elsewhere.ts";

export type DeclaringStatement = Exclude<Statement, ExpectStatement | OutputStatement>;

/** One file under analysis. `values` and `imports` grow while its declarations are evaluated. */
export interface Scope {
  /** Absolute; relative paths written in the file start here. */
  readonly directory: string;
  /** What the root recipe writes before the names of this file: "" or "lib.". */
  readonly prefix: string;
  readonly declarations: ReadonlyMap<string, DeclaringStatement>;
  readonly values: Map<string, Result>;
  readonly imports: Map<string, Scope | undefined>;
  /** Where the parser found errors; what seems to be missing there may only be broken. */
  readonly faults: readonly Span[];
  readonly report: Report;
  readonly suggest: Suggest;
}

/** The name that was probably meant; see `suggestions`. */
export type Suggest = (word: string, candidates: Iterable<string>) => string | undefined;

/** Comparing one name with ten thousand takes a while, so only as many mistakes get a suggestion as are printed. */
export function suggestions(): Suggest {
  let left = MAX_DIAGNOSTICS;
  return (word, candidates) => (left-- > 0 ? didYouMean(word, candidates) : undefined);
}

/** Collects the declarations; a second one of a name is reported and the first one stands. */
export function declareNames(recipe: Recipe, report: Report): Map<string, DeclaringStatement> {
  const declarations = new Map<string, DeclaringStatement>();
  for (const statement of recipe.statements) {
    if (statement.kind === "output" || statement.kind === "expect") continue;
    const { text, span } = statement.name;
    const first = declarations.get(text);
    if (first !== undefined) {
      report({
        code: "duplicate-name",
        severity: "error",
        message: `${text} is declared twice`,
        span,
        notes: [{ message: "the first declaration", span: first.name.span }],
      });
      continue;
    }
    declarations.set(text, statement);
    if (METHODS.has(text)) {
      report({
        code: "hides-method",
        severity: "warning",
        message: `this ${statement.kind} hides the method ${text}`,
        span,
        help: "give it another name",
      });
    }
  }
  return declarations;
}

/** Whether a line inside the span is broken. */
export function hasFault({ faults }: Scope, span: Span): boolean {
  return faults.some(({ source, start }) => source === span.source && start >= span.start && start <= span.end);
}

/** The value of a name, or poison when there is none, which is then reported; `help`: where no other name is like it. */
export function lookUp(name: Name, scope: Scope, help?: string): Result {
  const value = scope.values.get(name.text);
  if (value !== undefined) return value;
  const declaration = scope.declarations.get(name.text);
  if (declaration?.kind === "import") {
    scope.report({
      code: "wrong-kind",
      severity: "error",
      message: `${name.text} is an imported file, not a value`,
      span: name.span,
      help: `write ${name.text}. and a name that it declares`,
    });
    return POISON;
  }
  reportUnknown(name.text, name.span, namesAndMethods(scope), scope, { help });
  return POISON;
}

/** `lib.x` */
export function lookUpMember(object: Name, member: Name, scope: Scope): Result {
  const declaration = scope.declarations.get(object.text);
  if (declaration === undefined) {
    // A broken statement would have declared it.
    if (scope.values.has(object.text)) return POISON;
    reportUnknown(object.text, object.span, importNames(scope), scope);
    return POISON;
  }
  if (declaration.kind !== "import") {
    scope.report({
      code: "wrong-kind",
      severity: "error",
      message: `${object.text} is a ${declaration.kind}; only an imported file has members`,
      span: object.span,
    });
    return POISON;
  }
  const file = scope.imports.get(object.text);
  if (file === undefined) return POISON;
  const value = file.values.get(member.text);
  if (value !== undefined) return value;
  if (file.declarations.get(member.text)?.kind === "import") {
    scope.report({
      code: "wrong-kind",
      severity: "error",
      message: `${member.text} is imported by ${object.text}; names reach one level into an import`,
      span: member.span,
      help: `import the file of ${member.text} here`,
    });
    return POISON;
  }
  reportUnknown(member.text, member.span, file.declarations.keys(), scope, { where: ` in ${object.text}` });
  return POISON;
}

/** What help calls the base: the first one that the file declares. */
export function baseName({ declarations }: Scope): string {
  for (const [name, statement] of declarations) {
    if (statement.kind === "model" && statement.word === "base") return name;
  }
  return "base";
}

// Candidates are asked for one by one: of many mistakes only the first get a suggestion.

function* namesAndMethods({ declarations }: Scope): Generator<string> {
  yield* declarations.keys();
  yield* METHODS.keys();
}

function* importNames({ declarations }: Scope): Generator<string> {
  for (const [name, { kind }] of declarations) if (kind === "import") yield name;
}

/** `unknown-name`, with the nearest of the candidates as a suggestion, else with `help`. */
function reportUnknown(
  text: string,
  span: Span,
  candidates: Iterable<string>,
  scope: Scope,
  { where = "", help }: { readonly where?: string; readonly help?: string | undefined } = {},
): void {
  scope.report({
    code: "unknown-name",
    severity: "error",
    message: `nothing${where} is named ${text}`,
    span,
    ...(help === undefined ? {} : { help }),
    ...helpForUnknown(text, span, candidates, scope),
  });
}

/** What is probably meant by a name that nothing has: what it is called here, else the nearest of the candidates. */
export function helpForUnknown(
  text: string,
  span: Span,
  candidates: Iterable<string>,
  { suggest }: Scope,
): Pick<Diagnostic, "help" | "edit"> {
  const here = NAMES_ELSEWHERE.get(text);
  if (here !== undefined) return { help: here };
  const near = suggest(text, candidates);
  return near === undefined ? {} : { help: `did you mean ${near}?`, edit: { span, text: near } };
}
