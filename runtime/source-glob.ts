// Finds the files and directories that a list of models names, such as "runs/*/final". Globs are the recipe's, one for
// each part of the path: here a star stays within its part.

import { readdirSync, statSync } from "node:fs";
import { matchesGlob, parseGlob } from "../compiler/glob.ts";
import { sortByBytes } from "./checkpoint/byte-order.ts";

const SPECIAL = /[*?[{]/;

/**
 * Both paths are absolute; what `pattern` shares with `directory` is taken as it stands. Sorted by bytes; a part that is
 * no glob matches nothing. Hidden entries need a literal dot.
 */
export function listSources(pattern: string, directory: string): readonly string[] {
  const parts = pathParts(pattern);
  const shared = pathParts(directory);
  const different = parts.findIndex((part, index) => part !== shared[index]);
  let found = [""];
  for (const [index, part] of parts.entries()) {
    const isGlob = different !== -1 && index >= different && SPECIAL.test(part);
    found = isGlob ? found.flatMap((parent) => matchesIn(parent, part)) : found.map((p) => `${p}/${part}`);
  }
  return sortByBytes(found.filter(exists));
}

function pathParts(path: string): readonly string[] {
  return path.split("/").filter((part) => part !== "");
}

function matchesIn(parent: string, part: string): string[] {
  const glob = parseGlob(part);
  if ("problem" in glob) return [];
  return entries(`${parent}/`)
    .filter((name) => (!name.startsWith(".") || part.startsWith(".")) && matchesGlob(glob, name))
    .map((name) => `${parent}/${name}`);
}

/** What is no directory, or not ours to read, has no entries that could match. */
function entries(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch (error) {
    if (error instanceof Error && "code" in error) return [];
    throw error;
  }
}

function exists(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch (error) {
    // What is there but cannot be looked at is listed: reading it will say what is wrong with it.
    if (error instanceof Error && "code" in error) return error.code !== "ENOTDIR";
    throw error;
  }
}
