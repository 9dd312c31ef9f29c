// Prints why a command could not do its work. No stack trace reaches a user, except for bugs under --verbose.

import { printable } from "../../dsl/printable.ts";
import { EXIT, Failure } from "../failure.ts";
import { annotationOfFailure, isOnGitHub } from "./github/workflow-commands.ts";
import { writeJson, writeMessage } from "./terminal.ts";

export function reportFailure(failure: Failure, json: boolean): void {
  if (json) writeJson({ schema: "theta.error/1", type: "error", ...failureJson(failure) });
  printFailure(failure);
}

/** On GitHub it is an annotation, too. */
export function printFailure(failure: Failure): void {
  writeMessage(`${failureText(failure)}\n`);
  if (isOnGitHub()) writeMessage(annotationOfFailure(failure));
}

export function failureJson({ exitCode, message, details: { code, facts, help } }: Failure): object {
  return { code, exit_code: exitCode, message, ...(facts && { facts }), ...(help !== undefined && { help }) };
}

/** Several lines, without a line end behind the last. */
export function failureText({ message, details: { code, facts, help } }: Failure): string {
  const lines = [`error[${code}]: ${printable(message)}`];
  for (const fact of facts ?? []) lines.push(`   ${printable(fact)}`);
  if (help !== undefined) lines.push(`   help: ${printable(help)}`);
  return lines.join("\n");
}

/** `argv`: the flags may be what could not be parsed. */
export function reportInternalError(error: unknown, argv: readonly string[]): void {
  const message = error instanceof Error ? error.message : String(error);
  const verbose = argv.includes("-v") || argv.includes("--verbose");
  if (argv.includes("--json")) {
    writeJson({ schema: "theta.error/1", type: "error", code: "internal", exit_code: EXIT.internal, message });
  }
  const stack = error instanceof Error && verbose ? `\n${error.stack ?? ""}` : "";
  writeMessage(
    `error[internal]: ${printable(message)}${stack}\n` +
      `   this is a mistake in theta, not in your recipe; nothing was published\n` +
      `   help: run again with --verbose and report what it prints\n`,
  );
  if (isOnGitHub()) writeMessage(annotationOfFailure(new Failure(EXIT.internal, message, { code: "internal" })));
}
