// Side files of an output that somebody changed since this store wrote them, and whose change publishing takes away: who made
// it must hear of it. Bytes are compared, for an output that was copied or restored has other stamps and nothing is lost.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Diagnostic } from "../../dsl/diagnostic.ts";
import type { SideFile } from "../checkpoint/side-files.ts";
import { ownStampAt } from "../store/file-identity.ts";
import { sha256 } from "../store/sha256.ts";
import type { FinishedOutput } from "./finished-output.ts";

/** Call it before the output is published, and tell it when that is done. */
export function editedSideFiles({ wanted, sideFiles }: FinishedOutput): readonly Diagnostic[] {
  const { graph, path, record } = wanted;
  const edited = (record?.sideFiles ?? []).filter(({ name, stamp, digest }) => {
    const present = bytesAt(join(path, name), stamp);
    if (present === undefined || `sha256:${sha256(present)}` === digest) return false;
    // Also what a build wrote that was cut off before its record.
    const file = sideFiles.find((one) => one.name === name);
    const next = file && bytesOf(file);
    return next === undefined || !present.equals(next);
  });
  if (edited.length === 0) return [];
  const names = edited.map(({ name }) => name).join(", ");
  const [was, it, change] = edited.length === 1 ? ["was", "it", "change"] : ["were", "them", "changes"];
  return [
    {
      code: "edited-side-file",
      severity: "warning",
      message: `${names} of "${graph.output.display}" ${was} changed since theta wrote ${it}; publishing took the ${change} away`,
      help: "a change lasts in the model that a file is copied from, and in files that theta does not write",
    },
  ];
}

/** Undefined for what is gone, or is as this store wrote it. */
function bytesAt(path: string, stamp: string): Buffer | undefined {
  return attempt(() => {
    const now = ownStampAt(path);
    return now === undefined || now === stamp ? undefined : readFileSync(path);
  });
}

function bytesOf(file: SideFile): Uint8Array | undefined {
  return "content" in file ? file.content : attempt(() => readFileSync(file.copyOf));
}

/** What cannot be read is told by publishing, which needs it more. */
function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
