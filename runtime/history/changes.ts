// What differs between two runs of one tensor, in the recipe's words: which input, which weight, which density. The reason
// says of what kind the difference is; this says what it is. Compares by names, so terms that only changed places are one
// change and not many.

import type { DescribedAction, DescribedInput, DescribedOperation, Setting } from "./described-action.ts";

export type Change =
  | { readonly kind: "dtype"; readonly from: string; readonly to: string }
  /** Other bytes; `was`: the file that the earlier run read, where that was another one. */
  | {
      readonly kind: "input";
      readonly role: string;
      readonly tensor: string;
      readonly file: string;
      readonly was?: string;
      readonly from: string;
      readonly to: string;
    }
  | { readonly kind: "input-added" | "input-removed"; readonly role: string; readonly file: string }
  /** The inputs are the same, in another order. */
  | { readonly kind: "order"; readonly from: readonly string[]; readonly to: readonly string[] }
  | { readonly kind: "operations"; readonly removed: readonly string[]; readonly added: readonly string[] }
  | { readonly kind: "revision"; readonly operation: string; readonly from: number; readonly to: number }
  /** `name` as people say it: "weight of code". */
  | { readonly kind: "parameter"; readonly name: string; readonly from: Setting; readonly to: Setting };

/** A parameter of the recipe, whose values may be of any kind. */
export interface ParameterChange {
  readonly name: string;
  readonly from: unknown;
  readonly to: unknown;
}

/** Those that a build had before with another value. */
export function changedParameters(
  before: Readonly<Record<string, unknown>>,
  now: ReadonlyMap<string, unknown>,
): readonly ParameterChange[] {
  const earlier = new Map(Object.entries(before));
  return [...now].flatMap(([name, to]) => {
    const from = earlier.get(name);
    return from === undefined || JSON.stringify(from) === JSON.stringify(to) ? [] : [{ name, from, to }];
  });
}

/** Empty where nothing can be told apart but names and places, which are in no key. */
export function changesBetween(before: DescribedAction, now: DescribedAction): readonly Change[] {
  const dtype: readonly Change[] =
    before.dtype === now.dtype ? [] : [{ kind: "dtype", from: before.dtype, to: now.dtype }];
  if (haveSameShape(before, now)) {
    const payloads = now.inputs.flatMap((input, index) => payloadChange(before.inputs[index]!, input));
    const parameters = changesInPlace(before, now) ?? changesByName(before, now);
    return dtype.length + payloads.length === 0 ? parameters : [...dtype, ...payloads, ...parameters];
  }
  const inputs = inputChanges(before, now);
  const isOtherSet = inputs.some(({ kind }) => kind === "input-added" || kind === "input-removed");
  const operations = operationChanges(before.operations, now.operations, isOtherSet);
  return [...dtype, ...inputs, ...operations, ...changesByName(before, now)];
}

/** Equal operations over the same models, in one order: which is what another weight or another payload gives. */
function haveSameShape(before: DescribedAction, now: DescribedAction): boolean {
  return (
    before.operations.length === now.operations.length &&
    before.inputs.length === now.inputs.length &&
    now.inputs.every(({ role }, index) => before.inputs[index]!.role === role) &&
    now.operations.every(({ op, revision }, id) => {
      const earlier = before.operations[id]!;
      return earlier.op === op && earlier.revision === revision;
    })
  );
}

function payloadChange(before: DescribedInput, { role, tensor, file, digest: to }: DescribedInput): readonly Change[] {
  const { digest: from, file: was } = before;
  if (to === undefined || from === undefined || from === to) return [];
  return [{ kind: "input", role, tensor, file, ...(was !== file && { was }), from, to }];
}

function inputChanges(before: DescribedAction, now: DescribedAction): readonly Change[] {
  const earlier = new Map(before.inputs.map((input) => [input.role, input]));
  const left = new Map(earlier);
  const changes: Change[] = [];
  const added: DescribedInput[] = [];
  for (const input of now.inputs) {
    // A model that was only renamed reads the same file.
    const same = earlier.get(input.role) ?? [...left.values()].find((other) => isSamePlace(other, input));
    if (same === undefined) {
      added.push(input);
      continue;
    }
    left.delete(same.role);
    changes.push(...payloadChange(same, input));
  }
  for (const { role, file } of added) changes.push({ kind: "input-added", role, file });
  for (const { role, file } of left.values()) changes.push({ kind: "input-removed", role, file });
  const from = before.inputs.map(({ role }) => role);
  const to = now.inputs.map(({ role }) => role);
  const isSameSet = from.length === to.length && to.every((role) => from.includes(role));
  if (isSameSet && to.some((role, index) => role !== from[index])) changes.push({ kind: "order", from, to });
  return changes;
}

function isSamePlace(a: DescribedInput, b: DescribedInput): boolean {
  return a.file === b.file && a.tensor === b.tensor;
}

