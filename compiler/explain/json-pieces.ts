// Large JSON, piece by piece: the tensors of a large model are more text than one string may hold.

import { printableJson } from "../../dsl/printable.ts";

/**
 * What `JSON.stringify(value, null, 2)` would say, where lists may be generators. Each of their elements is a piece, or
 * several if it has generators in it.
 */
export function* jsonPieces(value: unknown, indent = ""): Generator<string> {
  const inner = `${indent}  `;
  if (isGenerator(value)) {
    let isEmpty = true;
    for (const element of value) {
      yield `${isEmpty ? "[" : ","}\n${inner}`;
      isEmpty = false;
      yield* jsonPieces(element, inner);
    }
    yield isEmpty ? "[]" : `\n${indent}]`;
  } else if (typeof value === "object" && value !== null && Object.values(value).some(isGenerator)) {
    let before = "{";
    for (const [key, field] of Object.entries(value)) {
      if (field === undefined) continue;
      yield `${before}\n${inner}${printableJson(JSON.stringify(key))}: `;
      before = ",";
      yield* jsonPieces(field, inner);
    }
    yield `\n${indent}}`;
  } else yield printableJson(JSON.stringify(value, null, 2)).replaceAll("\n", `\n${indent}`);
}

function isGenerator(value: unknown): value is Iterable<unknown> {
  return typeof value === "object" && value !== null && "next" in value && Symbol.iterator in value;
}
