// The recipes of a folder beside the tests, in the order of their names.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Source } from "../../dsl/source.ts";

export function readCases(folder: string): readonly Source[] {
  const directory = join(import.meta.dirname, folder);
  return readdirSync(directory)
    .filter((name) => name.endsWith(".theta"))
    .sort()
    .map((path) => ({ path, directory, text: readFileSync(join(directory, path), "utf8") }));
}

export function sourceOf(text: string): Source {
  return { path: "merge.theta", directory: "/project", text };
}
