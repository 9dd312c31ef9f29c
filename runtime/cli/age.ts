// Ages as flags take them: 90min, 12h, 30d, 4w.

const UNITS: ReadonlyMap<string, number> = new Map([
  ["s", 1000],
  ["min", 60_000],
  ["h", 3_600_000],
  ["d", 86_400_000],
  ["w", 604_800_000],
]);

export const AGE_EXAMPLES = "a number and s, min, h, d or w, such as 12h or 30d";

/** Milliseconds, or undefined when the text is no age. Nothing needs no unit. */
export function parseAge(text: string): number | undefined {
  if (text === "0") return 0;
  const match = /^(\d+(?:\.\d+)?)(s|min|h|d|w)$/.exec(text);
  if (match === null) return undefined;
  const milliseconds = Math.floor(Number(match[1]) * UNITS.get(match[2]!)!);
  return Number.isSafeInteger(milliseconds) ? milliseconds : undefined;
}

/** For people, in the largest unit that leaves a whole number: 30 days, 36 hours. */
export function formatAge(milliseconds: number): string {
  const names = [
    ["days", 86_400_000],
    ["hours", 3_600_000],
    ["minutes", 60_000],
  ] as const;
  const [name, unit] = names.find(([, size]) => milliseconds >= size && milliseconds % size === 0) ?? ["seconds", 1000];
  return `${milliseconds / unit} ${name}`;
}
