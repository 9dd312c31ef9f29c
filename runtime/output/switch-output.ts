// Switches new content in so that a reader sees the old output or the new one, and a crash at any moment leaves what
// the next command finishes or undoes.

import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import type { FileSystemCalls } from "../../native/addon-types.ts";
import { THETA_FILE } from "../checkpoint/theta-file.ts";
import { syncDirectory, writeDurably } from "../store/durable.ts";
import type { OutputPaths } from "./output-paths.ts";
import { claimedFiles } from "./own-files.ts";

/** Files that say which others belong together: away first and back last, a loader never sees a mixture. */
const INDEX = /\.index\.json$/;

/**
 * Makes `fresh` the output's content. `own`: names in the present content that theta wrote; all others are carried
 * over. Everything in `fresh` is durable already.
 */
export function switchOutput(calls: FileSystemCalls, paths: OutputPaths, own: ReadonlySet<string>): void {
  if (paths.inPlace) {
    moveInOneByOne(paths, own);
    return;
  }
  if (!existsSync(paths.output)) {
    renameSync(paths.fresh, paths.output);
    syncDirectory(paths.parent);
    return;
  }
  if (calls.exchange(paths.fresh, paths.output)) {
    syncDirectory(paths.parent);
    retire(paths.fresh, paths.output, own);
  } else {
    writeDurably(paths.intent, "The directory with the suffix theta-new is complete; see theta.\n");
    syncDirectory(paths.parent);
    renameSync(paths.output, paths.old);
    renameSync(paths.fresh, paths.output);
    syncDirectory(paths.parent);
    rmSync(paths.intent);
    retire(paths.old, paths.output, own);
  }
  syncDirectory(paths.parent);
}

/** Finishes or undoes what an earlier command was cut off in. Call it under the output's lock. */
export function recoverOutput(paths: OutputPaths): void {
  if (existsSync(paths.intent)) {
    if (!existsSync(paths.output) && existsSync(paths.fresh)) renameSync(paths.fresh, paths.output);
    rmSync(paths.intent);
  }
  if (existsSync(paths.old)) {
    if (existsSync(paths.output)) retire(paths.old, paths.output, claimedFiles(paths.old));
    else renameSync(paths.old, paths.output);
  }
  if (!existsSync(paths.fresh)) return;
  // Either it was never switched in, and theta.json, written first, claims all there is in it; or it is the old
  // content, and what theta.json does not claim still has to be carried over.
  if (existsSync(paths.output) && !paths.inPlace) retire(paths.fresh, paths.output, claimedFiles(paths.fresh));
  else rmSync(paths.fresh, { recursive: true });
}

/** Carries over what is not theta's, then deletes the rest. */
function retire(old: string, output: string, own: ReadonlySet<string> | undefined): void {
  for (const name of readdirSync(old)) {
    const target = join(output, name);
    const ours = name === THETA_FILE || own?.has(name) === true;
    if (!ours && !existsSync(target)) renameSync(join(old, name), target);
  }
  rmSync(old, { recursive: true });
}

function moveInOneByOne({ fresh, output }: OutputPaths, own: ReadonlySet<string>): void {
  const names = readdirSync(fresh);
  // Only what lies there: a claim in somebody's theta.json is not a path to delete.
  const replaced = readdirSync(output).filter((name) => own.has(name));
  for (const name of replaced) if (INDEX.test(name)) rmSync(join(output, name));
  syncDirectory(output);
  for (const name of replaced) {
    // A file is renamed over; a directory cannot be, when it holds something.
    const renamedOver = names.includes(name) && !statSync(join(fresh, name)).isDirectory();
    if (!renamedOver) rmSync(join(output, name), { recursive: true, force: true });
  }
  const last = names.filter((name) => INDEX.test(name));
  for (const name of names) if (!last.includes(name)) renameSync(join(fresh, name), join(output, name));
  syncDirectory(output);
  for (const name of last) renameSync(join(fresh, name), join(output, name));
  rmSync(fresh, { recursive: true });
  syncDirectory(output);
}

export function makeFresh(paths: OutputPaths): void {
  mkdirSync(paths.inPlace ? paths.output : paths.parent, { recursive: true });
  mkdirSync(paths.fresh);
}
