// Reads a file that the command line names.

import { SourceFailure } from "../checkpoint/problem.ts";
import { type OpenedFiles, readWhole, type SourceFile } from "../checkpoint/source-file.ts";
import { LARGEST_RECIPE } from "../compiler-host.ts";
import { EXIT, Failure } from "../failure.ts";

/** @throws Failure (66): missing, not a regular file, not readable, or far larger than such a file is */
export function readNamedFile(file: SourceFile, opened: OpenedFiles): Uint8Array {
  try {
    return readWhole(file, opened, LARGEST_RECIPE);
  } catch (error) {
    if (!(error instanceof SourceFailure)) throw error;
    const { code, message, help } = error.problem;
    throw new Failure(EXIT.input, message, { code, ...(help !== undefined && { help }) }, error);
  }
}
