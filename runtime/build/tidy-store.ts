// The garbage collection that a build does by itself, behind its work: only a build that stored something made the store
// grow.

import type { BuildObserver } from "../progress.ts";
import { DEFAULT_MAX_AGE } from "../store/choose-victims.ts";
import { collectGarbage } from "../store/collect-garbage.ts";
import { systemErrorText } from "../system-error.ts";
import type { Session } from "./session.ts";

/** What cannot be collected is a warning: the outputs are made. Rejects when the signal fires. */
export async function tidyStore({ addon, store, signal }: Session, observer: BuildObserver): Promise<void> {
  try {
    await collectGarbage(addon, store, { maxSize: undefined, maxAge: DEFAULT_MAX_AGE }, signal);
  } catch (error) {
    signal.throwIfAborted();
    if ((error as NodeJS.ErrnoException).syscall === undefined) throw error;
    const message = `the store ${store.paths.root} was not tidied: ${systemErrorText(error)}`;
    const help = "theta cache gc tries again";
    observer.diagnostic({ code: "store-not-tidied", severity: "warning", message, help });
  }
}
