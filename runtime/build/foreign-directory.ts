// An output's directory that theta did not write: refused before any work, and not when all of it is done.

import type { BuildContext } from "../build-context.ts";
import { ownFiles } from "../output/own-files.ts";
import { outputFailure } from "./engine-failure.ts";
import { recordedFiles } from "./finished-output.ts";
import type { WantedOutput } from "./wanted-output.ts";

/** Throws a Failure (73). */
export function refuseForeignDirectory(wanted: WantedOutput, { adopt }: Pick<BuildContext, "adopt">): void {
  const { display } = wanted.graph.output;
  try {
    ownFiles(wanted.path, display, recordedFiles(wanted), adopt);
  } catch (error) {
    throw outputFailure(error, display, wanted.path);
  }
}
