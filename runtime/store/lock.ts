// Locks between processes: flock on a file in the store, released by the kernel however the holder ends. What the file
// says of its holder is for the message only.

import { setMaxListeners } from "node:events";
import { closeSync, ftruncateSync, openSync, readFileSync } from "node:fs";
import { hostname } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import type { FileSystemCalls } from "../../native/addon-types.ts";
import { writeAll } from "./durable.ts";

export interface Lock {
  release(): void;
}

/** Who holds a lock, as far as its file says: "process 4711 on build-3". */
export interface Held {
  readonly holder: string;
}

export function isHeld(outcome: Lock | Held): outcome is Held {
  return "holder" in outcome;
}

const POLL_MS = 50;

/** Takes the lock, or says who holds it. */
export function tryLock(calls: FileSystemCalls, path: string): Lock | Held {
  const fd = openSync(path, "a+", 0o644);
  if (!calls.tryLock(fd)) {
    closeSync(fd);
    return { holder: readFileSync(path, "utf8").trim() || "another process" };
  }
  try {
    ftruncateSync(fd);
    writeAll(fd, Buffer.from(`process ${process.pid} on ${hostname()}\n`), null);
  } catch (error) {
    closeSync(fd);
    throw error;
  }
  return { release: () => closeSync(fd) };
}

/** Waits for it; rejects when the signal fires. */
export async function takeLock(calls: FileSystemCalls, path: string, signal: AbortSignal): Promise<Lock> {
  // As many may wait as there are shards; Node would warn of a leak.
  setMaxListeners(0, signal);
  for (;;) {
    const outcome = tryLock(calls, path);
    if (!isHeld(outcome)) return outcome;
    await sleep(POLL_MS, undefined, { signal });
  }
}
