// Writing small files so that a crash leaves the old content or the new one, and directories so that names survive it.

import {
  closeSync,
  fdatasync,
  fdatasyncSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  renameSync,
  rmSync,
  writeSync,
} from "node:fs";
import { dirname } from "node:path";
import { promisify } from "node:util";

/** As many calls as Node makes at once. */
const SYNCED_TOGETHER = 4;

/** Makes the names in a directory survive a power cut. */
export function syncDirectory(path: string): void {
  const fd = openSync(path, "r");
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** Writes beside the file first. The caller syncs the directory when the name itself must survive. */
export function replaceFile(path: string, content: string | Uint8Array): void {
  const temporary = `${path}.${process.pid}.new`;
  try {
    writeDurably(temporary, content);
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

export function replaceFileAndSync(path: string, content: string | Uint8Array): void {
  replaceFile(path, content);
  syncDirectory(dirname(path));
}

/** `position`: of the first byte in the file; null to write on where the descriptor stands. A call may write less than all. */
export function writeAll(fd: number, bytes: Uint8Array, position: number | null): void {
  for (let done = 0; done < bytes.length;) {
    done += writeSync(fd, bytes, done, bytes.length - done, position === null ? null : position + done);
  }
}

/** Takes away what lies behind `length`. Of nothing, nothing: what was once cut to nothing, ext4 writes out when it is closed. */
export function cutOff(fd: number, length: number): void {
  if (fstatSync(fd).size > length) ftruncateSync(fd, length);
}

/** The bytes are on the disk when this returns; the name need not be. */
export function writeDurably(path: string, content: string | Uint8Array): void {
  const bytes = typeof content === "string" ? Buffer.from(content) : content;
  const fd = openSync(path, "w", 0o644);
  try {
    writeAll(fd, bytes, 0);
    fdatasyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** What `writeDurably` does for one file. Of several together a file system with a journal makes one commit. */
export async function syncFiles(paths: readonly string[]): Promise<void> {
  for (let at = 0; at < paths.length; at += SYNCED_TOGETHER) {
    await Promise.all(paths.slice(at, at + SYNCED_TOGETHER).map(syncFile));
  }
}

async function syncFile(path: string): Promise<void> {
  const fd = openSync(path, "r+");
  try {
    await promisify(fdatasync)(fd);
  } finally {
    closeSync(fd);
  }
}
