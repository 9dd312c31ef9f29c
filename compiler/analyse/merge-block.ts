// The block form of a merge. It means exactly `B + S(v1 & k1, v2, weight: [w1, …])`, or `S(e1, e2, weight: […])` without
// a base; this file builds the arguments and strategies.ts does the rest.

import type { Expression, MergeBlockBody, MergeStatement } from "../../dsl/ast.ts";
import type { Span } from "../../dsl/source.ts";
import { checkAtBlocks, checkEach } from "./checks/at-never-wins.ts";
import { baseOf } from "../graph-walk.ts";
import { evaluate } from "./evaluate.ts";
import {
  describeKind,
  type ModelResult,
  POISON,
  type Result,
  type StrategyResult,
  type VectorResult,
} from "./kinds.ts";
import { applyMask, chooseMask, selectorMask, everyTensor } from "./masks.ts";
import { readClauses, type ReadClauses } from "./merge-clauses.ts";
import { entryKeys, type ReadAt, readAt, readEntry, type ReadEntry } from "./merge-entries.ts";
import type { Input, PerInputValues } from "./method-arguments.ts";
import type { MethodRow } from "../methods/method-row.ts";
import { commonPerInputParameters, maskExample, METHODS } from "../methods/method-table.ts";
import { baseName, hasFault, type Scope } from "./names.ts";
import { ownWords } from "./own-words.ts";
import type { ModelNode, NumberValue, Selector, VectorNode } from "../recipe-graph.ts";
import { applyStrategy } from "./strategies.ts";
import { stackHelp, takesInstead, wrongKind } from "./wrong-kind.ts";

/** A Model, or poison. */
export function evaluateMergeBlock(statement: MergeStatement, body: MergeBlockBody, scope: Scope): Result {
  const base = readBase(body, scope);
  const strategy = readStrategy(statement, body, scope);
  const isOntoBase = body.onto !== undefined;
  const keys = entryKeys(body);
  const entries: (ReadEntry | undefined)[] = [];
  const ats: (ReadAt | undefined)[] = [];
  for (const item of body.items) {
    if (item.kind === "each") {
      if (item.clauses.length === 0) reportEmptyEach(item.span, scope);
    } else if (item.kind === "entry") entries.push(readEntry(item, base, isOntoBase, strategy, scope));
    else ats.push(readAt(item, keys, isOntoBase, strategy, scope));
  }
  const common = body.items.flatMap((item) => (item.kind === "each" ? item.clauses : []));
  const each = readClauses(common, strategy, isOntoBase, scope);
  if (entries.length === 0 && !hasFault(scope, body.span)) {
    scope.report({
      code: "empty-merge",
      severity: "error",
      message: `${statement.name.text} merges nothing; its block has no entries`,
      span: statement.name.span,
      help: "name a model or a vector on a line of its own",
    });
  }
  const soundEntries = entries.filter((entry) => entry !== undefined);
  const soundAts = ats.filter((at) => at !== undefined);
  if (soundAts.length === ats.length) checkAtBlocks(soundAts, scope.report);
  if (soundEntries.length === entries.length) checkEach(each, soundEntries, scope.report);
  const isSound =
    entries.length > 0 &&
    soundEntries.length === entries.length &&
    soundAts.length === ats.length &&
    each.isSound &&
    soundEntries.every(({ clauses }) => clauses.isSound);
  if (!isSound || strategy === undefined || (isOntoBase && base === undefined)) return POISON;

  const merged = mergeEntries(soundEntries, soundAts, each, strategy, body.using!.span, scope);
  let node: ModelNode;
  if (merged.kind === "model") node = merged.node;
  else if (merged.kind === "vector" && base !== undefined) {
    node = { kind: "onto", base: base.node, vector: laidOnto(merged.node, base.node), span: statement.span };
  } else {
    // Methods that do both, such as nuslerp, merge vectors when the entries are vectors.
    if (merged.kind === "vector")
      reportMissingBase("the result of these entries is a vector", statement, body.using!.span, scope);
    return POISON;
  }
  const arms = soundAts.flatMap(({ selector, keep }) =>
    keep === undefined ? [] : [{ selector, value: keep, at: true as const }],
  );
  if (arms.length > 0) node = { kind: "model-choice", arms, otherwise: node, span: statement.span };
  return { kind: "model", node };
}

