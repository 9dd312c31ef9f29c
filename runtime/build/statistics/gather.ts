// Looks at windows of vectors, tensor by tensor: what several statistics want of one tensor is one task, so that a base which
// they share is read once. Digests that nobody knows are taken in passing.

import type { TensorInfo } from "../../../compiler/checkpoint.ts";
import type { ActionInput } from "../../../compiler/tensor-graph.ts";
import type { Engine, GatherTask, InputCounters } from "../../../native/addon-types.ts";
import { EXIT, Failure } from "../../failure.ts";
import { engineFailure } from "../engine-failure.ts";
import { isOfOneOutput } from "../failed-outputs.ts";
import type { InputFiles } from "../input-files.ts";
import { notFinite } from "../judge.ts";
import { byTensor, gatherTask, wantedOf, type GatherRequest } from "./gather-task.ts";
import type { Rankings } from "./rankings.ts";

/**
 * Throws when one fails: what failed first, for which the engine was cancelled; or, where the build goes on under
 * `keepGoing`, what failed of the first tensor of all that did. `store` is for the message.
 */
export async function gather(
  engine: Engine,
  inputs: InputFiles,
  rankings: Rankings,
  requests: readonly GatherRequest[],
  sample: GatherTask["sample"],
  store: string,
  keepGoing: boolean,
): Promise<void> {
  const claimed = new Set<string>();
  let cause: { readonly error: unknown } | undefined;
  const run = async (together: readonly GatherRequest[]): Promise<typeof cause> => {
    try {
      await runTask(engine, inputs, rankings, together, sample, claimed);
      return undefined;
    } catch (error) {
      const failed = { error: engineFailure(error, together[0]!.member.tensor, store) };
      if (keepGoing && isOfOneOutput(failed.error)) return failed;
      cause ??= failed;
      engine.cancel();
      return failed;
    }
  };
  const failures = await Promise.all(byTensor(requests).map(run));
  const told = cause ?? failures.find((failure) => failure !== undefined);
  if (told !== undefined) throw told.error;
  inputs.save();
}

async function runTask(
  engine: Engine,
  inputs: InputFiles,
  rankings: Rankings,
  requests: readonly GatherRequest[],
  sample: GatherTask["sample"],
  claimed: Set<string>,
): Promise<void> {
  const wanted = wantedOf(requests);
  const tensors = wanted.inputs.map(({ tensor }) => tensor);
  const fds = await Promise.all(tensors.map((tensor) => inputs.open(tensor)));
  const payloads = tensors.map((tensor, index) => ({
    fd: fds[index]!,
    offset: tensor.offset,
    dtype: tensor.dtype,
    shape: tensor.shape,
    digest: sample === undefined && claims(tensor, inputs, claimed),
  }));
  const thresholds = await rankings.thresholdsOf(wanted.program, engine);
  const result = await engine.run(gatherTask(wanted, payloads, thresholds, sample));
  await inputs.learn(tensors, result.inputDigests);
  // An action need not read what a size is of; elements of a window it reads, and judges.
  if (wanted.sums.length > 0) refuseNotFinite(wanted.inputs, result.inputCounters);
  let window = 0;
  let sum = 0;
  for (const request of requests) {
    if ("takeSize" in request) request.takeSize(result.sums![sum++]!);
    else request.take(result.windows!.slice(window, (window += request.windows.length)));
  }
}

function refuseNotFinite(inputs: readonly ActionInput[], counters: readonly InputCounters[]): void {
  const [problem] = notFinite({ inputs }, { inputs: counters });
  if (problem !== undefined) throw new Failure(EXIT.failed, problem.message, problem);
}

/** Each digest is taken by one task; where an unchanged file proves nothing, by every one. */
function claims(tensor: TensorInfo, inputs: InputFiles, claimed: Set<string>): boolean {
  if (!inputs.isProven(tensor)) return true;
  const place = inputs.place(tensor);
  if (inputs.digest(tensor) !== undefined || claimed.has(place)) return false;
  claimed.add(place);
  return true;
}
