// How payloads are read without a recipe, out of settings and flags.

import type { OpenedFiles } from "../checkpoint/source-file.ts";
import type { PayloadOptions } from "../compare/payloads.ts";
import type { Flags } from "./invocation.ts";
import type { Settings } from "./settings.ts";
import { writeMessage } from "./terminal.ts";

export function payloadOptions(
  { threads, memory, chunk, store }: Settings,
  flags: Flags,
  opened: OpenedFiles,
): Omit<PayloadOptions, "onProgress"> {
  return {
    engine: { threads, memory, chunk },
    store,
    trustRemoteStat: flags.trustRemoteStat ?? false,
    opened,
    onWarning: (message) => flags.quiet || writeMessage(`warning: ${message}\n`),
  };
}
