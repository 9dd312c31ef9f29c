// Text of a user in a message: of a very long one the beginning says enough.

const MOST = 160;

/** At most `most` characters, the last one "…" where something was cut off. */
export function shortened(text: string, most = MOST): string {
  if (text.length <= most) return text;
  // Not in the middle of a character of two units.
  return `${text.slice(0, most - 1).replace(/[\ud800-\udbff]$/, "")}…`;
}
