// The order in which declarations are evaluated, and cycles between them. Iterative, because ten thousand statements in
// a chain are a legal recipe and a recursion that deep is not.

import type { Name } from "../../dsl/ast.ts";
import type { Report } from "../../dsl/diagnostic.ts";
import type { DeclaringStatement } from "./names.ts";

interface Order {
  /** Every declared name; what a name needs stands before it, except in a cycle. */
  readonly names: readonly string[];
  /** Names in a cycle; they have no value. */
  readonly cyclic: ReadonlySet<string>;
}

/** `needs` gives the names that a declaration mentions. Reports each cycle once, as `a -> b -> a`. */
export function orderOfEvaluation(
  declarations: ReadonlyMap<string, DeclaringStatement>,
  needs: ReadonlyMap<string, readonly Name[]>,
  report: Report,
): Order {
  const names: string[] = [];
  const cyclic = new Set<string>();
  const done = new Set<string>();
  /** Position in `path` of the names that are being visited. */
  const open = new Map<string, number>();
  const path: Step[] = [];

  const enter = (name: string) => {
    open.set(name, path.length);
    path.push({ name, next: 0, cyclicFrom: Infinity });
  };
  for (const root of declarations.keys()) {
    if (done.has(root)) continue;
    enter(root);
    while (path.length > 0) {
      const step = path.at(-1)!;
      const needed = needs.get(step.name)?.[step.next++];
      if (needed === undefined) {
        path.pop();
        open.delete(step.name);
        done.add(step.name);
        names.push(step.name);
        continue;
      }
      const start = open.get(needed.text);
      if (start !== undefined) {
        if (markCycle(path, start, cyclic)) reportCycle(path.slice(start), needed, report);
      } else if (!done.has(needed.text)) enter(needed.text);
    }
  }
  return { names, cyclic };
}

interface Step {
  readonly name: string;
  /** Which of the names that it needs comes next. */
  next: number;
  /** All names of the path from here to this one are in cycles. */
  cyclicFrom: number;
}

/** The names from `start` on are in a cycle. Each is looked at once, however many cycles there are. False when one was known. */
function markCycle(path: readonly Step[], start: number, cyclic: Set<string>): boolean {
  let isNew = true;
  for (let at = path.length - 1; at >= start;) {
    const step = path[at]!;
    if (step.cyclicFrom <= at) {
      isNew = false;
      at = step.cyclicFrom - 1;
    } else {
      cyclic.add(step.name);
      step.cyclicFrom = start;
      at--;
    }
  }
  const last = path.at(-1)!;
  last.cyclicFrom = Math.min(last.cyclicFrom, start);
  return isNew;
}

/** Longer cycles are shortened in the middle; the first and last names say where to look. */
const LONGEST_PRINTED_CYCLE = 12;

function reportCycle(steps: readonly Step[], closing: Name, report: Report): void {
  const members = steps.map(({ name }) => name);
  const first = members[0]!;
  const shown =
    members.length <= LONGEST_PRINTED_CYCLE
      ? members
      : [...members.slice(0, LONGEST_PRINTED_CYCLE - 2), "…", members.at(-1)!];
  report({
    code: "cycle",
    severity: "error",
    message: `${first} is defined by itself: ${[...shown, first].join(" -> ")}`,
    span: closing.span,
  });
}
