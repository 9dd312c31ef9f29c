// Entries of a merge block and the `at` blocks that speak of them.

import type { AtBlock, Entry, Expression, MergeBlockBody } from "../../dsl/ast.ts";
import type { Span } from "../../dsl/source.ts";
import { checkBase } from "./checks/vector-base.ts";
import { keyOf } from "./entry-key.ts";
import { evaluate } from "./evaluate.ts";
import { takeSelector } from "./evaluate-selector.ts";
import {
  describeKind,
  isSameBase,
  modelName,
  type ModelResult,
  type Result,
  type StrategyResult,
  type VectorResult,
} from "./kinds.ts";
import { anyOf } from "./masks.ts";
import { readClauses, type ReadClauses } from "./merge-clauses.ts";
import { hasFault, type Scope } from "./names.ts";
import { ownWords } from "./own-words.ts";
import type { ModelNode, Selector } from "../recipe-graph.ts";
import { stackHelp, takesInstead, wrongKind } from "./wrong-kind.ts";

export interface ReadEntry {
  /** What `at` blocks find it by. */
  readonly key: string;
  /** One, or the members of a list. */
  readonly values: readonly (ModelResult | VectorResult)[];
  readonly clauses: ReadClauses;
  readonly span: Span;
}

/** Undefined when its value was reported; its clauses have been checked all the same. */
export function readEntry(
  entry: Entry,
  base: ModelResult | undefined,
  isOntoBase: boolean,
  strategy: StrategyResult | undefined,
  scope: Scope,
): ReadEntry | undefined {
  const { span } = entry.value;
  const value = evaluate(entry.value, scope);
  const clauses = readClauses(entry.clauses, strategy, isOntoBase, scope);
  const members: readonly Result[] =
    value.kind === "models" ? value.nodes.map((node) => ({ kind: "model", node })) : [value];
  const values: (ModelResult | VectorResult)[] = [];
  for (const member of members) {
    if (member.kind === "poison") return undefined;
    if (member.kind !== "model" && member.kind !== "vector") {
      const message = `an entry is a model, a vector or a list of models, not ${describeKind(member)}`;
      scope.report(wrongKind(message, span, helpForEntry(member, span)));
      return undefined;
    }
    if (base === undefined) {
      values.push(member);
    } else if (member.kind === "model") {
      if (isTheBase(member.node, base.node)) warnOfBase(base.node, span, scope);
      values.push({
        kind: "vector",
        node: { kind: "difference", model: member.node, base: base.node, span },
        base: base.node,
      });
    } else {
      checkBase(member, base.node, span, scope.report);
      values.push({ ...member, base: base.node });
    }
  }
  return { key: keyOf(entry.value), values, clauses, span };
}

/** Not what is made of it. */
function isTheBase(model: ModelNode, base: ModelNode): boolean {
  return model === base || (model.kind === "checkpoint" && isSameBase(model, base));
}

/** mergekit lists the base among the models and does not count it; here it counts, as a vector of zeros. */
function warnOfBase(base: ModelNode, span: Span, scope: Scope): void {
  scope.report({
    code: "base-as-entry",
    severity: "warning",
    message: `${modelName(base)} is the base of this merge; as an entry it counts as a model that changed nothing`,
    span,
    help: "leave it out, as mergekit does with the base among its models",
  });
}

function helpForKeep({ kind }: Result): string | undefined {
  return kind === "string" ? "name a base, model or merge of the recipe" : undefined;
}

function helpForEntry(value: Result, span: Span): string | undefined {
  if (value.kind !== "string") return stackHelp(value, span);
  return `declare it, as in model chat = ${ownWords(span, '"…"')}, and write chat`;
}

/** The entries of a merge, by key, and how often each stands there. */
interface EntryKeys {
  readonly body: MergeBlockBody;
  readonly counts: ReadonlyMap<string, number>;
}

export function entryKeys(body: MergeBlockBody): EntryKeys {
  const counts = new Map<string, number>();
  for (const item of body.items) {
    if (item.kind === "entry") counts.set(keyOf(item.value), (counts.get(keyOf(item.value)) ?? 0) + 1);
  }
  return { body, counts };
}

