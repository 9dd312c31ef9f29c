// Counts, shares and measures for people: three digits, and never a rounded 0 or 1 where something is left.
import { plural } from "../../../dsl/counted.ts";

/** 12,345, or from a million on 1.10 B. */
export function formatCount(count: number): string {
  for (const [unit, size] of [
    ["T", 1e12],
    ["B", 1e9],
    ["M", 1e6],
  ] as const) {
    if (count >= size) return `${(count / size).toPrecision(3)} ${unit}`;
  }
  // toLocaleString() loads tables of languages first, for 12 ms and more.
  return String(count).replace(/\B(?=(\d{3})+$)/gu, ",");
}

/** `1 tensor`, `2 tensors`. */
export function countOf(count: number, word: string): string {
  return `${formatCount(count)} ${plural(count, word)}`;
}

/** Three significant digits; a dash for what has no value. */
export function formatNumber(value: number | undefined): string {
  if (value === undefined) return "-";
  if (value === 0) return "0";
  const magnitude = Math.abs(value);
  return magnitude < 999.5 || magnitude >= 1e6 ? value.toPrecision(3) : String(Math.round(value));
}

/** Of a ratio, which may be above 1. */
export function formatPercent(ratio: number | undefined): string {
  return ratio === undefined ? "-" : `${formatNumber(ratio * 100)} %`;
}

/** Of so many out of so many. */
export function formatShare(part: number | undefined, whole: number): string {
  if (part === undefined) return "-";
  if (part === 0) return "0 %";
  if (part === whole) return "100 %";
  const percent = (part / whole) * 100;
  if (percent < 0.1) return "<0.1 %";
  return percent > 99.9 ? ">99.9 %" : `${percent.toFixed(1)} %`;
}

/** Six decimals; nearer to 1 its distance from 1. */
export function formatCosine(cosine: number | undefined): string {
  if (cosine === undefined) return "-";
  const distance = 1 - cosine;
  return distance > 0 && distance < 5e-7 ? `1 - ${formatNumber(distance)}` : cosine.toFixed(6);
}
