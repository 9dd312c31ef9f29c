// Locks between processes: flock on a file in the store, released by the kernel however the holder ends. What the file
// says of its holder is for the message only.

import { setMaxListeners } from "node:events";
import { closeSync, constants, openSync, readFileSync, rmSync } from "node:fs";
import { hostname } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import type { FileSystemCalls } from "../../native/addon-types.ts";
import { cutOff, writeAll } from "./durable.ts";
import { identityOfDescriptor, ownStamp, ownStampAt } from "./file-identity.ts";

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
  const outcome = openLocked(calls, path);
  return typeof outcome === "number" ? { release: () => unlockAndClose(calls, outcome) } : outcome;
}

/** The same; the file goes away when the lock is released. */
export function tryPassingLock(calls: FileSystemCalls, path: string): Lock | Held {
  for (;;) {
    const fd = openLocked(calls, path);
    if (typeof fd !== "number") return fd;
    const release = (): void => {
      try {
        if (isAt(fd, path)) rmSync(path, { force: true });
      } catch {
        // It keeps nobody out, and the next holder removes it.
      }
      unlockAndClose(calls, fd);
    };
    // One that its holder removed between our opening and locking it keeps nobody out.
    if (isAt(fd, path)) return { release };
    closeSync(fd);
  }
}

function openLocked(calls: FileSystemCalls, path: string): number | Held {
  const fd = openSync(path, constants.O_RDWR | constants.O_CREAT, 0o644);
  try {
    if (!calls.tryLock(fd)) {
      // Behind the first line may be what is left of an earlier holder's.
      const [holder = ""] = readFileSync(fd, "utf8").split("\n", 1);
      closeSync(fd);
      return { holder: holder.trim() || "another process" };
    }
    const mine = Buffer.from(`process ${process.pid} on ${hostname()}\n`);
    writeAll(fd, mine, 0);
    cutOff(fd, mine.length);
    return fd;
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

/** Closing alone is not enough: a child that this process is just starting holds the descriptor, too, until it is another program. */
export function unlockAndClose(calls: FileSystemCalls, fd: number): void {
  calls.unlock(fd);
  closeSync(fd);
}

function isAt(fd: number, path: string): boolean {
  return ownStampAt(path) === ownStamp(identityOfDescriptor(fd));
}

/** Waits for what `attempt` tries; rejects when the signal fires. */
export async function takeLock(attempt: () => Lock | Held, signal: AbortSignal): Promise<Lock> {
  // As many may wait as there are shards; Node would warn of a leak.
  setMaxListeners(0, signal);
  for (;;) {
    const outcome = attempt();
    if (!isHeld(outcome)) return outcome;
    await sleep(POLL_MS, undefined, { signal });
  }
}
