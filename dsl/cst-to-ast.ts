// One parsed line of the CST to its node of the AST; this file and cst-to-expression.ts are the only ones that see the
// CST. The lines of a block arrive through `context.readLines`, which parses them with the rule asked for.

import type { CstNode, IToken } from "chevrotain";
import type * as ast from "./ast.ts";
import type * as cst from "./cst-types.ts";
import { toArguments, toExpression, tokenSpan, toName, type ExpressionContext } from "./cst-to-expression.ts";
import type { LineRule } from "./grammar.ts";
import { stringLiteral } from "./literals.ts";
import { joinSpans, type Span } from "./source.ts";

export interface LineContext extends ExpressionContext {
  /** The healthy lines of a block, in source order; the broken ones have been reported. */
  readonly readLines: (block: IToken, rule: LineRule) => readonly CstNode[];
}

/** `rule` is the one that parsed `node`; lines of blocks are converted too, so that everything in them is checked. */
export function convertLine(context: LineContext, rule: LineRule, node: CstNode): void {
  switch (rule) {
    case "statementLine":
      toStatement(context, node as cst.StatementLineCstNode);
      return;
    case "mergeLine":
      toMergeItem(context, node as cst.MergeLineCstNode);
      return;
    case "clauseLine":
      toClauses(context, (node as cst.ClauseLineCstNode).children.clause);
      return;
    case "predicateLine":
      toPredicate(context, node as cst.PredicateLineCstNode);
      return;
    case "settingLine":
      toSetting(context, node as cst.SettingLineCstNode);
  }
}

// ------------------------------------------------------------------------------------------------------ statements

export function toStatement(
  context: LineContext,
  { children }: cst.StatementLineCstNode,
): ast.Statement | ast.VersionHeader {
  if (children.versionHeader) return toVersion(context, children.versionHeader[0]!.children);
  if (children.importStatement) return toImport(context, children.importStatement[0]!.children);
  if (children.paramStatement) return toParam(context, children.paramStatement[0]!.children);
  if (children.modelStatement) return toModel(context, children.modelStatement[0]!.children);
  if (children.modelsStatement) return toModels(context, children.modelsStatement[0]!.children);
  if (children.adapterStatement) return toAdapter(context, children.adapterStatement[0]!.children);
  if (children.vectorStatement) return toVector(context, children.vectorStatement[0]!.children);
  if (children.valueStatement) return toMaskOrStrategy(context, children.valueStatement[0]!.children);
  if (children.mergeStatement) return toMerge(context, children.mergeStatement[0]!.children);
  if (children.expectStatement) return toExpect(context, children.expectStatement[0]!.children);
  return toOutput(context, children.outputStatement![0]!.children);
}

function toVersion(context: LineContext, { Theta, NumberLiteral }: cst.VersionHeaderCstChildren): ast.VersionHeader {
  const number = NumberLiteral[0]!;
  return { kind: "version", span: spanOf(context, Theta, NumberLiteral), version: Number.parseFloat(number.image) };
}

function toImport(context: LineContext, children: cst.ImportStatementCstChildren): ast.ImportStatement {
  const path = stringLiteral(context, children.StringLiteral[0]!);
  const name = toName(context, children.Name[0]!);
  const call = children.arguments?.[0];
  return {
    kind: "import",
    span: spanOf(context, children.Import, children.Name, call?.children.RParen),
    path,
    name,
    arguments: call ? toArguments(context, call) : [],
  };
}

function toParam(context: LineContext, children: cst.ParamStatementCstChildren): ast.ParamStatement {
  const call = children.arguments?.[0];
  const start = children.expression && toExpression(context, children.expression[0]!);
  return {
    kind: "param",
    span: spanOf(context, children.Param, children.type, call?.children.RParen, start),
    name: toName(context, children.name[0]!),
    type: toName(context, children.type[0]!),
    typeArguments: call ? toArguments(context, call) : [],
    ...(start ? { default: start } : {}),
  };
}

function toModel(context: LineContext, children: cst.ModelStatementCstChildren): ast.ModelStatement {
  const source = toExpression(context, children.source[0]!);
  const revision = toRevision(context, children.revision);
  return {
    kind: "model",
    span: spanOf(context, children.word, source, revision, children.Block),
    word: children.word![0]!.image as "base" | "model",
    name: toName(context, children.Name[0]!),
    source,
    ...(revision ? { revision } : {}),
    exceptions: toSettings(context, children.Block),
  };
}

