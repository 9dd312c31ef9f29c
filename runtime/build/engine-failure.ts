// What the addon throws, in the words and exit codes of theta.

import { getSystemErrorName } from "node:util";
import { EXIT, Failure } from "../failure.ts";
import { diskFullDuringWork } from "../store/disk-space.ts";
import { isTooManyFiles, tooManyFiles } from "../too-many-files.ts";

interface EngineError {
  readonly code?: string;
  readonly errno?: number;
  readonly syscall?: string;
  readonly message: string;
}

const NO_SPACE = new Set(["ENOSPC", "EDQUOT"]);

/** `store`: where results are written. `needed`: bytes not written yet. Returns what it does not know as it is. */
export function engineFailure(error: unknown, label: string, store: string, needed: number): unknown {
  if (!(error instanceof Error) || error instanceof Failure) return error;
  const { code, errno, syscall } = error as EngineError;
  if (code === "memory") {
    const help = "raise --memory";
    return new Failure(EXIT.resources, `${label}: ${error.message}`, { code: "out-of-memory", help }, error);
  }
  const name = systemErrorName(code, errno);
  if (name === undefined) return error;
  if (NO_SPACE.has(name)) return diskFullDuringWork(store, needed, error);
  if (isTooManyFiles(name)) return tooManyFiles(label, error);
  if (syscall?.startsWith("pread") === true || syscall === "read") {
    const message = `${label}: an input cannot be read: ${error.message}`;
    return new Failure(EXIT.input, message, { code: "source-unreadable" }, error);
  }
  const message = `${label}: the store ${store} cannot be written: ${error.message}`;
  return new Failure(EXIT.output, message, { code: "store-not-writable" }, error);
}

/** What a file system call threw while an output was published or recovered. */
export function outputFailure(error: unknown, display: string, folder: string): unknown {
  if (!(error instanceof Error) || error instanceof Failure) return error;
  const { code, errno } = error as EngineError;
  const name = systemErrorName(code, errno);
  if (name === undefined) return error;
  if (NO_SPACE.has(name)) return diskFullDuringWork(folder, 0, error);
  if (isTooManyFiles(name)) return tooManyFiles(`the output "${display}"`, error);
  const message = `the output "${display}" cannot be written: ${error.message}`;
  return new Failure(EXIT.output, message, { code: "output-not-writable" }, error);
}

/** Engine errors carry a positive errno and the code "io"; Node's and the file system calls' carry the name. */
function systemErrorName(code: string | undefined, errno: number | undefined): string | undefined {
  if (code === "io" && errno !== undefined) return getSystemErrorName(-errno);
  return code !== undefined && /^E[A-Z0-9]+$/.test(code) ? code : undefined;
}
