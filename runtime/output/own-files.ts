// Which files of an output theta wrote. Everything else in it belongs to somebody, and is neither replaced nor deleted.

import { existsSync, lstatSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { THETA_FILE } from "../checkpoint/theta-file.ts";
import { EXIT, Failure } from "../failure.ts";

/** Names in a directory ("a", "sub/b") that its theta.json claims, itself included; undefined when it has none of ours. */
export function claimedFiles(directory: string): ReadonlySet<string> | undefined {
  let text: string;
  try {
    text = readFileSync(join(directory, THETA_FILE), "utf8");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw error;
  }
  const files = filesOf(text);
  return files && new Set([THETA_FILE, ...files]);
}

/** In an output only while a build of it runs, or was killed. */
const PASSING = /^\.theta-(lock|new)$/;

/**
 * Names ("a", "sub/b") of the files in `directory` that theta may replace: those of its records. Throws a Failure (73) when the
 * directory is somebody else's and `adopt` is not set, or when it is no directory.
 */
export function ownFiles(
  directory: string,
  display: string,
  recorded: ReadonlySet<string> | undefined,
  adopt: boolean,
): ReadonlySet<string> {
  const stat = statSync(directory, { throwIfNoEntry: false });
  if (stat === undefined) return new Set();
  if (!stat.isDirectory()) {
    throw new Failure(EXIT.output, `the output "${display}" exists and is not a directory`, {
      code: "output-not-ours",
    });
  }
  const claimed = claimedFiles(directory);
  if (
    claimed === undefined &&
    recorded === undefined &&
    !adopt &&
    readdirSync(directory).some((name) => !PASSING.test(name))
  ) {
    throw new Failure(EXIT.output, `the directory "${display}" exists and theta did not write it`, {
      code: "output-not-ours",
      help: "choose another output, or take it over with --adopt: files that theta does not write stay",
    });
  }
  return new Set([...(claimed ?? []), ...(recorded ?? [])]);
}

/** Whether there is anything in the directory but theta's own; false where there is no directory. */
export function holdsForeign(directory: string, own: ReadonlySet<string>): boolean {
  if (!existsSync(directory)) return false;
  return filesIn(directory, own).some((name) => !own.has(name) || isDirectory(join(directory, name)));
}

/**
 * Throws a Failure (73) when a file that theta is about to write is there already and is somebody else's. With `adopt`
 * it is replaced, but only a file by a file.
 */
export function checkForeignFiles(
  directory: string,
  display: string,
  names: readonly string[],
  own: ReadonlySet<string>,
  adopt: boolean,
): void {
  for (const name of names) {
    const taken = inTheWay(directory, name, own);
    if (taken === undefined || (adopt && taken === name && !isDirectory(join(directory, name)))) continue;
    throw new Failure(EXIT.output, `"${display}" holds ${taken}, which theta did not write and would replace`, {
      code: "foreign-file",
      help: taken === name && !adopt ? "move it away, or let theta replace it with --adopt" : "move it away",
    });
  }
}

/** Somebody's file at this name, in the place of a directory on the way to it, or in a directory of this name. */
function inTheWay(directory: string, name: string, own: ReadonlySet<string>): string | undefined {
  const parts = name.split("/");
  for (let count = 1; count <= parts.length; count++) {
    const prefix = parts.slice(0, count).join("/");
    const stat = lstatSync(join(directory, prefix), { throwIfNoEntry: false });
    if (stat === undefined) return undefined;
    if (!stat.isDirectory()) return own.has(prefix) ? undefined : prefix;
  }
  return filesIn(directory, own, `${name}/`).find((found) => !own.has(found));
}

/**
 * Names of the files in a directory, in its subdirectories too. With `own`, a subdirectory that holds none of these is
 * one name; and so is an empty one. Links are not followed.
 */
export function filesIn(directory: string, own?: ReadonlySet<string>, prefix = ""): readonly string[] {
  return readdirSync(join(directory, prefix), { withFileTypes: true }).flatMap((entry): readonly string[] => {
    const name = `${prefix}${entry.name}`;
    if (!entry.isDirectory()) return [name];
    if (own !== undefined && !holdsOwn(name, own)) return [name];
    const files = filesIn(directory, own, `${name}/`);
    return files.length === 0 && own !== undefined ? [name] : files;
  });
}

/** Names of the files in a directory that are theta's. A directory is nobody's file, whatever the name once was. */
export function ownFilesIn(directory: string, own: ReadonlySet<string>): readonly string[] {
  return filesIn(directory, own).filter((name) => own.has(name) && !isDirectory(join(directory, name)));
}

/** Moves what is not theta's from the old content into the new one, where a file of the same name stays. */
export function carryOver(old: string, output: string, own: ReadonlySet<string>): void {
  const ours = new Set(ownFilesIn(old, own));
  for (const name of filesIn(old, own)) {
    if (ours.has(name)) continue;
    const target = join(output, name);
    if (lstatSync(target, { throwIfNoEntry: false }) === undefined) {
      mkdirSync(dirname(target), { recursive: true });
      renameSync(join(old, name), target);
    } else if (isDirectory(join(old, name)) && isDirectory(target)) {
      // A directory of somebody's whose name the new content has, too: what is in it has to find its place there.
      carryOver(join(old, name), target, new Set());
    }
  }
}

/** Deletes a directory; theta.json last, so that what a crash leaves of it is still claimed. */
export function removeContent(directory: string): void {
  for (const name of readdirSync(directory)) {
    if (name !== THETA_FILE) rmSync(join(directory, name), { recursive: true, force: true });
  }
  rmSync(directory, { recursive: true });
}

function holdsOwn(directory: string, own: ReadonlySet<string>): boolean {
  for (const name of own) if (name.startsWith(`${directory}/`)) return true;
  return false;
}

function isDirectory(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

function filesOf(text: string): readonly string[] | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // Cut off by a crash, or somebody else's: either way it claims nothing.
    return undefined;
  }
  if (typeof value !== "object" || value === null || !("schema" in value) || !("files" in value)) return undefined;
  if (typeof value.schema !== "string" || !value.schema.startsWith("theta.output/")) return undefined;
  return Array.isArray(value.files)
    ? value.files.filter((name): name is string => typeof name === "string")
    : undefined;
}
