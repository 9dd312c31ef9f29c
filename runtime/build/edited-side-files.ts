// Side files of an output that somebody changed since theta wrote them: they are written anew, and who changed them must hear
// of it. Their bytes are compared, for an output that was copied or restored has other stamps and nothing was lost.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Diagnostic } from "../../dsl/diagnostic.ts";
import { ownStampAt } from "../store/file-identity.ts";
import { sha256 } from "../store/sha256.ts";
import type { WantedOutput } from "./wanted-output.ts";

/** Call it before the output is published. */
export function editedSideFiles({ graph, path, record }: WantedOutput): readonly Diagnostic[] {
  const edited = (record?.sideFiles ?? []).filter(({ name, stamp, digest }) => {
    const now = ownStampAt(join(path, name));
    return now !== undefined && now !== stamp && digestAt(join(path, name)) !== digest;
  });
  if (edited.length === 0) return [];
  const names = edited.map(({ name }) => name).join(", ");
  return [
    {
      code: "edited-side-file",
      severity: "warning",
      message: `${names} of "${graph.output.display}" was changed since theta wrote it, and is written anew`,
      help: "what is to last belongs into the model that the file comes from, or into a file of another name",
    },
  ];
}

/** Undefined for what cannot be read, which is not what theta wrote. */
function digestAt(path: string): string | undefined {
  try {
    return `sha256:${sha256(readFileSync(path))}`;
  } catch {
    return undefined;
  }
}
