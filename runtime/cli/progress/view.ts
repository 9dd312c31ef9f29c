// What every progress view is: an observer that is told when the build is over.

import type { BuildObserver } from "../../progress.ts";

export interface ProgressView extends BuildObserver {
  /** Stops drawing; nothing may be reported afterwards. Diagnostics held back while drawing are printed now. */
  close(outcome: "done" | "failed"): Promise<void>;
}