/** A term more brings operations of kinds that were there: only other kinds are told then. */
function operationChanges(
  before: readonly DescribedOperation[],
  now: readonly DescribedOperation[],
  isOtherSet: boolean,
): readonly Change[] {
  const revisions = new Map(before.map(({ op, revision }) => [op, revision]));
  const raised = new Map(now.map(({ op, revision }) => [op, revision]));
  const changes: Change[] = [];
  for (const [operation, to] of raised) {
    const from = revisions.get(operation);
    if (from !== undefined && from !== to) changes.push({ kind: "revision", operation, from, to });
  }
  const removed = [...revisions.keys()].filter((op) => !raised.has(op));
  const added = [...raised.keys()].filter((op) => !revisions.has(op));
  const isOtherLength = !isOtherSet && before.length !== now.length;
  if (removed.length > 0 || added.length > 0) changes.push({ kind: "operations", removed, added });
  else if (isOtherLength) {
    const count = (operations: readonly DescribedOperation[]): readonly string[] => operations.map(({ op }) => op);
    changes.push({ kind: "operations", removed: count(before), added: count(now) });
  }
  return changes;
}

/** Only what differs is named. Undefined where names alone do not tell two parameters apart, or operands differ. */
function changesInPlace(before: DescribedAction, now: DescribedAction): readonly Change[] | undefined {
  const changes = new Map<string, Change>();
  let count = 0;
  for (const [id, { settings }] of now.operations.entries()) {
    const earlier = before.operations[id]!.settings;
    for (const field in settings) {
      const from = earlier[field];
      const to = settings[field]!;
      if (from === undefined || isSameSetting(from, to)) continue;
      if (OPERANDS.has(field)) return undefined;
      const then = valuesOf(before, id, field);
      for (const [index, { name, value }] of valuesOf(now, id, field).entries()) {
        const was = then[index]?.value;
        if (was === undefined || isSameSetting(was, value)) continue;
        changes.set(name, { kind: "parameter", name, from: was, to: value });
        count++;
      }
    }
  }
  return count === changes.size ? [...changes.values()] : undefined;
}

function changesByName(before: DescribedAction, now: DescribedAction): readonly Change[] {
  const earlier = parametersOf(before);
  const changes: Change[] = [];
  for (const [name, to] of parametersOf(now)) {
    const from = earlier.get(name);
    if (from === undefined || isSameSetting(from, to)) continue;
    changes.push({ kind: "parameter", name, from, to });
  }
  return changes;
}

function isSameSetting(a: Setting, b: Setting): boolean {
  if (!Array.isArray(a) || !Array.isArray(b)) return a === b;
  return a.length === b.length && a.every((each: Setting, index) => isSameSetting(each, b[index] as Setting));
}

/** What people set, by a name that does not depend on the order of terms; a model that is used twice has two weights. */
function parametersOf(action: DescribedAction): ReadonlyMap<string, Setting> {
  const parameters = new Map<string, Setting>();
  for (const [id, { settings }] of action.operations.entries()) {
    for (const { name, value } of Object.keys(settings).flatMap((field) => valuesOf(action, id, field))) {
      let own = name;
      for (let count = 2; parameters.has(own); count++) own = `${name} (${count})`;
      parameters.set(own, value);
    }
  }
  return parameters;
}

/** Fields that name inputs or other operations. */
const OPERANDS = new Set([
  "input",
  "a",
  "b",
  "of",
  "left",
  "right",
  "base",
  "vector",
  "mask",
  "masked",
  "chosen",
  "extremes",
  "divergence",
  "statistic",
  "own",
  "like",
  "member",
  "place",
]);

const FIELD_WORDS: Readonly<Record<string, string>> = {
  by: "factor",
  weights: "weight",
  tie: "stream",
  cuts: "threshold",
  ranking: "ranks",
};

/** One of a field, or one a term. */
function valuesOf(
  action: DescribedAction,
  id: number,
  field: string,
): readonly { readonly name: string; readonly value: Setting }[] {
  const { op, settings } = action.operations[id]!;
  // Rescaling repeats its mask's density.
  if (OPERANDS.has(field) || op.startsWith("rescale")) return [];
  const value = settings[field]!;
  // Recipes write drop_top.
  const word = FIELD_WORDS[field] ?? field.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  const terms = settings["of"];
  if (Array.isArray(value) && Array.isArray(terms) && value.length === terms.length) {
    return value.map((each: Setting, index) => ({
      name: `${word} of ${subjectOf(action, terms[index] as number)}`,
      value: each,
    }));
  }
  const subject = subjectOf(action, id);
  return [{ name: `${word} of ${subject === op ? op : `${op} of ${subject}`}`, value }];
}

/** Whose tensor a value is: the model that is merged, not the base that it is compared with. */
function subjectOf(action: DescribedAction, id: number): string {
  const { op, settings } = action.operations[id]!;
  const { input, b, of, left, vector } = settings;
  if (typeof input === "number") return action.inputs[input]!.role;
  if (op === "lora" && typeof b === "number") return action.inputs[b]!.role;
  const operand = [of, left, vector].find((field) => typeof field === "number");
  return typeof operand === "number" ? subjectOf(action, operand) : op;
}
