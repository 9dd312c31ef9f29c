// Replaces an output's content where its directory cannot be renamed: a mount point, a lower layer of overlayfs. A loader
// finds no way into the model while its files are moved, never a mixture of two models.

import { lstatSync, mkdirSync, renameSync, rmSync, rmdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { syncDirectory } from "../store/durable.ts";
import { THETA_FILE } from "../checkpoint/theta-file.ts";
import { filesIn, ownFilesIn, removeContent } from "./own-files.ts";

/** What a loader begins with: the index, or the only file of weights. Away first and back last. */
const WAY_IN = /^[^/]+\.index\.json$|^(?![^/]*-\d{5}-of-\d{5}\.)[^/]+\.safetensors$/;

/** `fresh` lies in `output`; `own`: names in the output that theta wrote. */
export function moveInOneByOne(fresh: string, output: string, own: ReadonlySet<string>): void {
  const names = filesIn(fresh);
  const next = new Set(names);
  // Only what lies there: a claim in somebody's theta.json is not a path to delete.
  const present = ownFilesIn(output, own);
  for (const name of present) if (WAY_IN.test(name)) rmSync(join(output, name));
  syncDirectory(output);
  const stale = present.filter((name) => !next.has(name) && !WAY_IN.test(name));
  for (const name of stale) rmSync(join(output, name));
  for (const folder of foldersOf(stale)) removeEmpty(join(output, folder));
  for (const folder of foldersOf(names).reverse()) mkdirSync(join(output, folder), { recursive: true });
  // theta.json first: it claims the others, should this be cut off.
  const ordered = [...names].sort((a, b) => rank(a) - rank(b));
  const move = (name: string): void => renameSync(join(fresh, name), join(output, name));
  ordered.filter((name) => !WAY_IN.test(name)).forEach(move);
  for (const folder of ["", ...foldersOf(names)]) syncDirectory(join(output, folder));
  ordered.filter((name) => WAY_IN.test(name)).forEach(move);
  removeContent(fresh);
}

/** Moves a directory file by file. theta.json goes last: until then it claims those that are left. */
export function moveFiles(from: string, to: string): void {
  const names = [...filesIn(from)].sort((a, b) => rank(b) - rank(a));
  for (const name of names) {
    mkdirSync(dirname(join(to, name)), { recursive: true });
    renameSync(join(from, name), join(to, name));
  }
  removeContent(from);
}

function rank(name: string): number {
  return name === THETA_FILE ? 0 : 1;
}

/** The deepest first. */
function foldersOf(names: readonly string[]): string[] {
  const folders = new Set<string>();
  for (const name of names) {
    for (let at = dirname(name); at !== "."; at = dirname(at)) folders.add(at);
  }
  return [...folders].sort((a, b) => b.split("/").length - a.split("/").length);
}

function removeEmpty(folder: string): void {
  try {
    if (lstatSync(folder).isDirectory()) rmdirSync(folder);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // Somebody else's files are in it.
    if (code !== "ENOTEMPTY" && code !== "EEXIST") throw error;
  }
}
