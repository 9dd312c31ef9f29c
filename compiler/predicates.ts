// The lines of `expect` blocks: which are about an output, how they read, and what meets them.

import type { Comparison, ExpectNode, OutputNode, PredicateNode } from "./recipe-graph.ts";
import { NodeNumbers } from "./same-node.ts";

/** In the order of the recipe: of every block about the output's model, by whatever name. */
export function predicatesOf({ value }: OutputNode, expectations: readonly ExpectNode[]): readonly PredicateNode[] {
  if (expectations.length === 0) return [];
  let index = indices.get(expectations);
  if (index === undefined) indices.set(expectations, (index = indexOf(expectations)));
  return index.byTarget.get(index.numbers.of(value.node)) ?? [];
}

interface Index {
  readonly numbers: NodeNumbers;
  readonly byTarget: ReadonlyMap<number, readonly PredicateNode[]>;
}

const indices = new WeakMap<readonly ExpectNode[], Index>();

function indexOf(expectations: readonly ExpectNode[]): Index {
  const numbers = new NodeNumbers();
  const byTarget = new Map<number, PredicateNode[]>();
  for (const { target, predicates } of expectations) {
    const number = numbers.of(target);
    const known = byTarget.get(number) ?? [];
    byTarget.set(number, known);
    for (const predicate of predicates) known.push(predicate);
  }
  return { numbers, byTarget };
}

/** As the recipe writes it, its bound as a number: "each cosine(llama) > 0.5". */
export function predicateText({ each, subject, comparison }: PredicateNode): string {
  const bound = comparison === undefined ? "" : ` ${comparison.operator} ${comparison.bound}`;
  return `${each ? "each " : ""}${subject}${bound}`;
}

/** False for NaN. */
export function isMetBy({ operator, bound }: Comparison, value: number): boolean {
  switch (operator) {
    case "<":
      return value < bound;
    case "<=":
      return value <= bound;
    case ">":
      return value > bound;
    case ">=":
      return value >= bound;
  }
}
