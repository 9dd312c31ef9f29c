// A vector that `output` wrote: the files of a model whose tensors are changes, and theta.json naming the base.

import type { SourceProblem, StoredVector } from "../../compiler/checkpoint.ts";
import { printable } from "../../dsl/printable.ts";
import { readWeights } from "./model-directory.ts";
import { fail, orProblem, quoted } from "./problem.ts";
import { type OpenedFiles, inside, kindOf, missing, namesIn } from "./source-file.ts";
import { THETA_FILE, readThetaFile } from "./theta-file.ts";

/** As `readModel`. */
export function readVector(path: string, display: string, opened: OpenedFiles): StoredVector | SourceProblem {
  return orProblem(() => {
    const directory = { path, display: printable(display) };
    const kind = kindOf(directory);
    if (kind === undefined) missing(directory);
    const names = kind === "directory" ? namesIn(directory) : [];
    if (!names.includes(THETA_FILE)) {
      const help = 'a vector is a directory that an output of theta wrote; declare a fine-tune with "model"';
      fail("source-kind", `${directory.display} has no ${THETA_FILE}, so it is not a vector`, help);
    }
    const { kind: written, baseDigest, aliases } = readThetaFile(inside(directory, THETA_FILE), opened);
    if (written !== "vector" || baseDigest === undefined) {
      fail("source-kind", `${directory.display} is a model that theta wrote, not a vector`, 'declare it with "model"');
    }
    const { tensors, tied } = readWeights(directory, names, opened);
    if (tensors.size === 0) fail("empty-checkpoint", `${directory.display} holds no tensors`);
    for (const [alias, stored] of aliases) {
      if (tensors.has(alias) || !tensors.has(stored)) {
        const sentence = `the alias ${quoted(alias)} of ${quoted(stored)} does not fit the tensors`;
        fail("bad-vector", `${inside(directory, THETA_FILE).display}: ${sentence}`);
      }
    }
    return { kind: "vector", path, display, tensors, aliases: new Map([...tied, ...aliases]), baseDigest };
  });
}
