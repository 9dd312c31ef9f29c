// Arguments → command → exit code. Knows no command's work, and nothing of the process but its working directory.

import { EXIT, Failure } from "../failure.ts";
import { systemErrorText } from "../system-error.ts";
import { isTooManyFiles, tooManyFiles } from "../too-many-files.ts";
import { parseCommandLine } from "./command-line.ts";
import type { Invocation } from "./invocation.ts";
import { reportFailure, reportInternalError } from "./report-failure.ts";
import { lostOutput, writeMessage, writeOutput } from "./terminal.ts";
import { VERSION } from "./version.ts";

/** Runs one command and says why when it fails; never rejects. Once `signal` fired, the code means nothing. */
export async function run(argv: readonly string[], signal: AbortSignal): Promise<number> {
  const code = await runOrReport(argv, signal);
  const lost = lostOutput();
  if (lost === undefined || code !== EXIT.done) return code;
  const details = { code: "stdout-not-writable", help: "what was asked for is done, and could not be told" } as const;
  reportFailure(
    new Failure(EXIT.output, `standard output cannot be written: ${systemErrorText(lost)}`, details),
    false,
  );
  return EXIT.output;
}

async function runOrReport(argv: readonly string[], signal: AbortSignal): Promise<number> {
  try {
    const invocation = parseCommandLine(argv, VERSION);
    if (invocation.verb === "answer") {
      writeOutput(invocation.text);
      return EXIT.done;
    }
    changeDirectory(invocation.flags.directory);
    return await runCommand(invocation, signal).finally(() => sayInterrupted(invocation, signal));
  } catch (error) {
    // Whatever it says, it follows from being interrupted.
    if (signal.aborted) return EXIT.internal;
    const failure = knownFailure(error);
    if (failure === undefined) reportInternalError(error, argv);
    else reportFailure(failure, argv.includes("--json"));
    return failure?.exitCode ?? EXIT.internal;
  }
}

/** Undefined for a mistake of ours. Any import may be the one that finds too many files open. */
function knownFailure(error: unknown): Failure | undefined {
  if (error instanceof Failure) return error;
  return isTooManyFiles((error as NodeJS.ErrnoException).code) ? tooManyFiles("theta", error) : undefined;
}

function sayInterrupted({ verb }: Invocation, signal: AbortSignal): void {
  if (!signal.aborted) return;
  const kept = verb === "build" ? "; what is finished is kept, and the next build goes on from there" : "";
  writeMessage(`Interrupted${kept}\n`);
}

function changeDirectory(directory: string | undefined): void {
  try {
    if (directory !== undefined) process.chdir(directory);
    process.cwd();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const why = code === "ENOENT" ? "there is no such directory" : "it cannot be entered";
    const message = directory === undefined ? "the working directory is not there any more" : `-C ${directory}: ${why}`;
    const help = "change into a directory that is there, or name one with -C";
    throw new Failure(EXIT.usage, message, { code: "no-such-directory", help }, error);
  }
}

// Loaded when asked for: `theta check` should not pay for the store and its database.
async function runCommand(invocation: Invocation, signal: AbortSignal): Promise<number> {
  const { flags } = invocation;
  switch (invocation.verb) {
    case "init":
      return (await import("./commands/init.ts")).init(invocation.directory ?? ".", flags);
    case "check":
      return (await import("./commands/check.ts")).check(invocation.recipe, flags);
    case "lock":
      return (await import("./commands/lock.ts")).lock(invocation.recipe, flags, signal);
    case "explain":
      return (await import("./commands/explain.ts")).explain(invocation.recipe, flags);
    case "plan":
      return (await import("./commands/plan.ts")).plan(invocation.recipe, flags, signal);
    case "why":
      return (await import("./commands/why.ts")).why(invocation.name, invocation.recipe, flags);
    case "inspect":
      return (await import("./commands/inspect.ts")).inspect(invocation.checkpoint, flags, signal);
    case "diff":
      return (await import("./commands/diff.ts")).diff(invocation.a, invocation.b, flags, signal);
    case "cache":
      return (await import("./commands/cache.ts")).cache(invocation.action, invocation.recipe, flags, signal);
    case "build":
      return (await import("./commands/build.ts")).build(invocation.recipe, flags, signal);
  }
}
