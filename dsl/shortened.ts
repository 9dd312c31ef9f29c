// Text of a user in a message: of a very long one the beginning says enough.

const MOST = 160;

/** At most `most` characters, the last one "…" where something was cut off. */
export function shortened(text: string, most = MOST): string {
  return text.length > most ? `${text.slice(0, most - 1)}…` : text;
}