/** Says what a vector is laid onto where it was taken from another base. */
function laidOnto(vector: VectorNode, base: ModelNode): VectorNode {
  return vector.kind !== "vector-method" || baseOf(vector) === base ? vector : { ...vector, onto: base };
}

function reportEmptyEach(span: Span, scope: Scope): void {
  if (hasFault(scope, span)) return;
  scope.report({
    code: "each-states-nothing",
    severity: "error",
    message: "each states no clause",
    span,
    help: "for example each weight 0.5",
  });
}

function readBase({ onto }: MergeBlockBody, scope: Scope): ModelResult | undefined {
  if (onto === undefined) return undefined;
  const base = evaluate(onto, scope);
  if (base.kind === "model") return base;
  if (base.kind !== "poison") scope.report(takesInstead("onto", "a model", base, onto.span));
  return undefined;
}

/** A mask of the table, which may lack what it needs: that it is no strategy is to be said first. */
function maskOfTable(using: Expression, { values, declarations }: Scope): MethodRow | undefined {
  const name = using.kind === "call" ? using.callee : using;
  if (name.kind !== "name" || values.has(name.text) || declarations.has(name.text)) return undefined;
  const row = METHODS.get(name.text);
  return row?.maps === "mask" ? row : undefined;
}

function reportMask(using: Expression, mask: string, { report }: Scope): void {
  const help = `write using sum or using ties, and in the block each mask ${mask}`;
  report(wrongKind("using takes a strategy, not a mask", using.span, help));
}

function helpForUsing({ kind }: Result): string | undefined {
  return kind === "model" || kind === "vector" ? "the inputs are the entries of the block" : undefined;
}

function readStrategy(
  statement: MergeStatement,
  { using, onto }: MergeBlockBody,
  scope: Scope,
): StrategyResult | undefined {
  if (using === undefined) {
    scope.report({
      code: "missing-strategy",
      severity: "error",
      message: `${statement.name.text} does not say how its entries are merged`,
      span: statement.name.span,
      help: onto === undefined ? "write using linear" : "write using sum, or using ties",
    });
    return undefined;
  }
  const mask = maskOfTable(using, scope);
  if (mask !== undefined) {
    reportMask(using, using.kind === "name" ? maskExample(mask) : ownWords(using.span, "…"), scope);
    return undefined;
  }
  const strategy = evaluate(using, scope);
  if (strategy.kind === "poison") return undefined;
  if (strategy.kind === "mask") {
    reportMask(using, ownWords(using.span, "…"), scope);
    return undefined;
  }
  if (strategy.kind !== "strategy") {
    scope.report(takesInstead("using", "a strategy", strategy, using.span, helpForUsing(strategy)));
    return undefined;
  }
  const row = strategy.methods[0]!;
  if (row.maps === "vectors" && onto === undefined) {
    reportMissingBase(`${row.name} merges vectors`, statement, using.span, scope);
    return undefined;
  }
  if (row.maps === "models" && onto !== undefined) {
    scope.report({
      code: "base-not-used",
      severity: "error",
      message: `${row.name} merges models and has no base`,
      span: onto.span,
      help: helpWithoutBase(row.name),
    });
    return undefined;
  }
  return strategy;
}

/** mergekit asks for a base model in slerp, where it is the first of the two. */
function helpWithoutBase(method: string): string {
  if (method === "slerp") return "leave out onto, and name the base as the first entry; of vectors: using nuslerp";
  return `leave out onto, or merge vectors: using ${method === "linear" ? "mean" : "sum"}`;
}

