// One build per output at a time, whatever store it builds with and however its recipe spells the way there: a lock in the
// store, and one beside the output, whose file goes away with it. Under them, what a killed build left is put in order.

import { rmdirSync } from "node:fs";
import { dirname, join } from "node:path";
import type { OutputGraph } from "../../compiler/tensor-graph.ts";
import type { FileSystemCalls } from "../../native/addon-types.ts";
import type { BuildContext } from "../build-context.ts";
import { EXIT, Failure } from "../failure.ts";
import { outputPaths } from "../output/output-paths.ts";
import { resolveLinks } from "../output/real-place.ts";
import { recoverOutput } from "../output/switch-output.ts";
import type { BuildObserver } from "../progress.ts";
import { isHeld, takeLock, tryLock, tryPassingLock, type Held, type Lock } from "../store/lock.ts";
import { existingParent, makeFolder } from "../store/make-folder.ts";
import { outputId, type StorePaths } from "../store/store-paths.ts";
import { outputFailure } from "./engine-failure.ts";

const MOST_ATTEMPTS = 3;

/**
 * Adds to `locks`, which the caller releases, the last one first, also when this throws. Throws a Failure: 73 a lock cannot
 * be made, 75 one is held and the build may not wait; and AbortError when the signal fired while it waited.
 */
export async function lockOutputs(
  calls: FileSystemCalls,
  store: StorePaths,
  outputs: readonly OutputGraph[],
  { noWait }: Pick<BuildContext, "noWait">,
  observer: BuildObserver,
  signal: AbortSignal,
  locks: Lock[],
): Promise<void> {
  const places = outputs.map(({ output: { path, display } }) => ({ path: resolveLinks(path), display }));
  const take = async (display: string, attempt: () => Lock | Held): Promise<void> => {
    const outcome = attempt();
    if (!isHeld(outcome)) {
      locks.push(outcome);
      return;
    }
    const message = `another build of "${display}" is running: ${outcome.holder}`;
    if (noWait) {
      const help = "wait for it, or leave out --no-wait";
      throw new Failure(EXIT.locked, message, { code: "output-locked", help });
    }
    observer.diagnostic({ code: "output-locked", severity: "warning", message: `${message}; waiting for it` });
    locks.push(await takeLock(attempt, signal));
  };
  // In one order everywhere, so two builds of the same outputs cannot wait for each other.
  for (const { path, display } of places.sort((a, b) => (a.path < b.path ? -1 : 1))) {
    await take(display, () => tryLock(calls, join(store.locks, outputId(path))));
    try {
      for (const file of outputPaths(path).locks) await take(display, () => tryLockPlace(calls, file));
      recoverOutput(outputPaths(path));
    } catch (error) {
      throw outputFailure(error, display, path);
    }
  }
}

/** Beside the output, where all its builds see it; folders that are made for it go away again when nothing fills them. */
function tryLockPlace(calls: FileSystemCalls, file: string): Lock | Held {
  const folder = dirname(file);
  for (let left = MOST_ATTEMPTS; ; left--) {
    const before = existingParent(folder);
    try {
      makeFolder(folder);
      const lock = tryPassingLock(calls, file);
      if (isHeld(lock)) return lock;
      const release = (): void => {
        lock.release();
        removeEmpty(folder, before);
      };
      return { release };
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      // Where no file can be made nobody can publish either; an output that is true already needs neither.
      if (code === "EACCES" || code === "EPERM" || code === "EROFS") return { release: () => undefined };
      // Another build that failed took the empty folder away.
      if (code !== "ENOENT" || left === 1) throw error;
    }
  }
}

function removeEmpty(folder: string, until: string): void {
  for (let at = folder; at !== until && at.startsWith(until); at = dirname(at)) {
    try {
      rmdirSync(at);
    } catch {
      // Something is in it: the output, most likely.
      return;
    }
  }
}
