// Where text goes: human text to standard error, data to standard output. Nothing else writes to either.

import { writeSync } from "node:fs";
import { printableJson } from "../../dsl/printable.ts";

/** Descriptors that take nothing any more, and why. */
const ended = new Map<number, NodeJS.ErrnoException>();

/**
 * Writes all of it before it returns, so that the process may exit next. Never throws, since many callers stand in the
 * middle of other work: what follows is left out, and `lostOutput` says why.
 */
function write(fd: number, text: string): void {
  if (ended.has(fd)) return;
  const bytes = Buffer.from(text, "utf8");
  for (let at = 0; at < bytes.length;) {
    try {
      at += writeSync(fd, bytes, at);
    } catch (error) {
      // A terminal or pipe in non-blocking mode that is full: try again.
      if ((error as NodeJS.ErrnoException).code !== "EAGAIN") return void ended.set(fd, error as Error);
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    }
  }
}

/** Why data could not be written: the disk is full. A reader that went away is no error. */
export function lostOutput(): Error | undefined {
  const error = ended.get(1);
  return error?.code === "EPIPE" ? undefined : error;
}

/** Data: results, JSON. */
export function writeOutput(text: string): void {
  write(1, text);
}

/** Bytes; a piece is often a line or two. */
const WRITTEN_AT_ONCE = 1 << 16;

/** Data that may be longer than a string. */
export function writePieces(pieces: Iterable<string>): void {
  let gathered = "";
  for (const piece of pieces) {
    if (ended.has(1)) return;
    gathered += piece;
    if (gathered.length < WRITTEN_AT_ONCE) continue;
    writeOutput(gathered);
    gathered = "";
  }
  writeOutput(gathered);
}

/** Human text: diagnostics, progress, summaries. */
export function writeMessage(text: string): void {
  write(2, text);
}

/** One line of JSON data. */
export function writeJson(value: unknown): void {
  writeOutput(`${printableJson(JSON.stringify(value))}\n`);
}

/** Whether human text is coloured: --color, then NO_COLOR and FORCE_COLOR, then whether someone looks. */
export function useColor(when: "auto" | "always" | "never"): boolean {
  if (when !== "auto") return when === "always";
  const { env } = process;
  if (env["NO_COLOR"]) return false;
  if (env["FORCE_COLOR"] && env["FORCE_COLOR"] !== "0") return true;
  return process.stderr.isTTY && env["TERM"] !== "dumb";
}

/** Whether progress may redraw lines. A terminal may not know its width, as under some CI runners: then it has 0. */
export function isInteractive(): boolean {
  const { isTTY, columns } = process.stderr;
  return isTTY && columns >= LEAST_COLUMNS && !process.env["CI"] && process.env["TERM"] !== "dumb";
}

/** In fewer, a line of progress wraps, and redrawing leaves its rest behind. */
const LEAST_COLUMNS = 40;
