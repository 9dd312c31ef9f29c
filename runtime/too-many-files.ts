// EMFILE and ENFILE, wherever a call meets them.

import { EXIT, Failure } from "./failure.ts";

export function isTooManyFiles(code: string | undefined): boolean {
  return code === "EMFILE" || code === "ENFILE";
}

/** `what` could not be opened. */
export function tooManyFiles(what: string, cause: unknown): Failure {
  const help = "raise the limit of open files (ulimit -n)";
  return new Failure(EXIT.resources, `${what}: too many files are open`, { code: "too-many-files", help }, cause);
}
