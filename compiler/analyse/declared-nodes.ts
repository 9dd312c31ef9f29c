// The declarations that have a node, for `explain`.

import { POISON } from "./kinds.ts";
import type { Scope } from "./names.ts";
import type { Declaration } from "../recipe-graph.ts";

export function declarationsOf({ declarations, values }: Scope): readonly Declaration[] {
  return [...declarations].flatMap(([name, statement]): readonly Declaration[] => {
    const value = values.get(name) ?? POISON;
    const { span } = statement;
    switch (value.kind) {
      case "model":
        return [{ name, kind: statement.kind === "merge" ? "merge" : "model", node: value.node, span }];
      case "models":
        return value.nodes.map((node) => ({ name: node.name, kind: "model", node, span }));
      case "vector":
        return [{ name, kind: "vector", node: value.node, span }];
      case "mask":
        return [{ name, kind: "mask", node: value.mask, span }];
      case "strategy":
        return [{ name, kind: "strategy", node: value.strategy, span }];
      case "poison":
      case "number":
      case "size":
      case "boolean":
      case "string":
      case "word":
      case "list":
      case "range":
      case "slice":
        return [];
    }
  });
}
