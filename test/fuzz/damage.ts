// Mutations of a text: stretches replaced, doubled and cut.

import type { Choices } from "./choices.ts";

/** None when the choices are used up. */
export function damaged(text: string, pieces: readonly string[], choices: Choices): string {
  let now = text;
  for (let edits = choices.below(4); edits > 0; edits--) {
    const at = choices.below(now.length + 1);
    const length = choices.pick([0, 1, 2, 4, 9, 40]);
    const put = choices.chance(1, 4)
      ? now.slice(at, at + 2 * length)
      : choices.list(0, 2, () => choices.pick(pieces)).join("");
    now = now.slice(0, at) + put + now.slice(at + length);
  }
  return now;
}

/** What JSON readers trip over. */
export const JSON_PIECES: readonly string[] = [
  ...'{}[],:"\\0-.eE \n\t'.split(""),
  "null",
  "true",
  "NaN",
  "-Infinity",
  "1e999",
  "9007199254740993",
  "18446744073709551616",
  "00",
  '"\\ud800"',
  '"\\u0000"',
  '"__proto__":',
  '"a":',
  "[".repeat(120),
  '{"a":'.repeat(120),
  "\u0000",
  "\u00ff",
  "\u00e2\u0080\u00ae",
];
