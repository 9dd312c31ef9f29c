// Puts a stored shard into an output without a second copy of its bytes where that is safe: shared blocks, else a hard
// link. A stored shard is linked by at most one output, so that an edit in place cannot reach another one.

import { chmodSync, closeSync, fdatasyncSync, linkSync, openSync, rmSync, statSync } from "node:fs";
import { copyFile, open } from "node:fs/promises";
import type { FileSystemCalls } from "../../native/addon-types.ts";
import { ownStampAt } from "../store/file-identity.ts";
import { ShardGone, type StoredShard } from "../store/shard-store.ts";
import { isNoSpace, systemErrorName } from "../system-error.ts";

/**
 * Makes `to`, which does not exist. `held`: the same shard in the output's present content. Returns bytes copied. Throws
 * ShardGone when the stored file is not what it was.
 */
export async function placeShard(
  calls: FileSystemCalls,
  stored: StoredShard,
  held: StoredShard | undefined,
  to: string,
): Promise<number> {
  // The present content is about to be retired, so its name for the file is only handed on.
  if (held !== undefined && tryLink(held.path, to)) {
    if (ownStampAt(to) === held.record.stamp) return 0;
    // Edited since the build looked at it: under the new record it would pass for what theta wrote.
    rmSync(to);
  }
  if (!isIntact(stored)) throw new ShardGone(stored);
  const copied = await placeStored(calls, stored, to);
  if (isIntact(stored)) return copied;
  rmSync(to);
  throw new ShardGone(stored);
}

function isIntact({ path, record }: StoredShard): boolean {
  return ownStampAt(path) === record.stamp;
}

async function placeStored(calls: FileSystemCalls, stored: StoredShard, to: string): Promise<number> {
  if (tryReflink(calls, stored.path, to)) return 0;
  if (isOursAlone(stored.path) && tryLink(stored.path, to)) {
    if (statSync(to).nlink <= 2) return 0;
    // Another output's build looked and linked at the same time: each of them that sees it gives way.
    rmSync(to);
  }
  await copyFile(stored.path, to);
  chmodSync(to, 0o644);
  const copy = await open(to, "r+");
  try {
    await copy.datasync();
  } finally {
    await copy.close();
  }
  return stored.record.bytes;
}

function tryReflink(calls: FileSystemCalls, from: string, to: string): boolean {
  const source = openSync(from, "r");
  const target = openSync(to, "wx", 0o644);
  let shared = false;
  try {
    shared = calls.reflink(source, target);
    if (shared) fdatasyncSync(target);
  } finally {
    closeSync(source);
    closeSync(target);
    if (!shared) rmSync(to);
  }
  return shared;
}

/** Whether an output may link it: nobody else does. False where it is gone. */
export function isOursAlone(path: string): boolean {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat !== undefined && stat.nlink === 1 && stat.uid === process.geteuid?.();
}

/** Every way in which a file system refuses a link means that the bytes have to be copied. */
function tryLink(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    const { syscall } = error as NodeJS.ErrnoException;
    if (syscall !== "link" || isNoSpace(systemErrorName(error))) throw error;
    return false;
  }
}
