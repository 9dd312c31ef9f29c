// What the addon throws, in the words and exit codes of theta.

import type { Engine, NativeTask, TaskNeeds } from "../../native/addon-types.ts";
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
  const { syscall } = error as EngineError;
  if (isOutOfMemory(error)) return outOfMemory(error, label);
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

/** What the engine says a task takes. Throws a Failure (71) where that is more than `--memory`. */
export function needsOfTask(engine: Engine, task: NativeTask): TaskNeeds {
  try {
    return engine.needs(task);
  } catch (error) {
    throw isOutOfMemory(error) ? outOfMemory(error, task.label) : error;
  }
}

function isOutOfMemory(error: unknown): error is Error {
  return error instanceof Error && (error as EngineError).code === "memory";
}

function outOfMemory(error: Error, label: string): Failure {
  const help = "raise --memory";
  return new Failure(EXIT.resources, `${label}: ${error.message}`, { code: "out-of-memory", help }, error);
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
