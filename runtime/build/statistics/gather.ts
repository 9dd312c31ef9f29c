// Looks at windows of vectors, tensor by tensor: what several statistics want of one tensor is one task, so that a base which
// they share is read once. Digests that nobody knows are taken in passing.

import type { TensorInfo } from "../../../compiler/checkpoint.ts";
import { ProgramBuilder } from "../../../compiler/lower/program-builder.ts";
import type { ActionInput, StatisticMember } from "../../../compiler/tensor-graph.ts";
import type { Engine, FoundInWindow, GatherTask, InputCounters, NativeWindow } from "../../../native/addon-types.ts";
import { EXIT, Failure } from "../../failure.ts";
import { engineFailure } from "../engine-failure.ts";
import { isOfOneOutput } from "../failed-outputs.ts";
import type { InputFiles } from "../input-files.ts";
import { notFinite } from "../judge.ts";
import { nativeProgram } from "../native-program.ts";
import type { Rankings } from "./rankings.ts";

/** Windows of one tensor of a vector, or the sum of its sizes. */
export type GatherRequest = { readonly member: StatisticMember } & (
  | {
      readonly windows: readonly Omit<NativeWindow, "of" | "stream">[];
      readonly take: (found: readonly FoundInWindow[]) => void;
    }
  | { readonly takeSize: (size: number) => void }
);

/**
 * Throws the first cause when one fails, and cancels the engine, unless under `keepGoing` it may go on without that one.
 * `store` is for the message.
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
  const byTensor = new Map<string, GatherRequest[]>();
  for (const request of requests) {
    const { tensor, shape, work } = request.member;
    const id = JSON.stringify([tensor, shape, work]);
    byTensor.set(id, [...(byTensor.get(id) ?? []), request]);
  }
  const claimed = new Set<string>();
  let failure: { readonly error: unknown } | undefined;
  const run = async (together: readonly GatherRequest[]): Promise<void> => {
    try {
      await runTask(engine, inputs, rankings, together, sample, claimed);
    } catch (error) {
      const explained = engineFailure(error, together[0]!.member.tensor, store);
      failure ??= { error: explained };
      if (!(keepGoing && isOfOneOutput(explained))) engine.cancel();
    }
  };
  await Promise.all([...byTensor.values()].map(run));
  if (failure !== undefined) throw failure.error;
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
  const builder = new ProgramBuilder();
  const windows: NativeWindow[] = [];
  const sums: number[] = [];
  for (const request of requests) {
    const { member } = request;
    const of = builder.add(member);
    if ("takeSize" in request) sums.push(of);
    else windows.push(...request.windows.map((window) => ({ ...window, of, stream: member.tie })));
  }
  const { program, inputs: read } = builder.all();
  const tensors = read.map(({ tensor }) => tensor);
  const fds = await Promise.all(tensors.map((tensor) => inputs.open(tensor)));
  const { tensor: label, shape, work } = requests[0]!.member;
  const payloads = tensors.map((tensor, index) => ({
    fd: fds[index]!,
    offset: tensor.offset,
    dtype: tensor.dtype,
    shape: tensor.shape,
    digest: sample === undefined && claims(tensor, inputs, claimed),
  }));
  const thresholds = await rankings.thresholdsOf(program, engine);
  const result = await engine.run({
    kind: "gather",
    label,
    ...nativeProgram(program, payloads, shape, thresholds),
    work,
    shape,
    windows,
    sums,
    ...(sample && { sample }),
  });
  await inputs.learn(tensors, result.inputDigests);
  // An action need not read what a size is of; elements of a window it reads, and judges.
  if (sums.length > 0) refuseNotFinite(read, result.inputCounters);
  let window = 0;
  let sum = 0;
  for (const request of requests) {
    if ("takeSize" in request) request.takeSize(result.sums![sum++]!);
    else request.take(result.windows!.slice(window, (window += request.windows.length)));
  }
}

function refuseNotFinite(inputs: readonly ActionInput[], counters: readonly InputCounters[]): void {
  const [problem] = notFinite({ inputs }, { inputs: counters });
  if (problem === undefined) return;
  const { code, message, facts = [], help } = problem;
  throw new Failure(EXIT.failed, message, { code, facts, ...(help !== undefined && { help }) });
}

/** Each digest is taken by one task; where an unchanged file proves nothing, by every one. */
function claims(tensor: TensorInfo, inputs: InputFiles, claimed: Set<string>): boolean {
  if (!inputs.isProven(tensor)) return true;
  const place = inputs.place(tensor);
  if (inputs.digest(tensor) !== undefined || claimed.has(place)) return false;
  claimed.add(place);
  return true;
}