function reportMissingBase(why: string, { name }: MergeStatement, using: Span, scope: Scope): void {
  const method = using.source.text.slice(using.start, using.end);
  scope.report({
    code: "missing-base",
    severity: "error",
    message: `${why}, so this merge needs a base`,
    span: using,
    help: `write merge ${name.text} onto ${baseName(scope)} using ${method}`,
  });
}

/** One input for each member of each entry, with the clauses that hold for it. */
function mergeEntries(
  entries: readonly ReadEntry[],
  ats: readonly ReadAt[],
  each: ReadClauses,
  strategy: StrategyResult,
  span: Span,
  scope: Scope,
): Result {
  const inputs: Input[] = [];
  const stating = atsByEntry(ats);
  for (const entry of entries) {
    for (const value of entry.values) {
      inputs.push({
        value: value.kind === "vector" ? masked(value, inputs.length, entry, stating, each, scope) : value,
        span: entry.span,
      });
    }
  }
  const perInput = new Map<string, PerInputValues>();
  for (const { name, default: value } of commonPerInputParameters(strategy.methods)) {
    const values = entries.flatMap((entry) => {
      const number = numberClause(name, { kind: "constant", value }, entry, stating, each);
      return new Array<NumberValue>(entry.values.length).fill(number);
    });
    perInput.set(name, { kind: "list", values, span });
  }
  return applyStrategy(strategy, inputs, perInput, span, scope);
}

/** What `at` blocks state, by the key of the entry that they speak of, in order. */
type Stating = ReadonlyMap<string, readonly { readonly selector: Selector; readonly clauses: ReadClauses }[]>;

function atsByEntry(ats: readonly ReadAt[]): Stating {
  const byEntry = new Map<string, { readonly selector: Selector; readonly clauses: ReadClauses }[]>();
  for (const { selector, entries } of ats) {
    for (const [key, clauses] of entries) {
      const known = byEntry.get(key);
      if (known === undefined) byEntry.set(key, [{ selector, clauses }]);
      else known.push({ selector, clauses });
    }
  }
  return byEntry;
}

/** The first `at` that takes the tensor and states the clause, else the entry, else `each`, else the default. */
function numberClause(
  name: string,
  byDefault: NumberValue,
  entry: ReadEntry,
  stating: Stating,
  each: ReadClauses,
): NumberValue {
  const otherwise = entry.clauses.numbers.get(name) ?? each.numbers.get(name) ?? byDefault;
  const arms = (stating.get(entry.key) ?? []).flatMap(({ selector, clauses }) => {
    const value = clauses.numbers.get(name);
    return value === undefined ? [] : [{ selector, value, at: true as const }];
  });
  return arms.length === 0 ? otherwise : { kind: "match", arms, otherwise, span: entry.span };
}

function masked(
  vector: VectorResult,
  stream: number,
  entry: ReadEntry,
  stating: Stating,
  each: ReadClauses,
  scope: Scope,
): Result {
  const otherwise = entry.clauses.mask ?? each.mask;
  const arms = (stating.get(entry.key) ?? []).flatMap(({ selector, clauses: { mask: value } }) => {
    return value === undefined ? [] : [{ selector, value, at: true as const }];
  });
  if (arms.length === 0) return otherwise === undefined ? vector : applyMask(vector, otherwise, stream, entry.span);
  const unmasked = selectorMask(everyTensor(entry.span), entry.span);
  const mask = chooseMask(arms, otherwise ?? unmasked, entry.span, scope.report);
  if (mask.kind === "poison") return mask;
  return applyMask(vector, mask, stream, entry.span);
}

/** Why a merge that is not a model was refused. */
export function reportMergeKind(name: string, value: Result, span: Span, scope: Scope): void {
  scope.report(
    takesInstead(
      `merge ${name}`,
      "a model",
      value,
      span,
      value.kind === "vector"
        ? `write vector ${name} = …, or merge ${name} = ${baseName(scope)} + ${ownWords(span, describeKind(value))}`
        : stackHelp(value, span),
    ),
  );
}
