// Prints why a command could not do its work. No stack trace reaches a user, except for bugs under --verbose.

import { printable } from "../../dsl/printable.ts";
import { diagnosticToJson, renderDiagnostic, type Told } from "../../dsl/render-diagnostic.ts";
import { EXIT, type Failure } from "../failure.ts";
import { annotationOf, isOnGitHub } from "./github/workflow-commands.ts";
import { writeJson, writeMessage } from "./terminal.ts";

export function reportFailure(failure: Failure, json: boolean): void {
  if (json) writeJson({ schema: "theta.error/1", type: "error", ...failureJson(failure) });
  printFailure(failure);
}

/** On GitHub it is an annotation, too. */
export function printFailure(failure: Failure): void {
  writeMessage(`${failureText(failure)}\n`);
  if (isOnGitHub()) writeMessage(annotationOf(toldOf(failure)));
}

export function failureJson(failure: Failure): object {
  return toldJson(toldOf(failure), failure.exitCode);
}

function toldJson(told: Told, exitCode: number): object {
  const { code, ...more } = diagnosticToJson(told);
  return { code, exit_code: exitCode, ...more };
}

/** Several lines, without a line end behind the last. */
export function failureText(failure: Failure): string {
  return renderDiagnostic(toldOf(failure));
}

function toldOf({ message, details }: Failure): Told {
  return { ...details, severity: "error", message };
}

/** `argv`: the flags may be what could not be parsed. */
export function reportInternalError(error: unknown, argv: readonly string[]): void {
  const message = error instanceof Error ? error.message : String(error);
  const told = { severity: "error", code: "internal", message } as const;
  const verbose = argv.includes("-v") || argv.includes("--verbose");
  if (argv.includes("--json")) {
    writeJson({ schema: "theta.error/1", type: "error", ...toldJson(told, EXIT.internal) });
  }
  const stack = error instanceof Error && verbose ? `\n${error.stack ?? ""}` : "";
  writeMessage(
    `error[internal]: ${printable(message)}${stack}\n` +
      `   this is a mistake in theta, not in your recipe; nothing was published\n` +
      `   help: run again with --verbose and report what it prints\n`,
  );
  if (isOnGitHub()) writeMessage(annotationOf(told));
}
