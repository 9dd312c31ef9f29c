// What is somebody else's in the place of an output: refused before any work, and not when all of it is done.

import type { BuildContext } from "../build-context.ts";
import { contentNames } from "../output/output-content.ts";
import { checkForeignFiles, holdsForeign, ownFiles } from "../output/own-files.ts";
import { outputFailure } from "./engine-failure.ts";
import { recordedFiles } from "./finished-output.ts";
import type { WantedOutput } from "./wanted-output.ts";

/** Throws a Failure (73) for a directory, or a file in it, that theta did not write. */
export function refuseForeignContent(wanted: WantedOutput, { adopt }: Pick<BuildContext, "adopt">): void {
  const { graph, path, shards, index } = wanted;
  const { display } = graph.output;
  try {
    const own = ownFiles(path, display, recordedFiles(wanted), adopt);
    // Publishing looks again: this is only to know it early. What side files there will be is worth listing for
    // directories alone that hold something else.
    if (!holdsForeign(path, own)) return;
    const names = [...shards.map(({ file }) => file.name), ...contentNames(graph, index)];
    checkForeignFiles(path, display, names, own, adopt);
  } catch (error) {
    throw outputFailure(error, display, path);
  }
}
