// Node's own module, loaded at the first use: commander asks for it when theta starts, which takes milliseconds, and uses
// it for subcommands that are programs of their own, of which theta has none.

import type { spawn as Spawn } from "node:child_process";

export const spawn = ((...given: Parameters<typeof Spawn>) =>
  process.getBuiltinModule("node:child_process").spawn(...given)) as typeof Spawn;
