// Merges of merges of merges: whoever walks the graph may recurse, because no output is deeper than this.

import type { Report } from "../../dsl/diagnostic.ts";
import { childrenOf, rootOf } from "../graph-walk.ts";
import type { ModelNode, OutputNode, VectorNode } from "../recipe-graph.ts";

/** Levels of the graph under an output; a merge onto a base is three. Node's stack holds some 1,500 of the widest. */
const DEEPEST = 1000;

export function checkDepth(output: OutputNode, report: Report): boolean {
  if (depthOf(rootOf(output)) <= DEEPEST) return true;
  report({
    code: "too-deep",
    severity: "error",
    message: `more than ${DEEPEST} merges and vectors stand on each other here`,
    span: output.span,
    help: "write one of them as an output and use that as a model",
  });
  return false;
}

/** Without recursion: a node is left on the stack until its children have depths. The graph has no cycles. */
function depthOf(root: ModelNode | VectorNode): number {
  const depths = new Map<ModelNode | VectorNode, number>();
  const stack = [root];
  for (let node = stack.at(-1); node !== undefined; node = stack.at(-1)) {
    const unknown = childrenOf(node).filter((child) => !depths.has(child));
    if (unknown.length > 0 && !depths.has(node)) {
      for (const child of unknown) stack.push(child);
      continue;
    }
    stack.pop();
    depths.set(node, 1 + childrenOf(node).reduce((most, child) => Math.max(most, depths.get(child) ?? 0), 0));
  }
  return depths.get(root)!;
}
