// Whether a file system has room for what a build is about to write, asked before any work.

import { statfsSync } from "node:fs";
import { EXIT, Failure } from "../failure.ts";
import { formatBytes } from "../size.ts";
import { systemErrorName } from "../system-error.ts";
import { existingParent } from "./make-folder.ts";

/** Throws a Failure (71) that says what is needed and what is free. `scratch`: bytes that are needed for a while, at most. */
export function checkDiskSpace(folder: string, bytes: number, files: number, scratch = 0): void {
  const { blocks, bavail, bsize, files: inodes, ffree } = statfsSync(folder);
  // One that has no blocks at all, such as /proc, is not full: writing to it says what it is.
  if (blocks === 0) return;
  const free = bavail * bsize;
  // The last block of a file is taken whole.
  const needed = bytes + scratch + files * bsize;
  if (needed > free) {
    const forAWhile = scratch > 0 ? ` (${formatBytes(scratch)} at most for scratch files)` : "";
    const missing = formatBytes(needed - free);
    throw diskFull(folder, `${formatBytes(needed)} are needed${forAWhile}, ${missing} more than are free`);
  }
  // A file system that counts no inodes reports 0 of 0.
  if (inodes > 0 && files > ffree) throw diskFull(folder, `${files} files are needed, ${ffree} inodes are free`);
}

/** For ENOSPC and EDQUOT that come in spite of the check. `folder` need not exist. */
export function diskFullDuringWork(folder: string, cause: Error): Failure {
  // How much of a quota is left, statfs does not tell.
  if (systemErrorName(cause) === "EDQUOT") return diskFull(folder, "the disk quota is used up", cause);
  const { bavail, bsize, files: inodes, ffree } = statfsSync(existingParent(folder));
  const left = inodes > 0 ? ` and ${ffree} inodes` : "";
  return diskFull(folder, `the disk is full: ${formatBytes(bavail * bsize)}${left} are free`, cause);
}

function diskFull(folder: string, message: string, cause?: unknown): Failure {
  const help = "free some space there; finished tensors are kept, and --store can put the store elsewhere";
  return new Failure(EXIT.resources, `${folder}: ${message}`, { code: "disk-full", help }, cause);
}
