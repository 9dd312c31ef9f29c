// Writing small files so that a crash leaves the old content or the new one, and directories so that names survive it.

import {
  closeSync,
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
