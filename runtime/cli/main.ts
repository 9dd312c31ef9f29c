// The process: signals, bugs in callbacks, and the one way out. What a command does is run.ts' business.

import { EXIT } from "../failure.ts";
import { tooOldNode } from "./node-version.ts";
import { reportInternalError } from "./report-failure.ts";
import { run } from "./run.ts";
import { writeMessage } from "./terminal.ts";

const tooOld = tooOldNode(process.versions.node);
if (tooOld !== undefined) {
  writeMessage(`error[node-version]: ${tooOld}`);
  process.exit(EXIT.config);
}

const argv = process.argv.slice(2);
const interrupt = new AbortController();
let signalled = 0;

for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.on(name, (_name: string, signal: number) => {
    // The second time the user means it: leave at once. Unfinished work lies under partial names only.
    if (signalled !== 0) process.exit(128 + signal);
    signalled = signal;
    interrupt.abort();
  });
}

// A bug in a callback must end like any other bug, not with Node's own trace and exit code 1.
process.on("uncaughtException", (error) => {
  reportInternalError(error, argv);
  process.exit(EXIT.internal);
});
process.on("unhandledRejection", (error) => {
  throw error;
});

void run(argv, interrupt.signal).then((code) => {
  // Output is written synchronously, so nothing is lost by not waiting for idle handles of libraries.
  process.exit(signalled === 0 ? code : 128 + signalled);
});
