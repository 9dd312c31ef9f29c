// What there is of the way to a folder, and the rest of it: `mkdir -p`. Node's own never returns where a directory exists but nothing can be made in it, as in /proc or in a
// directory that was removed while somebody stood in it.

import { existsSync, mkdirSync, statSync } from "node:fs";
import { dirname } from "node:path";

/** Throws what the system says when it cannot be made. A folder that exists already is fine. */
export function makeFolder(path: string): void {
  try {
    mkdirSync(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EEXIST" && statSync(path).isDirectory()) return;
    if (code !== "ENOENT" || dirname(path) === path) throw error;
    makeFolder(dirname(path));
    makeOne(path);
  }
}

/** Another process may be quicker. */
function makeOne(path: string): void {
  try {
    mkdirSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
}

/** The path itself or the nearest folder above it that exists: tells which file system it lies on, or will. */
export function existingParent(path: string): string {
  return existsSync(path) ? path : existingParent(dirname(path));
}