function toModels(context: LineContext, children: cst.ModelsStatementCstChildren): ast.ModelsStatement {
  const source = toExpression(context, children.source[0]!);
  return {
    kind: "models",
    span: spanOf(context, children.Models, source, children.Block),
    name: toName(context, children.Name[0]!),
    source,
    exceptions: toSettings(context, children.Block),
  };
}

function toAdapter(context: LineContext, children: cst.AdapterStatementCstChildren): ast.AdapterStatement {
  const revision = toRevision(context, children.revision);
  const on = toExpression(context, children.on[0]!);
  return {
    kind: "adapter",
    span: spanOf(context, children.Adapter, on, children.Block),
    name: toName(context, children.Name[0]!),
    source: toExpression(context, children.source[0]!),
    ...(revision ? { revision } : {}),
    on,
    exceptions: toSettings(context, children.Block),
  };
}

function toRevision(context: LineContext, nodes: cst.RevisionCstNode[] | undefined): ast.Expression | undefined {
  return nodes && toExpression(context, nodes[0]!.children.expression[0]!);
}

function toVector(context: LineContext, children: cst.VectorStatementCstChildren): ast.VectorStatement {
  const value = toExpression(context, children.value[0]!);
  const on = children.on && toExpression(context, children.on[0]!);
  return {
    kind: "vector",
    span: spanOf(context, children.Vector, value, on, children.Block),
    name: toName(context, children.Name[0]!),
    value,
    ...(on ? { on } : {}),
    exceptions: toSettings(context, children.Block),
  };
}

function toMaskOrStrategy(
  context: LineContext,
  children: cst.ValueStatementCstChildren,
): ast.MaskStatement | ast.StrategyStatement {
  const value = toExpression(context, children.expression[0]!);
  return {
    kind: children.word![0]!.image as "mask" | "strategy",
    span: spanOf(context, children.word, value),
    name: toName(context, children.Name[0]!),
    value,
  };
}

function toMerge(context: LineContext, children: cst.MergeStatementCstChildren): ast.MergeStatement {
  const name = toName(context, children.Name[0]!);
  const value = children.value && toExpression(context, children.value[0]!);
  const body: ast.MergeStatement["body"] = value
    ? { kind: "merge-expression", value }
    : toMergeBlock(context, children.mergeBlock![0]!.children);
  const end = body.kind === "merge-block" ? body : body.value;
  return { kind: "merge", span: spanOf(context, children.Merge, end), name, body };
}

function toMergeBlock(context: LineContext, children: cst.MergeBlockCstChildren): ast.MergeBlockBody {
  const onto = children.onto && toExpression(context, children.onto[0]!);
  const using = children.using && toExpression(context, children.using[0]!);
  return {
    kind: "merge-block",
    span: spanOf(context, children.Onto, children.Using, children.Block),
    ...(onto ? { onto } : {}),
    ...(using ? { using } : {}),
    items: mergeItems(context, children.Block[0]!),
  };
}

function toExpect(context: LineContext, children: cst.ExpectStatementCstChildren): ast.ExpectStatement {
  const lines = context.readLines(children.Block[0]!, "predicateLine") as cst.PredicateLineCstNode[];
  return {
    kind: "expect",
    span: spanOf(context, children.Expect, children.Block),
    target: toExpression(context, children.expression[0]!),
    predicates: lines.map((line) => toPredicate(context, line)),
  };
}

function toPredicate(context: LineContext, { children }: cst.PredicateLineCstNode): ast.Predicate {
  const metric = toExpression(context, children.metric[0]!);
  const bound = children.bound && toExpression(context, children.bound[0]!);
  const operator = children.Comparison?.[0]?.image as "<" | "<=" | ">" | ">=";
  return {
    kind: "predicate",
    span: spanOf(context, children.Each, metric, bound),
    each: children.Each !== undefined,
    metric,
    ...(bound ? { comparison: { operator, bound } } : {}),
  };
}

function toOutput(context: LineContext, children: cst.OutputStatementCstChildren): ast.OutputStatement {
  const value = toExpression(context, children.value[0]!);
  return {
    kind: "output",
    span: spanOf(context, children.Output, value, children.Block),
    path: toExpression(context, children.path[0]!),
    value,
    settings: toSettings(context, children.Block),
  };
}

// ---------------------------------------------------------------------------------------------------------- blocks

