// Text to tree and diagnostics: `parse` never throws, whatever the text, and reports every broken line of a file at once.

import type { CstNode, IToken } from "chevrotain";
import type { Expression, Name, Recipe, Statement, VersionHeader } from "./ast.ts";
import type { ExpressionCstNode, StatementLineCstNode } from "./cst-types.ts";
import { convertLine, toStatement, type LineContext } from "./cst-to-ast.ts";
import { toExpression, toName } from "./cst-to-expression.ts";
import type { Diagnostic, Report } from "./diagnostic.ts";
import { RecipeParser, type LineRule } from "./grammar.ts";
import { logicalLines, type Block, type LogicalLine } from "./logical-lines.ts";
import { endOf, isName, tokenize } from "./lexical-pass.ts";
import { MAX_DIAGNOSTICS, MAX_RECIPE_LENGTH } from "./limits.ts";
import { syntaxDiagnostic } from "./parse-messages.ts";
import type { Source, Span } from "./source.ts";
import * as t from "./tokens.ts";
import { checkVersion } from "./version-header.ts";

interface ParseResult {
  readonly recipe: Recipe;
  /** In the order of the text. */
  readonly diagnostics: readonly Diagnostic[];
}

/** `recipe` holds every statement that is healthy; without an error among the diagnostics it is the whole file. */
export function parse(source: Source): ParseResult {
  const span = { source, start: 0, end: source.text.length };
  if (source.text.length > MAX_RECIPE_LENGTH) {
    return { recipe: { kind: "recipe", span, statements: [] }, diagnostics: [tooLarge(source)] };
  }
  const found: Diagnostic[] = [];
  const report: Report = (diagnostic) => found.push(diagnostic);

  const reader = new LineReader(source, report);
  const statements: (Statement | VersionHeader)[] = [];
  for (const line of logicalLines(source, tokenize(source, report), report)) {
    if (found.length > MAX_DIAGNOSTICS) break;
    const node = reader.read(line, "statementLine");
    if (node) statements.push(toStatement(reader.context, node as StatementLineCstNode));
  }

  const { version, diagnostics, isFatal } = checkVersion(source, statements, reader.hasBrokenVersion);
  const recipe: Recipe = {
    kind: "recipe",
    span,
    ...(version ? { version } : {}),
    statements: statements.filter((statement) => statement.kind !== "version"),
    brokenNames: reader.brokenNames,
    faults: found.flatMap(({ severity, span: place }) => (severity === "error" && place ? [place] : [])),
  };
  // Of a recipe in a newer language, what this parser does not understand is no news.
  return { recipe, diagnostics: isFatal ? diagnostics : inOrder(source, [...diagnostics, ...found]) };
}

/** The one expression that `place` holds, such as the value of an argument; undefined when an error was reported. */
export function parseExpression(place: Span, report: Report): Expression | undefined {
  const { source, start, end } = place;
  let isBroken = false;
  // The lexer is handed another text, with the same offsets.
  const reportAll: Report = (diagnostic) => {
    isBroken ||= diagnostic.severity === "error";
    report(diagnostic.span ? { ...diagnostic, span: { ...diagnostic.span, source } } : diagnostic);
  };
  const refuse = (code: "expected-value" | "unexpected-token" | "recipe-too-large", message: string): undefined => {
    reportAll({ code, severity: "error", message, span: place });
  };
  if (end - start > MAX_RECIPE_LENGTH) return refuse("recipe-too-large", "this value is too long");
  // Blanks in place of what stands before keep the offsets.
  const text = { ...source, text: " ".repeat(start) + source.text.slice(start, end) };
  const reader = new LineReader(source, reportAll);
  const lines = logicalLines(source, tokenize(text, reportAll), reportAll);
  if (isBroken) return undefined;
  if (lines.length === 0) return refuse("expected-value", "expected a value, found nothing");
  if (lines.length > 1) return refuse("unexpected-token", "a value is one expression on one line");
  const node = reader.read(lines[0]!, "expression");
  if (node === undefined) return undefined;
  const expression = toExpression(reader.context, node as ExpressionCstNode);
  return isBroken ? undefined : expression;
}

