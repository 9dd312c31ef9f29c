// Sizes as recipes write them (5GB, 320MiB), for flags, configuration and the environment; and sizes for people.

const UNITS: ReadonlyMap<string, number> = new Map([
  ["kB", 1e3],
  ["MB", 1e6],
  ["GB", 1e9],
  ["TB", 1e12],
  ["KiB", 2 ** 10],
  ["MiB", 2 ** 20],
  ["GiB", 2 ** 30],
  ["TiB", 2 ** 40],
]);

/**
 * Bytes, or undefined when the text is no size. A fraction of a byte is rounded down; nothing needs no unit. More bytes than
 * are counted exactly are as many as are.
 */
export function parseSize(text: string): number | undefined {
  if (text === "0") return 0;
  const match = /^(\d+(?:\.\d+)?)(kB|MB|GB|TB|KiB|MiB|GiB|TiB)$/.exec(text);
  if (match === null) return undefined;
  return Math.min(Math.floor(Number(match[1]) * UNITS.get(match[2]!)!), Number.MAX_SAFE_INTEGER);
}

export const SIZE_EXAMPLES = "a number and a unit, such as 512MiB or 2GB";

/** Three significant digits and a binary unit: 12.3 MiB. */
export function formatBytes(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  let value = bytes / 1024;
  let unit = 0;
  const units = ["KiB", "MiB", "GiB", "TiB"];
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${value < 10 ? value.toFixed(2) : value < 100 ? value.toFixed(1) : value.toFixed(0)} ${units[unit]!}`;
}

/** 0.42 s, 12.3 s, 3 min 05 s. */
export function formatSeconds(seconds: number): string {
  if (seconds < 10) return `${seconds.toFixed(2)} s`;
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  return formatWholeSeconds(seconds);
}

/** Of a time that is only estimated: 3 s, 3 min 05 s. */
export function formatWholeSeconds(seconds: number): string {
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, "0")} s`;
}
