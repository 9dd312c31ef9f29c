// Tensors by reason, for people: each reason once, under it what had changed, from the recipe's parameter down to the
// names of the tensors that it reached. Ten thousand tensors read as a few lines.

import { counted } from "../../../dsl/counted.ts";
import { printable } from "../../../dsl/printable.ts";
import { groupByName } from "../../compare/name-groups.ts";
import type { Change, ParameterChange } from "../../history/changes.ts";
import type { Setting } from "../../history/described-action.ts";

export interface Reasoned {
  readonly tensor: string;
  /** `+` runs, `=` does not, `?` may, `!` could not. */
  readonly sign: "+" | "=" | "?" | "!";
  /** What stands before the count: "param-changed". Equal ones come together. */
  readonly reason: string;
  readonly changes: readonly Change[];
}

/** More names than that are counted. */
const MOST_NAMES = 12;

/** `parameters`: those of the recipe that have other values. */
export function reasonLines(tensors: readonly Reasoned[], parameters: readonly ParameterChange[]): readonly string[] {
  // What happens first, what does not last.
  const sorted = [...tensors.filter(({ sign }) => sign !== "="), ...tensors.filter(({ sign }) => sign === "=")];
  return groupBy(sorted, ({ sign, reason }) => `${sign} ${reason}`).flatMap(([head, members]) => {
    const causes = groupBy(members, ({ changes }) => changes.map(labelOf).join("\n"));
    if (head.startsWith("=") && members.every(({ changes }) => changes.length === 0))
      return [`${head}: ${such(members)}`];
    return [
      `${head}: ${counted(members.length, "tensor")}`,
      ...causes.flatMap(([, each]) => causeLines(each, parameters)),
    ];
  });
}

/** Of tensors in which the same things changed, if not by the same amounts: a step to the right is a step on. */
function causeLines(members: readonly Reasoned[], parameters: readonly ParameterChange[]): readonly string[] {
  const [{ changes }] = members as readonly [Reasoned];
  const isOfRecipe = changes.some(({ kind }) => kind !== "input");
  const steps = [
    isOfRecipe ? parameters.map(parameterText) : [],
    changes.map((_, index) => changeText(members.map((each) => each.changes[index]!))),
    namesText(members.map(({ tensor }) => tensor)),
  ].filter((lines) => lines.length > 0);
  return steps.flatMap((lines, depth) => lines.map((line) => `${"  ".repeat(depth + 2)}${printable(line)}`));
}

export function parameterText({ name, from, to }: ParameterChange): string {
  return `parameter ${name}: ${words(from)} -> ${words(to)}`;
}

function namesText(tensors: readonly string[]): readonly string[] {
  const names = groupByName(
    tensors,
    (name) => name,
    () => "",
  );
  const lines = names.slice(0, MOST_NAMES).map(({ name, numbers }) => [name, numbers.join(" x ")].join("  ").trimEnd());
  return names.length > MOST_NAMES ? [...lines, `and ${names.length - MOST_NAMES} names more`] : lines;
}

/** Equal for changes of one thing. */
function labelOf(change: Change): string {
  switch (change.kind) {
    case "input":
    case "input-added":
    case "input-removed":
      return `${change.kind} ${change.role}`;
    case "parameter":
      return `parameter ${change.name}`;
    case "revision":
      return `revision ${change.operation}`;
    case "dtype":
    case "order":
    case "operations":
      return `${change.kind} ${JSON.stringify(change)}`;
  }
}

/** One change, or the same in many tensors; at least one is given. */
export function changeText(changes: readonly Change[]): string {
  const [first] = changes as readonly [Change];
  const step = (from: Setting, to: Setting): string => `${words(from)} -> ${words(to)}`;
  const steps = new Set(
    changes.map((each) => ("from" in each && "to" in each ? JSON.stringify([each.from, each.to]) : "")),
  );
  const such = steps.size > 1 ? `${steps.size} changes, such as ` : "";
  switch (first.kind) {
    case "dtype":
      return `dtype: ${step(first.from.toLowerCase(), first.to.toLowerCase())}`;
    case "input": {
      const files = new Set(changes.flatMap((each) => (each.kind === "input" ? [each.file] : [])));
      const where = files.size === 1 ? first.file : `${files.size} files, such as ${first.file}`;
      const was = first.was === undefined ? "" : `, before ${first.was}`;
      return `${first.role}: ${such}${step(shortDigest(first.from), shortDigest(first.to))}  (${where}${was})`;
    }
    case "input-added":
      return `${first.role} was added  (${first.file})`;
    case "input-removed":
      return `${first.role} was taken out  (${first.file})`;
    case "order":
      return `order of the inputs: ${first.from.join(", ")} -> ${first.to.join(", ")}`;
    case "operations":
      return `operations: ${first.removed.join(", ") || "none"} -> ${first.added.join(", ") || "none"}`;
    case "revision":
      return `formula of ${first.operation}: revision ${step(first.from, first.to)}`;
    case "parameter":
      return `${first.name}: ${such}${step(first.from, first.to)}`;
  }
}

export function shortDigest(digest: string): string {
  return digest.slice(0, "sha256:".length + 12);
}

function words(value: unknown): string {
  return typeof value === "string" ? value : (JSON.stringify(value) ?? "none");
}

/** In the order of the first members. */
function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): readonly (readonly [string, readonly T[]])[] {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return [...groups];
}

function such(members: readonly Reasoned[]): string {
  const [first] = members as readonly [Reasoned];
  return members.length === 1
    ? printable(first.tensor)
    : `${members.length} tensors, such as ${printable(first.tensor)}`;
}
