// What tells one state of a file from another without reading it, as text to compare and to store.

import { fstatSync, statSync, type BigIntStats } from "node:fs";
import type { FileIdentity } from "../checkpoint/source-file.ts";

export function identityOfDescriptor(fd: number): FileIdentity {
  return identity(fstatSync(fd, { bigint: true }));
}

/** Of an input: nothing at all may have moved. */
export function inputStamp(file: FileIdentity): string {
  return `${file.device}:${file.inode}:${file.size}:${file.mtimeNs}:${file.ctimeNs}`;
}

/** Of a file that theta wrote: linking it moves its ctime, so that is left out. */
export function ownStamp(file: FileIdentity): string {
  return `${file.device}:${file.inode}:${file.size}:${file.mtimeNs}`;
}

/** The own stamp of the file at `path`, or undefined where none lies. */
export function ownStampAt(path: string): string | undefined {
  let stat: BigIntStats | undefined;
  try {
    stat = statSync(path, { bigint: true, throwIfNoEntry: false });
  } catch (error) {
    // A file lies where a folder on the way was.
    if ((error as NodeJS.ErrnoException).code === "ENOTDIR") return undefined;
    throw error;
  }
  return stat?.isFile() ? ownStamp(identity(stat)) : undefined;
}

function identity(stat: BigIntStats): FileIdentity {
  const { dev: device, ino: inode, size, mtimeNs, ctimeNs } = stat;
  return { device, inode, size, mtimeNs, ctimeNs };
}

/** Two changes within so many nanoseconds may leave the same time stamp, on any file system. */
const GRANULARITY = 2_000_000_000n;

/** Its next change need not show. */
export function isFresh({ mtimeNs }: FileIdentity): boolean {
  return mtimeNs + GRANULARITY > BigInt(Date.now()) * 1_000_000n;
}
