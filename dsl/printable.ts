// Strings that come out of files may steer a terminal or hide their own order; printed, they show what they are.

/** Control characters, line ends included, halves of characters, and what is there without being seen. */
const UNSEEN = /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\p{Cf}]/gu;

/** `text` with everything that is not seen as itself, bidirectional controls too, written as an escape. */
export function printable(text: string): string {
  return text.replace(UNSEEN, (character) => {
    const known = SHORT_ESCAPES[character];
    if (known !== undefined) return known;
    const code = character.codePointAt(0)!;
    if (code < 0x100) return `\\x${code.toString(16).padStart(2, "0")}`;
    return code < 0x10000 ? `\\u${code.toString(16).padStart(4, "0")}` : `\\u{${code.toString(16)}}`;
  });
}

const SHORT_ESCAPES: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

/** The same JSON, of which everything can be seen that JSON lets stand: DEL, C1 controls, bidirectional ones. */
export function printableJson(json: string): string {
  return json.replace(UNSEEN, (character) =>
    character === "\n"
      ? character
      : character.replaceAll(/./gs, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`),
  );
}
