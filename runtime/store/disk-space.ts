// Whether a file system has room for what a build is about to write, asked before any work.

import { statfsSync } from "node:fs";
import { EXIT, Failure } from "../failure.ts";

/** Throws a Failure (71) that says what is needed and what is free. */
export function checkDiskSpace(folder: string, bytes: number, files: number): void {
  const { blocks, bavail, bsize, files: inodes, ffree } = statfsSync(folder);
  // One that has no blocks at all, such as /proc, is not full: writing to it says what it is.
  if (blocks === 0) return;
  const free = bavail * bsize;
  // The last block of a file is taken whole.
  const needed = bytes + files * bsize;
  if (needed > free) throw diskFull(folder, `${needed} bytes are needed, ${free} are free`);
  // A file system that counts no inodes reports 0 of 0.
  if (inodes > 0 && files > ffree) throw diskFull(folder, `${files} files are needed, ${ffree} inodes are free`);
}

/** For ENOSPC and EDQUOT that come in spite of the check; `needed`: bytes that were to be written, where known. */
export function diskFullDuringWork(folder: string, needed: number, cause: unknown): Failure {
  const { bavail, bsize } = statfsSync(folder);
  const wanted = needed > 0 ? `${needed} bytes are needed` : "the disk or its quota is full";
  return diskFull(folder, `${wanted}, ${bavail * bsize} bytes are free`, cause);
}

function diskFull(folder: string, message: string, cause?: unknown): Failure {
  const help = "free some space there; finished tensors are kept, and --store can put the store elsewhere";
  return new Failure(EXIT.resources, `${folder}: ${message}`, { code: "disk-full", help }, cause);
}
