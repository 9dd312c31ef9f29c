// Which files of an output theta wrote. Everything else in it belongs to somebody, and is neither replaced nor deleted.

import { readFileSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { THETA_FILE } from "../checkpoint/theta-file.ts";
import { EXIT, Failure } from "../failure.ts";

/** Names in a directory that its theta.json claims, itself included; undefined when there is no theta.json of ours. */
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
  return files && new Set([THETA_FILE, ...topLevel(files)]);
}

/**
 * Names of the files in `directory` that theta may replace: those of its records. Throws a Failure (73) when the
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
  if (claimed === undefined && recorded === undefined && !adopt && readdirSync(directory).length > 0) {
    throw new Failure(EXIT.output, `the directory "${display}" exists and theta did not write it`, {
      code: "output-not-ours",
      help: "choose another output, or take it over with --adopt: files that theta does not write stay",
    });
  }
  return new Set([...(claimed ?? []), ...topLevel(recorded ?? [])]);
}

/** A directory that holds a file of theta's is theta's. */
export function topLevel(names: Iterable<string>): readonly string[] {
  return [...names].map((name) => name.split("/")[0]!);
}

/** Throws a Failure (73) when a file that theta is about to write is there already and is somebody else's. */
export function checkForeignFiles(
  directory: string,
  display: string,
  names: readonly string[],
  own: ReadonlySet<string>,
  adopt: boolean,
): void {
  if (adopt || statSync(directory, { throwIfNoEntry: false }) === undefined) return;
  const present = new Set(readdirSync(directory));
  const taken = topLevel(names).find((name) => present.has(name) && !own.has(name));
  if (taken === undefined) return;
  throw new Failure(EXIT.output, `"${display}" holds ${taken}, which theta did not write and would replace`, {
    code: "foreign-file",
    help: "move it away, or let theta replace it with --adopt",
  });
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
