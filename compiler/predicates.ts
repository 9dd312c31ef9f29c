// The lines of `expect` blocks: which are about an output, and how they read.

import type { ExpectNode, OutputNode, PredicateNode } from "./recipe-graph.ts";
import { isSameNode } from "./same-node.ts";

/** In the order of the recipe: of every block about the output's model, by whatever name. */
export function predicatesOf({ value }: OutputNode, expectations: readonly ExpectNode[]): readonly PredicateNode[] {
  return expectations.flatMap(({ target, predicates }) => (isSameNode(target, value.node) ? predicates : []));
}

/** As the recipe writes it, its bound as a number: "each cosine(llama) > 0.5". */
export function predicateText({ each, subject, comparison }: PredicateNode): string {
  const bound = comparison === undefined ? "" : ` ${comparison.operator} ${comparison.bound}`;
  return `${each ? "each " : ""}${subject}${bound}`;
}