const MOST_NAMED_ENTRIES = 8;

function helpWithEntry(key: string, known: ReadonlyMap<string, number>, scope: Scope): string {
  const near = scope.suggest(key, known.keys());
  if (near !== undefined) return `did you mean ${near}?`;
  const named: string[] = [];
  for (const name of known.keys()) if (named.push(name) === MOST_NAMED_ENTRIES) break;
  const rest = known.size - named.length;
  return `its entries are ${named.join(", ")}${rest > 0 ? ` and ${rest} more` : ""}`;
}

/** What an `at` block changes for the tensors it takes. */
export interface ReadAt {
  readonly selector: Selector;
  readonly span: Span;
  readonly keep?: ModelNode;
  /** By key of an entry. */
  readonly entries: ReadonlyMap<string, ReadClauses>;
}

/** Undefined when something in it was reported. */
export function readAt(
  block: AtBlock,
  keys: EntryKeys,
  isOntoBase: boolean,
  strategy: StrategyResult | undefined,
  scope: Scope,
): ReadAt | undefined {
  const selectors = block.selectors.map((selector) => takeSelector(selector, scope));
  const span = spanOfAll(block.selectors);
  let isSound = true;
  let keep: ModelNode | undefined;
  const entries = new Map<string, ReadClauses>();
  if (block.body.kind === "keep") {
    const { value } = block.body;
    const result = evaluate(value, scope);
    if (result.kind === "model") keep = result.node;
    else {
      if (result.kind !== "poison")
        scope.report(takesInstead("keep", "a model", result, value.span, helpForKeep(result)));
      isSound = false;
    }
  } else {
    if (block.body.entries.length === 0) isSound = reportNothingStated(span, block.span, scope);
    for (const entry of block.body.entries) {
      const clauses = readClauses(entry.clauses, strategy, isOntoBase, scope);
      const key = keyOf(entry.value);
      if (!isEntryOfMerge(entry, key, keys, entries, scope)) isSound = false;
      else if (entry.clauses.length === 0) isSound = reportNothingStated(entry.span, entry.span, scope);
      entries.set(key, clauses);
      isSound &&= clauses.isSound;
    }
  }
  const sound = selectors.filter((selector) => selector !== undefined);
  if (!isSound || sound.length < selectors.length) return undefined;
  const selector = anyOf(sound, span);
  return { selector, span, entries, ...(keep === undefined ? {} : { keep }) };
}

function spanOfAll(selectors: readonly Expression[]): Span {
  const first = selectors[0]!.span;
  return { ...first, end: selectors.at(-1)!.span.end };
}

function reportNothingStated(span: Span, whole: Span, scope: Scope): false {
  if (hasFault(scope, whole)) return false;
  scope.report({
    code: "at-states-nothing",
    severity: "error",
    message: "at says nothing about this entry",
    span,
    help: "state a clause, such as weight 0.5, or write at … keep",
  });
  return false;
}

function isEntryOfMerge(
  { value, span }: Entry,
  key: string,
  { body, counts }: EntryKeys,
  earlier: ReadonlyMap<string, ReadClauses>,
  scope: Scope,
): boolean {
  if (earlier.has(key)) {
    scope.report({
      code: "duplicate-clause",
      severity: "error",
      message: `this at speaks of ${key} twice`,
      span: value.span,
    });
    return false;
  }
  const matching = counts.get(key) ?? 0;
  if (matching === 1) return true;
  // The entry may stand on a broken line.
  if (matching === 0 && hasFault(scope, body.span)) return false;
  scope.report({
    code: matching === 0 ? "not-an-entry" : "ambiguous-entry",
    severity: "error",
    message:
      matching === 0 ? `${key} is not an entry of this merge` : `this merge has ${matching} entries that read ${key}`,
    span: value.kind === "name" ? value.span : span,
    help: matching === 0 ? helpWithEntry(key, counts, scope) : "declare a vector for each and name those",
  });
  return false;
}
