// EMFILE and ENFILE, wherever a call meets them.

import { closeSync, openSync } from "node:fs";
import { EXIT, Failure } from "./failure.ts";

export function isTooManyFiles(code: string | undefined): boolean {
  return code === "EMFILE" || code === "ENFILE";
}

/** `what` could not be opened. */
export function tooManyFiles(what: string, cause: unknown): Failure {
  const help = "raise the limit of open files (ulimit -n)";
  return new Failure(EXIT.resources, `${what}: too many files are open`, { code: "too-many-files", help }, cause);
}

/** Throws a Failure unless so many more can be open: for a library that ends the process, or blames something else, where they cannot. */
export function needDescriptors(count: number, what: string): void {
  const opened: number[] = [];
  try {
    while (opened.length < count) opened.push(openSync("/dev/null", "r"));
  } catch (error) {
    throw isTooManyFiles((error as NodeJS.ErrnoException).code) ? tooManyFiles(what, error) : error;
  } finally {
    opened.forEach(closeSync);
  }
}
