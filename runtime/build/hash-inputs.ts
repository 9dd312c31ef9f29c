// Reads input tensors for their digests alone, each once.

import type { TensorInfo } from "../../compiler/checkpoint.ts";
import type { Engine } from "../../native/addon-types.ts";
import type { Failure } from "../failure.ts";
import { engineFailure } from "./engine-failure.ts";
import { isOfOneOutput } from "./failed-outputs.ts";
import type { InputFiles } from "./input-files.ts";
import type { Standings } from "./look-up.ts";
import type { WantedOutput } from "./wanted-output.ts";

/**
 * Cancels the engine and throws a Failure (66, 71) when one cannot be read; under `keepGoing` returns those Failures, by
 * the tensors' places, unless nothing else could be read either. Throws a Failure (66) for all that are not as locked.
 * `store` is for the message.
 */
export async function hashInputs(
  engine: Engine,
  inputs: InputFiles,
  tensors: Iterable<TensorInfo>,
  store: string,
  keepGoing: boolean,
): Promise<ReadonlyMap<string, Failure>> {
  const byPlace = new Map([...tensors].map((tensor) => [inputs.place(tensor), tensor]));
  const failures = new Map<string, Failure>();
  let cause: { readonly error: unknown } | undefined;
  const hash = async (place: string, tensor: TensorInfo): Promise<void> => {
    try {
      const fd = await inputs.open(tensor);
      const { offset, dtype, shape } = tensor;
      const input = { fd, offset, dtype, shape, digest: true };
      const { inputDigests } = await engine.run({ kind: "hash", label: tensor.name, inputs: [input] });
      await inputs.note([tensor], inputDigests);
    } catch (error) {
      const failure = engineFailure(error, `${tensor.name} of ${tensor.file}`, store);
      if (keepGoing && isOfOneOutput(failure)) {
        failures.set(place, failure);
        return;
      }
      cause ??= { error: failure };
      engine.cancel();
    }
  };
  await Promise.all([...byPlace].map(([place, tensor]) => hash(place, tensor)));
  if (cause !== undefined) throw cause.error;
  inputs.save();
  inputs.checkLocked(byPlace.values());
  return failures;
}

/** Tensors whose digests must be known before it is known what runs. */
export function tensorsToHash(
  outputs: readonly WantedOutput[],
  standings: Standings,
  inputs: InputFiles,
): readonly TensorInfo[] {
  const wanted: TensorInfo[] = [];
  for (const { graph } of outputs) {
    for (const action of graph.actions) {
      const standing = standings.get(action);
      if (standing?.state === "unknown" && standing.mayHit) wanted.push(...standing.missing);
      for (const { tensor } of action.mustEqual ?? []) wanted.push(tensor);
    }
    // Vectors name their bases by all tensors of them; those that an action reads are hashed in passing.
    const bases = [graph.base, ...(graph.storedVectors ?? []).map((vector) => vector.base)];
    const named = bases.flatMap((base) => [...(base?.tensors.values() ?? [])]);
    if (named.length === 0) continue;
    const read = new Set(graph.actions.flatMap((action) => action.inputs.map(({ tensor }) => tensor)));
    for (const tensor of named) if (!read.has(tensor)) wanted.push(tensor);
  }
  return wanted.filter((tensor) => inputs.digest(tensor) === undefined);
}
