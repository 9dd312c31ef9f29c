// Which recipe a command means.

import { lstatSync, statSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { EXIT, Failure } from "../failure.ts";

export interface RecipeFile {
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
export function findRecipe(given: string | undefined, workingDirectory: string): RecipeFile {
  if (given !== undefined) {
    const path = resolve(workingDirectory, given);
    const recipe = isDirectory(path) ? join(path, DEFAULT_NAME) : path;
    if (isThere(recipe)) return recipeFile(recipe, workingDirectory);
    if (recipe !== path) throw missing(`there is no ${DEFAULT_NAME} in ${given}`);
    throw missing(
      `there is no recipe at ${given}`,
      /^[A-Za-z_]\w*=/.test(given) ? `a parameter is given with -p: -p ${given}` : undefined,
    );
  }
  const directory = projectAbove(workingDirectory);
  if (directory !== undefined) return recipeFile(join(directory, DEFAULT_NAME), workingDirectory);
  throw missing(`there is no ${DEFAULT_NAME} in ${workingDirectory} or a folder above it`);
}

/** The project that the working directory lies in; where there is none, itself. For commands without a recipe. */
export function nearestProject(workingDirectory: string): string {
  return projectAbove(workingDirectory) ?? workingDirectory;
}

function projectAbove(workingDirectory: string): string | undefined {
  for (let directory = workingDirectory; ; directory = dirname(directory)) {
    if (isThere(join(directory, DEFAULT_NAME))) return directory;
    if (directory === dirname(directory)) return undefined;
  }
}

const NAME_A_RECIPE = "name a recipe, such as path/to/merge.theta, or start one with theta init";

function missing(message: string, otherwise = NAME_A_RECIPE): Failure {
  // Node gives bytes that are no UTF-8 as this sign, and no file has that name.
  const isLost = message.includes("\ufffd");
  const help = isLost ? "theta follows no path whose bytes are not UTF-8: rename it" : otherwise;
  return new Failure(EXIT.input, message, { code: "recipe-missing", help });
}

/** Also a link that leads nowhere: reading it says so. */
function isThere(path: string): boolean {
  try {
    lstatSync(path);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code !== "ENOENT" && code !== "ENOTDIR";
  }
}

function isDirectory(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    // Missing, or not for us to look at: whoever opens it says what is wrong.
    return false;
  }
}

function recipeFile(path: string, workingDirectory: string): RecipeFile {
  const near = relative(workingDirectory, path);
  return { path, display: near.length < path.length ? near : path, directory: dirname(path) };
}