function toSettings(context: LineContext, block: readonly IToken[] | undefined): readonly ast.Setting[] {
  if (!block) return [];
  const lines = context.readLines(block[0]!, "settingLine") as cst.SettingLineCstNode[];
  return lines.map((line) => toSetting(context, line));
}

function toSetting(context: LineContext, { children }: cst.SettingLineCstNode): ast.Setting {
  const value = toExpression(context, children.expression[0]!);
  return {
    kind: "setting",
    span: spanOf(context, children.Name, value),
    name: toName(context, children.Name[0]!),
    value,
  };
}

function mergeItems(context: LineContext, block: IToken): readonly ast.MergeItem[] {
  const lines = context.readLines(block, "mergeLine") as cst.MergeLineCstNode[];
  return lines.map((line) => toMergeItem(context, line));
}

function toMergeItem(context: LineContext, { children }: cst.MergeLineCstNode): ast.MergeItem {
  if (children.eachClauses) return toEach(context, children.eachClauses[0]!.children);
  if (children.atBlock) return toAt(context, children.atBlock[0]!.children);
  const entry = children.entry![0]!.children;
  const value = toExpression(context, entry.expression[0]!);
  const clauses = toClauses(context, entry.clause, entry.Block);
  return { kind: "entry", span: spanOf(context, value, ...clauses, entry.Block), value, clauses };
}

function toEach(context: LineContext, { Each, clause, Block }: cst.EachClausesCstChildren): ast.EachClauses {
  const clauses = toClauses(context, clause, Block);
  if (clauses.length === 0 && !Block) {
    context.report({
      code: "expected-token",
      severity: "error",
      message: "expected a clause such as `weight 0.5` behind `each`",
      span: spanOf(context, Each),
    });
  }
  return { kind: "each", span: spanOf(context, Each, ...clauses, Block), clauses };
}

/** The clauses behind an entry on its line, then those of its `{ }`. */
function toClauses(
  context: LineContext,
  inline: readonly cst.ClauseCstNode[] = [],
  block?: readonly IToken[],
): readonly ast.Clause[] {
  const lines = block ? (context.readLines(block[0]!, "clauseLine") as cst.ClauseLineCstNode[]) : [];
  return [...inline, ...lines.flatMap((line) => line.children.clause)].map(({ children }) => {
    const value = toExpression(context, children.expression[0]!);
    const name = toName(context, children.Name[0]!);
    return { kind: "clause", span: joinSpans(name.span, value.span), name, value };
  });
}

function toAt(context: LineContext, { At, selector, keep, Block }: cst.AtBlockCstChildren): ast.AtBlock {
  const selectors = selector.map((node) => toExpression(context, node));
  const body = keep ? toKeep(context, keep[0]!.children) : toEntries(context, Block![0]!);
  return { kind: "at", span: joinSpans(spanOf(context, At), body.span), selectors, body };
}

function toKeep(context: LineContext, { Keep, expression }: cst.KeepCstChildren): ast.KeepBody {
  const value = toExpression(context, expression[0]!);
  return { kind: "keep", span: spanOf(context, Keep, value), value };
}

function toEntries(context: LineContext, block: IToken): ast.EntriesBody {
  const entries: ast.Entry[] = [];
  for (const item of mergeItems(context, block)) {
    if (item.kind === "entry") entries.push(item);
    else reportInsideAt(context, item);
  }
  return { kind: "entries", span: tokenSpan(context, block), entries };
}

function reportInsideAt(context: LineContext, item: ast.EachClauses | ast.AtBlock): void {
  context.report({
    code: "not-inside-at",
    severity: "error",
    message: `an \`at\` block holds entries only, no \`${item.kind}\``,
    span: { ...item.span, end: item.span.start + item.kind.length },
    help: item.kind === "at" ? "join the selectors with `&` in a block of their own" : "give each entry its clauses",
  });
}

// ----------------------------------------------------------------------------------------------------------- spans

type Piece = readonly IToken[] | { readonly span: Span } | undefined;

/** From the first of the pieces to the last that is there; they stand in source order. */
function spanOf(context: LineContext, ...pieces: readonly Piece[]): Span {
  const spans = pieces.flatMap((piece) => {
    if (piece === undefined) return [];
    return "span" in piece ? [piece.span] : piece.slice(0, 1).map((token) => tokenSpan(context, token));
  });
  return spans.reduce(joinSpans);
}
