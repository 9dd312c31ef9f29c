// What a running build needs of the store, for garbage collection to leave alone: a locked file that names shards. The
// kernel ends the lock with the process, so a lease of a build that was killed holds nothing. Both sides work under the
// store's mutation lock, which the callers hold.

import { randomUUID } from "node:crypto";
import { closeSync, openSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { FileSystemCalls } from "../../native/addon-types.ts";
import { writeAll } from "./durable.ts";

const PREFIX = "build-";

export class Lease {
  readonly #calls: FileSystemCalls;
  readonly #path: string;
  /** Undefined until something is needed: a build with nothing to do leaves no trace. */
  #fd: number | undefined;

  constructor(calls: FileSystemCalls, locks: string) {
    this.#calls = calls;
    this.#path = join(locks, `${PREFIX}${process.pid}-${randomUUID({ disableEntropyCache: true })}`);
  }

  /** Call it under the mutation lock. */
  pin(digests: readonly string[]): void {
    if (digests.length === 0) return;
    if (this.#fd === undefined) {
      this.#fd = openSync(this.#path, "ax", 0o644);
      if (!this.#calls.tryLock(this.#fd)) throw new Error(`${this.#path} is locked by somebody else`);
    }
    writeAll(this.#fd, Buffer.from(digests.map((digest) => `${digest}\n`).join("")), null);
  }

  release(): void {
    if (this.#fd === undefined) return;
    rmSync(this.#path, { force: true });
    closeSync(this.#fd);
    this.#fd = undefined;
  }
}

/** Digests that running builds need. Forgets leases whose build has ended. Call it under the mutation lock. */
export function leasedDigests(calls: FileSystemCalls, locks: string): ReadonlySet<string> {
  return digestsOf(locks, (fd, path) => {
    const ended = calls.tryLock(fd);
    if (ended) rmSync(path, { force: true });
    return !ended;
  });
}

/** Those of builds that were killed, too. */
export function allLeases(locks: string): ReadonlySet<string> {
  return digestsOf(locks, () => true);
}

function digestsOf(locks: string, counts: (fd: number, path: string) => boolean): ReadonlySet<string> {
  const digests = new Set<string>();
  for (const name of readdirSync(locks)) {
    const path = join(locks, name);
    const fd = name.startsWith(PREFIX) ? openOrGone(path) : undefined;
    if (fd === undefined) continue;
    try {
      if (!counts(fd, path)) continue;
      for (const line of readFileSync(fd, "utf8").split("\n")) if (line !== "") digests.add(line);
    } finally {
      closeSync(fd);
    }
  }
  return digests;
}

/** A build that ends takes its lease with it, without the mutation lock. */
function openOrGone(path: string): number | undefined {
  try {
    return openSync(path, "r");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}
