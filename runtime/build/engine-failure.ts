// What the addon throws, in the words and exit codes of theta.

import { EXIT, Failure } from "../failure.ts";
import { diskFullDuringWork } from "../store/disk-space.ts";
import { isNoSpace, systemErrorName, systemErrorText } from "../system-error.ts";
import { isTooManyFiles, tooManyFiles } from "../too-many-files.ts";

interface EngineError {
  readonly code?: string;
  readonly syscall?: string;
  readonly message: string;
}

/** `store`: where results are written. Returns what it does not know as it is. */
export function engineFailure(error: unknown, label: string, store: string): unknown {
  if (!(error instanceof Error) || error instanceof Failure) return error;
  const { code, syscall } = error as EngineError;
  if (code === "memory") {
    const help = "raise --memory";
    return new Failure(EXIT.resources, `${label}: ${error.message}`, { code: "out-of-memory", help }, error);
  }
  const name = systemErrorName(error);
  if (name === undefined) return error;
  if (isNoSpace(name)) return diskFullDuringWork(store, error);
  if (isTooManyFiles(name)) return tooManyFiles(label, error);
  if (syscall?.startsWith("pread") === true || syscall === "read") {
    const message = `${label}: an input cannot be read: ${systemErrorText(error)}`;
    return new Failure(EXIT.input, message, { code: "source-unreadable" }, error);
  }
  const message = `${label}: the store ${store} cannot be written: ${systemErrorText(error)}`;
  return new Failure(EXIT.output, message, { code: "store-not-writable" }, error);
}

/** What a file system call threw while an output was published or recovered. */
export function outputFailure(error: unknown, display: string, path: string): unknown {
  if (!(error instanceof Error) || error instanceof Failure) return error;
  const name = systemErrorName(error);
  if (name === undefined) return error;
  if (isNoSpace(name)) return diskFullDuringWork(path, error);
  if (isTooManyFiles(name)) return tooManyFiles(`the output "${display}"`, error);
  const message = `the output "${display}" cannot be written: ${systemErrorText(error)}`;
  return new Failure(EXIT.output, message, { code: "output-not-writable" }, error);
}
