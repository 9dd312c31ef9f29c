// How the checker says that a value is not what its place takes.

import type { Diagnostic } from "../../dsl/diagnostic.ts";
import type { Span } from "../../dsl/source.ts";
import { describeKind, type Result } from "./kinds.ts";
import { ownWords } from "./own-words.ts";

export function wrongKind(message: string, span: Span, help?: string): Diagnostic {
  return { code: "wrong-kind", severity: "error", message, span, ...(help === undefined ? {} : { help }) };
}

/** "density takes a number, not a string" */
export function takesInstead(place: string, takes: string, got: Result, span: Span, help?: string): Diagnostic {
  return wrongKind(`${place} takes ${takes}, not ${describeKind(got)}`, span, help);
}

/** Of a closed list of words, as what a place takes. */
export function oneOf(words: readonly string[]): string {
  return words.length === 1 ? words[0]! : `one of ${words.join(", ")}`;
}

/** A slice in the place of a model. */
export function stackHelp({ kind }: Result, span: Span): string | undefined {
  return kind === "slice" ? `write stack(${ownWords(span, "slice(…)")})` : undefined;
}
