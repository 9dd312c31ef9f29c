// A stored vector says which base it was taken from, by the digest of its content. Only when all payloads of the base
// that the recipe names are known can that be compared, so it is asked before the work and again behind it.

import type { VectorOnBase } from "../../compiler/tensor-graph.ts";
import { checkpointDigest } from "../checkpoint/theta-file.ts";
import { EXIT, Failure } from "../failure.ts";
import type { InputFiles } from "./input-files.ts";
import type { WantedOutput } from "./wanted-output.ts";

/** Throws a Failure (66) for a vector of an output that belongs to another base; passes what is not known yet. */
export function checkVectorBases({ graph }: WantedOutput, inputs: InputFiles): void {
  for (const vector of graph.storedVectors ?? []) {
    const actual = digestOf(vector, inputs);
    if (actual === undefined || actual === vector.baseDigest) continue;
    throw new Failure(EXIT.input, `${vector.display} was taken from another base than ${vector.base.display}`, {
      code: "bad-vector",
      span: vector.span,
      facts: [`taken from  ${vector.baseDigest}`, `${vector.base.display}  ${actual}`],
      help: `name the base that it belongs to behind "on", and rebase(${vector.name}, …) to use it with another`,
    });
  }
}

function digestOf({ base }: VectorOnBase, inputs: InputFiles): string | undefined {
  const entries = [...base.tensors.values()].map((tensor) => ({ ...tensor, digest: inputs.digest(tensor) }));
  return entries.every((entry): entry is typeof entry & { readonly digest: string } => entry.digest !== undefined)
    ? checkpointDigest(entries)
    : undefined;
}
