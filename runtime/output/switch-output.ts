// Switches new content in so that a reader sees the old output or the new one, and a crash at any moment leaves what
// the next command finishes or undoes.

import { existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import type { FileSystemCalls } from "../../native/addon-types.ts";
import { THETA_FILE } from "../checkpoint/theta-file.ts";
import { syncDirectory, writeDurably } from "../store/durable.ts";
import { makeFolder } from "../store/make-folder.ts";
import { moveFiles, moveInOneByOne } from "./move-in-one-by-one.ts";
import { freshInside, type OutputPaths } from "./output-paths.ts";
import { carryOver, claimedFiles, removeContent } from "./own-files.ts";

export function makeFresh(paths: OutputPaths): void {
  makeFolder(paths.inPlace ? paths.output : paths.parent);
  mkdirSync(paths.fresh);
}

/**
 * Makes `fresh`, in which everything is durable, the output's content. `own`: names in the present content that theta
 * wrote; all others are carried over. When it throws, what theta itself made beside the output is gone or the next
 * `recoverOutput` takes it away.
 */
export function switchOutput(calls: FileSystemCalls, paths: OutputPaths, own: ReadonlySet<string>): void {
  let old: string | undefined;
  try {
    old = bringIn(calls, paths, own);
  } catch (error) {
    discardFresh(paths);
    throw error;
  }
  syncDirectory(paths.inPlace ? paths.output : paths.parent);
  if (old === undefined) return;
  carryOver(old, paths.output, own);
  removeContent(old);
  syncDirectory(paths.parent);
}

/** Content that was not switched in: a full disk, most likely, so what was written of it goes back. */
export function discardFresh(paths: OutputPaths): void {
  for (const folder of [paths.fresh, freshInside(paths.output)]) {
    try {
      if (existsSync(folder)) removeContent(folder);
    } catch {
      // The caller throws the reason for which it gave up; `recoverOutput` tries this again.
    }
  }
}

/** Returns where the old content lies now, if there is any: then the switch is done. */
function bringIn(calls: FileSystemCalls, paths: OutputPaths, own: ReadonlySet<string>): string | undefined {
  if (paths.inPlace) {
    moveInOneByOne(paths.fresh, paths.output, own);
    return undefined;
  }
  if (!existsSync(paths.output)) {
    renameSync(paths.fresh, paths.output);
    return undefined;
  }
  if (didExchange(calls, paths)) return paths.fresh;
  if (didRenameTwice(paths)) return paths.old;
  // By way of a directory in the output, so that what a crash leaves of it is known as ours.
  const inside = freshInside(paths.output);
  moveFiles(paths.fresh, inside);
  moveInOneByOne(inside, paths.output, own);
  return undefined;
}

function didExchange(calls: FileSystemCalls, paths: OutputPaths): boolean {
  return unlessImmovable(() => calls.exchange(paths.fresh, paths.output));
}

function didRenameTwice(paths: OutputPaths): boolean {
  writeDurably(paths.intent, "The directory with the suffix theta-new is complete; see theta.\n");
  try {
    syncDirectory(paths.parent);
    const moved = unlessImmovable(() => {
      renameSync(paths.output, paths.old);
      return true;
    });
    if (!moved) return false;
    try {
      renameSync(paths.fresh, paths.output);
    } catch (error) {
      renameSync(paths.old, paths.output);
      throw error;
    }
    syncDirectory(paths.parent);
    return true;
  } finally {
    rmSync(paths.intent, { force: true });
  }
}

/** A directory of a lower layer of overlayfs (EXDEV), or one that is in use as a mount point (EBUSY), stays where it is. */
function unlessImmovable(rename: () => boolean): boolean {
  try {
    return rename();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EXDEV" || code === "EBUSY") return false;
    throw error;
  }
}

/** Finishes or undoes what an earlier command was cut off in. Call it under the output's lock. */
export function recoverOutput(paths: OutputPaths): void {
  if (existsSync(paths.intent)) {
    if (!existsSync(paths.output) && existsSync(paths.fresh)) renameSync(paths.fresh, paths.output);
    rmSync(paths.intent);
  }
  if (existsSync(paths.old)) {
    if (existsSync(paths.output)) retire(paths.old, paths.output);
    else renameSync(paths.old, paths.output);
  }
  // In the output lies only what was to be moved in one by one, and the store still has it.
  const inside = freshInside(paths.output);
  if (existsSync(inside)) removeContent(inside);
  if (!existsSync(paths.fresh)) return;
  // Either it was never switched in, and theta.json, written first, claims all there is in it; or it is the old
  // content, and what theta.json does not claim still has to be carried over.
  if (existsSync(paths.output)) retire(paths.fresh, paths.output);
  else removeContent(paths.fresh);
}

function retire(old: string, output: string): void {
  carryOver(old, output, claimedFiles(old) ?? new Set([THETA_FILE]));
  removeContent(old);
}
