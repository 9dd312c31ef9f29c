// `--quiet`: diagnostics alone.

import type { Diagnostic } from "../../../dsl/diagnostic.ts";
import type { ProgressView } from "./view.ts";

export function createQuietProgress(print: (diagnostic: Diagnostic) => void): ProgressView {
  return {
    phase: () => undefined,
    work: () => undefined,
    actionDone: () => undefined,
    bytes: () => undefined,
    gateJudged: () => undefined,
    outputPublished: () => undefined,
    diagnostic: print,
    close: () => Promise.resolve(),
  };
}
