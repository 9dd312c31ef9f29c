// Which recipe a command means.

import { existsSync, statSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { EXIT, Failure } from "../failure.ts";

export interface RecipePlace {
  /** Absolute. */
  readonly path: string;
  /** As printed in diagnostics: relative to the working directory when that is shorter. */
  readonly display: string;
  /** The project: the folder of the root recipe. */
  readonly directory: string;
}

const DEFAULT_NAME = "merge.theta";

/**
 * The given file, `merge.theta` in the given directory, or the one in the working directory or its nearest parent.
 * @throws Failure (66) when there is none.
 */
export function findRecipe(given: string | undefined, workingDirectory: string): RecipePlace {
  if (given !== undefined) {
    const path = resolve(workingDirectory, given);
    const stat = statSync(path, { throwIfNoEntry: false });
    if (stat?.isDirectory()) return place(requireFile(join(path, DEFAULT_NAME), given), workingDirectory);
    return place(requireFile(path, given), workingDirectory);
  }
  for (let directory = workingDirectory; ; directory = dirname(directory)) {
    const path = join(directory, DEFAULT_NAME);
    if (existsSync(path)) return place(path, workingDirectory);
    if (directory === dirname(directory)) break;
  }
  throw new Failure(EXIT.input, `there is no ${DEFAULT_NAME} in ${workingDirectory} or a folder above it`, {
    code: "recipe-missing",
    help: "name a recipe (theta build path/to/merge.theta), or start one with theta init",
  });
}

function requireFile(path: string, given: string): string {
  if (existsSync(path)) return path;
  throw new Failure(EXIT.input, `there is no recipe at ${given}`, {
    code: "recipe-missing",
    help: "a recipe is a file such as merge.theta; theta init writes one to start from",
  });
}

function place(path: string, workingDirectory: string): RecipePlace {
  const near = relative(workingDirectory, path);
  return { path, display: near.length < path.length ? near : path, directory: dirname(path) };
}
