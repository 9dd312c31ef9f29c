// Random JSON as text, so that it can have equal keys, numbers that no double holds, and nesting.

import type { Choices } from "./choices.ts";

const NUMBERS = ["0", "1", "2", "-1", "0.5", "1e308", "1e999", "-0", "9007199254740991", "9007199254740993", "NaN"];
const STRINGS = ["", "a", "llama", "é\\u0000", "\\ud83d\\ude00", "..", "x".repeat(300), "\\u202e"];

export function jsonText(choices: Choices, depth = 3): string {
  switch (choices.below(depth > 0 ? 8 : 5)) {
    case 0:
      return choices.pick(NUMBERS);
    case 1:
      return choices.pick(["true", "false", "null"]);
    case 2:
      return `"${choices.pick(STRINGS)}"`;
    case 3:
      return "[]";
    case 4:
      return "{}";
    case 5:
      return `[${choices.list(1, 4, () => jsonText(choices, depth - 1)).join(",")}]`;
    case 6: {
      // Lists with a value for each layer have as many values as another setting says.
      const value = jsonText(choices, 0);
      return `[${choices.list(0, 6, () => value).join(",")}]`;
    }
    default:
      return jsonObject(
        choices.list(1, 4, () => [choices.pick(["a", "b", "__proto__", "a.b", ""]), jsonText(choices, depth - 1)]),
      );
  }
}

/** Keys as they stand between the quotes. */
export function jsonObject(members: readonly (readonly [key: string, value: string])[]): string {
  return `{${members.map(([key, value]) => `"${key}":${value}`).join(",")}}`;
}
