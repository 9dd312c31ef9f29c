// Where text goes: human text to standard error, data to standard output. Nothing else writes to either.

import { writeSync } from "node:fs";
import { printableJson } from "../../dsl/printable.ts";

/** Writes all of it before it returns, so that the process may exit next. A reader that went away is no error. */
function write(fd: number, text: string): void {
  const bytes = Buffer.from(text, "utf8");
  for (let at = 0; at < bytes.length;) {
    try {
      at += writeSync(fd, bytes, at);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === "EPIPE") return;
      // A terminal or pipe in non-blocking mode that is full: try again.
      if (code !== "EAGAIN") throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    }
  }
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
