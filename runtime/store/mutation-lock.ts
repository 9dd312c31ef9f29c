// The one lock under which shards enter and leave a store. It is held for renames, never for the reading or writing of
// payloads.

import { join } from "node:path";
import type { FileSystemCalls } from "../../native/addon-types.ts";
import { takeLock, tryLock } from "./lock.ts";
import type { StorePaths } from "./store-paths.ts";

/** Rejects when the signal fires while it waits. */
export async function underMutationLock<T>(
  calls: FileSystemCalls,
  paths: StorePaths,
  signal: AbortSignal,
  work: () => T | Promise<T>,
): Promise<T> {
  const lock = await takeLock(() => tryLock(calls, join(paths.locks, "shards")), signal);
  try {
    return await work();
  } finally {
    lock.release();
  }
}

/** Whether an error says that this is somebody else's store, in which we may take no lock. */
export function isNotOurs(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === "EACCES" || code === "EROFS";
}
