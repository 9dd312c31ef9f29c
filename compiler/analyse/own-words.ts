// What the recipe itself says at a place, for messages that show what to write instead.

import type { Span } from "../../dsl/source.ts";

const MOST = 40;

/** The words at the span when they are one short line, else `otherwise`. */
export function ownWords({ source, start, end }: Span, otherwise: string, most = MOST): string {
  const text = source.text.slice(start, end);
  return text.length <= most && !/[\n#]/.test(text) ? text : otherwise;
}
