// Arguments → command → exit code. Knows no command's work; every way out of the process goes through here.

import { EXIT, Failure } from "../failure.ts";
import { parseCommandLine, type Invocation } from "./command-line.ts";
import { reportFailure, reportInternalError } from "./report-failure.ts";
import { writeOutput } from "./terminal.ts";
import { VERSION } from "./version.ts";

/** Runs one command; never rejects. */
async function main(argv: readonly string[]): Promise<number> {
  const json = argv.includes("--json");
  const interrupt = new AbortController();
  let signalled = 0;
  const onSignal = (_name: string, signal: number): void => {
    // The second time the user means it: leave at once. Unfinished work lies under partial names only.
    if (signalled !== 0) process.exit(128 + signal);
    signalled = signal;
    interrupt.abort();
  };
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(name, onSignal);
  try {
    const invocation = parseCommandLine(argv, VERSION);
    if (invocation.verb === "answer") {
      writeOutput(invocation.text);
      return EXIT.done;
    }
    changeDirectory(invocation.flags.directory);
    const code = await runCommand(invocation, interrupt.signal);
    return signalled === 0 ? code : 128 + signalled;
  } catch (error) {
    if (signalled !== 0) return 128 + signalled;
    if (error instanceof Failure) {
      reportFailure(error, json);
      return error.exitCode;
    }
    reportInternalError(error, json, argv.includes("-v") || argv.includes("--verbose"));
    return EXIT.internal;
  }
}

function changeDirectory(directory: string | undefined): void {
  if (directory === undefined) return;
  try {
    process.chdir(directory);
  } catch (error) {
    throw new Failure(EXIT.usage, `-C ${directory}: ${(error as Error).message}`, { code: "no-such-directory" }, error);
  }
}

// Loaded when asked for: `theta check` should not pay for the store and its database.
async function runCommand(invocation: Invocation, signal: AbortSignal): Promise<number> {
  const { flags, path } = invocation;
  switch (invocation.verb) {
    case "init":
      return (await import("./commands/init.ts")).init(path ?? ".", flags);
    case "check":
      return (await import("./commands/check.ts")).check(path, flags);
    case "explain":
      return (await import("./commands/explain.ts")).explain(path, flags);
    case "plan":
      return (await import("./commands/plan.ts")).plan(path, flags, signal);
    case "build":
      return (await import("./commands/build.ts")).build(path, flags, signal);
  }
}

// A bug in a callback must end like any other bug, not with Node's own trace and exit code 1.
process.on("uncaughtException", (error) => {
  reportInternalError(error, process.argv.includes("--json"), process.argv.includes("-v"));
  process.exit(EXIT.internal);
});
process.on("unhandledRejection", (error) => {
  throw error;
});

// Output is written synchronously, so nothing is lost by not waiting for idle handles of libraries.
process.exit(await main(process.argv.slice(2)));
