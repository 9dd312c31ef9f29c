// The names that publishing an output uses beside it and in it.

import { existsSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { resolveLinks } from "./real-place.ts";

export interface OutputPaths {
  /** The directory itself, symlinks resolved. */
  readonly output: string;
  readonly parent: string;
  /** The new content, until it is switched in; then the old content, until it is retired. */
  readonly fresh: string;
  /** Where the directory cannot be exchanged: the old content, and the note that says the new one is complete. */
  readonly old: string;
  readonly intent: string;
  /** Held by whoever builds it; see lock-outputs.ts. The second lies in the output, which is a mount point for somebody. */
  readonly locks: readonly string[];
  /** The directory is a mount point: files are moved in one by one, from `fresh`, which then lies in it. */
  readonly inPlace: boolean;
}

export function outputPaths(path: string): OutputPaths {
  const output = resolveLinks(path);
  const parent = dirname(output);
  const name = basename(output);
  const inPlace = isMountPoint(output);
  const inside = join(output, ".theta-lock");
  return {
    output,
    parent,
    fresh: inPlace ? freshInside(output) : join(parent, `.${name}.theta-new`),
    old: join(parent, `.${name}.theta-old`),
    intent: join(parent, `.${name}.theta-switch`),
    // Beside a mount point lies another file system, which others do not see. A container may have it mounted now.
    locks: [
      ...(inPlace ? [] : [join(parent, `.${name}.theta-lock`)]),
      ...(inPlace || existsSync(inside) ? [inside] : []),
    ],
    inPlace,
  };
}

/** Of content that is moved in one by one. */
export function freshInside(output: string): string {
  return join(output, ".theta-new");
}

/** The fifth field of a line of mountinfo is the mount point; blanks in it are octal. */
function isMountPoint(path: string): boolean {
  const unescape = (text: string): string =>
    text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(parseInt(octal, 8)));
  return readFileSync("/proc/self/mountinfo", "latin1")
    .split("\n")
    .some((line) => unescape(line.split(" ")[4] ?? "") === Buffer.from(path).toString("latin1"));
}
