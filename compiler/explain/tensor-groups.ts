// Actions whose programs differ in numbers only, shown as one: two hundred tensors are a handful of groups.

import type { Action, Operation } from "../tensor-graph.ts";
import type { NumberText } from "./program-text.ts";

export interface ActionGroup {
  readonly actions: readonly [Action, ...Action[]];
  /** A number that all have, or the range of theirs. */
  readonly number: NumberText;
}

/** In the order of their first tensors. */
export function groupActions(actions: readonly Action[]): readonly ActionGroup[] {
  const groups = new Map<string, [Action, ...Action[]]>();
  for (const action of actions) {
    const shape = shapeOf(action);
    const group = groups.get(shape);
    if (group === undefined) groups.set(shape, [action]);
    else group.push(action);
  }
  return [...groups.values()].map((group) => ({ actions: group, number: rangesOf(group) }));
}

/** Everything of an action but its tensor's name and shape, its streams and the numbers that its values vary by. */
function shapeOf({ program, inputs, dtype, work, mustEqual = [] }: Action): string {
  const inputsText = inputs.map(({ role, tensor, nan }) => [role, tensor.dtype, nan]);
  const operations = program.operations.map((operation) => Object.entries(operation).filter(isShape));
  const shape = [dtype, work, inputsText, mustEqual.map(({ role }) => role), operations];
  return JSON.stringify(shape, (_, value: unknown) => (typeof value === "bigint" ? String(value) : value));
}

const VARYING = new Set([
  "tie",
  "stream",
  "density",
  "epsilon",
  "dropTop",
  "weights",
  "scale",
  "by",
  "t",
  "tolerance",
  "scaling",
  "share",
  "r",
  "alpha",
  "lambda",
  "clip",
  "rise",
  "select",
]);

function isShape([field]: [string, unknown]): boolean {
  return !VARYING.has(field);
}

function rangesOf(group: readonly Action[]): NumberText {
  return (operation, field, index) => {
    let least = Infinity;
    let most = -Infinity;
    for (const { program } of group) {
      const value = numberAt(program.operations[operation]!, field, index);
      least = Math.min(least, value);
      most = Math.max(most, value);
    }
    return least === most ? String(least) : `(${least} to ${most})`;
  };
}

function numberAt(operation: Operation, field: string, index: number): number {
  const value: unknown = Object.entries(operation).find(([name]) => name === field)?.[1];
  if (typeof value === "number") return value;
  if (Array.isArray(value)) return Number(value[index]);
  throw new Error(`${operation.op} has no number ${field}`);
}
