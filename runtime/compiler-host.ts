// The compiler's door to the file system: recipes and checkpoint headers, read once each. Knows nothing of payloads.

import type { CompilerHost, SourceProblem } from "../compiler/checkpoint.ts";
import { printable } from "../dsl/printable.ts";
import { readAdapter } from "./checkpoint/adapter.ts";
import { readModel } from "./checkpoint/model-directory.ts";
import { orProblem } from "./checkpoint/problem.ts";
import { type OpenedFiles, readText } from "./checkpoint/source-file.ts";
import { readVector } from "./checkpoint/vector-directory.ts";
import { listSources } from "./source-glob.ts";

/** Far more than people write; keeps a wrong path from filling the memory. */
export const LARGEST_RECIPE = 16_000_000;

interface RecordingHost extends CompilerHost {
  /** Every file that was opened, as it was then. */
  readonly opened: OpenedFiles;
}

/** One host serves one command: what it has read it does not look at again. */
export function createCompilerHost(): RecordingHost {
  const opened: OpenedFiles = new Map();
  type Reader<T> = (path: string, display: string) => T;
  const once = <T>(read: (path: string, display: string, opened: OpenedFiles) => T): Reader<T> => {
    const known = new Map<string, T>();
    return (path, display) => {
      // Messages use the display name, so the same path under another name is read again.
      const key = JSON.stringify([path, display]);
      const answer = known.get(key) ?? read(path, display, opened);
      known.set(key, answer);
      return answer;
    };
  };
  const recipes = new Map<string, { readonly text: string } | SourceProblem>();
  return {
    opened,
    readRecipe(path) {
      const known = recipes.get(path);
      if (known !== undefined) return known;
      const answer = orProblem(() => ({ text: readText({ path, display: printable(path) }, opened, LARGEST_RECIPE) }));
      recipes.set(path, answer);
      return answer;
    },
    readModel: once(readModel),
    readAdapter: once(readAdapter),
    readVector: once(readVector),
    listSources,
  };
}