function tooLarge(source: Source): Diagnostic {
  const mebibytes = MAX_RECIPE_LENGTH / 1024 / 1024;
  const message = `this recipe has ${source.text.length} characters; a recipe has at most ${mebibytes} Mi`;
  return { code: "recipe-too-large", severity: "error", message, source };
}

function inOrder(source: Source, found: readonly Diagnostic[]): readonly Diagnostic[] {
  const sorted = found.toSorted((a, b) => (a.span?.start ?? 0) - (b.span?.start ?? 0));
  if (sorted.length <= MAX_DIAGNOSTICS) return sorted;
  const message = `more than ${MAX_DIAGNOSTICS} errors; the others are not shown`;
  return [...sorted.slice(0, MAX_DIAGNOSTICS), { code: "too-many-errors", severity: "error", message, source }];
}

/** One for the process: it takes longer to build than a recipe takes to parse. */
let parser: RecipeParser | undefined;

/** Parses the lines of one file. */
class LineReader {
  readonly #source: Source;
  readonly #report: Report;
  readonly #broken: Name[] = [];
  #hasBrokenVersion = false;
  readonly context: LineContext;

  constructor(source: Source, report: Report) {
    this.#source = source;
    this.#report = report;
    this.context = { source, report, readLines: (block, rule) => this.#readBlock(block, rule) };
  }

  get brokenNames(): readonly Name[] {
    return this.#broken;
  }

  get hasBrokenVersion(): boolean {
    return this.#hasBrokenVersion;
  }

  /** The line's tree if it is healthy; else its one error is reported, and those in its blocks. */
  read(line: LogicalLine, rule: LineRule | "expression"): CstNode | undefined {
    if (!line.isTooDeep) {
      parser ??= new RecipeParser({ skipValidations: true });
      parser.input = [...line.tokens];
      const node = parser[rule]() as CstNode | undefined;
      const error = parser.errors[0];
      if (!error) return node;
      if (!line.isReported) this.#report(syntaxDiagnostic(this.#source, error, endOf(line.tokens.at(-1)!)));
    }
    if (rule === "statementLine") this.#noteBrokenName(line);
    if (!line.isTooDeep) this.#checkBlocks(line, rule);
    return undefined;
  }

  #readBlock(block: IToken, rule: LineRule): readonly CstNode[] {
    const { lines } = block.payload as Block;
    return lines.map((line) => this.read(line, rule)).filter((node) => node !== undefined);
  }

  /** The line around is broken; the lines in its blocks may still have errors of their own. */
  #checkBlocks(line: LogicalLine, rule: LineRule | "expression"): void {
    const inner = ruleInside(line.tokens[0]!, rule);
    if (!inner) return;
    for (const token of line.tokens) {
      if (token.tokenType !== t.Block) continue;
      for (const node of this.#readBlock(token, inner)) convertLine(this.context, inner, node);
    }
  }

  /** What a broken statement would have declared, so that its uses are not reported as unknown. */
  #noteBrokenName({ tokens }: LogicalLine): void {
    const [word, second] = tokens;
    if (word!.tokenType === t.Theta) this.#hasBrokenVersion = true;
    const as = tokens.findIndex((token) => token.tokenType === t.As);
    const name = word!.tokenType === t.Import && as !== -1 ? tokens[as + 1] : second;
    if (name && isName(name) && isName(word)) this.#broken.push(toName(this.context, name));
  }
}

/** The rule for the lines of a block that stands in a line which begins with `first`. */
function ruleInside(first: IToken, rule: LineRule | "expression"): LineRule | undefined {
  if (rule === "mergeLine") return first.tokenType === t.At ? "mergeLine" : "clauseLine";
  if (rule !== "statementLine") return undefined;
  switch (first.tokenType) {
    case t.Merge:
      return "mergeLine";
    case t.Expect:
      return "predicateLine";
    case t.Base:
    case t.Model:
    case t.Models:
    case t.Adapter:
    case t.Vector:
    case t.Output:
      return "settingLine";
    default:
      return undefined;
  }
}
