// Progress of commands that only read: one line on a terminal, redrawn in place and gone at the end.

import { formatBytes } from "../../size.ts";
import { isInteractive, writeMessage } from "../terminal.ts";

interface ReadingLine {
  /** How much there is to read. */
  total(bytes: number): void;
  /** How much was read. */
  bytes(bytes: number): void;
  close(): void;
}

/** What is done sooner needs no line. */
const PATIENCE_MS = 400;

/** `title` such as "Comparing". Draws nothing where nobody looks, or `quiet`. */
export function createReadingLine(title: string, quiet: boolean): ReadingLine {
  const started = performance.now();
  let wanted = 0;
  let drawn = false;
  return {
    total(bytes) {
      wanted = bytes;
    },
    bytes(bytes) {
      const milliseconds = performance.now() - started;
      if (quiet || milliseconds < PATIENCE_MS || !isInteractive()) return;
      const speed = formatBytes(Math.round(bytes / (milliseconds / 1000)));
      writeMessage(`\r\u001b[K${title}  ${formatBytes(bytes)} of ${formatBytes(wanted)}  ${speed}/s`);
      drawn = true;
    },
    close() {
      if (drawn) writeMessage("\r\u001b[K");
    },
  };
}
