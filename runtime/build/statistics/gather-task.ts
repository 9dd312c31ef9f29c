// What several statistics want of one tensor, and the task that looks for all of it at once.

import { ProgramBuilder } from "../../../compiler/lower/program-builder.ts";
import type { ActionInput, Program, StatisticMember } from "../../../compiler/tensor-graph.ts";
import type { FoundInWindow, GatherTask, NativeInput, NativeWindow } from "../../../native/addon-types.ts";
import { nativeProgram, type Thresholds } from "../native-program.ts";

/** Windows of one tensor of a vector, or the sum of its sizes. */
export type GatherRequest = { readonly member: StatisticMember } & (
  | {
      readonly windows: readonly Omit<NativeWindow, "of" | "stream">[];
      readonly take: (found: readonly FoundInWindow[]) => void;
    }
  | { readonly takeSize: (size: number) => void }
);

/** In the order in which the first request of a tensor comes. */
export function byTensor(requests: readonly GatherRequest[]): readonly (readonly GatherRequest[])[] {
  const found = new Map<string, GatherRequest[]>();
  for (const request of requests) {
    const { tensor, shape, work } = request.member;
    const id = JSON.stringify([tensor, shape, work]);
    const known = found.get(id);
    if (known === undefined) found.set(id, [request]);
    else known.push(request);
  }
  return [...found.values()];
}

/** What requests about one tensor want, in one program. */
export interface Wanted {
  /** Of the first, whose tensor, shape and work are those of all. */
  readonly member: StatisticMember;
  readonly program: Program;
  readonly inputs: readonly ActionInput[];
  readonly windows: readonly NativeWindow[];
  readonly sums: readonly number[];
}

export function wantedOf(requests: readonly GatherRequest[]): Wanted {
  const builder = new ProgramBuilder();
  const windows: NativeWindow[] = [];
  const sums: number[] = [];
  for (const request of requests) {
    const { member } = request;
    const of = builder.add(member);
    if ("takeSize" in request) sums.push(of);
    else windows.push(...request.windows.map((window) => ({ ...window, of, stream: member.tie })));
  }
  return { member: requests[0]!.member, ...builder.all(), windows, sums };
}

/** `thresholds` as of `nativeProgram`. */
export function gatherTask(
  { member: { tensor: label, shape, work }, program, windows, sums }: Wanted,
  payloads: readonly NativeInput[],
  thresholds: readonly (Thresholds | undefined)[],
  sample: GatherTask["sample"],
): GatherTask {
  const native = nativeProgram(program, payloads, shape, thresholds);
  return { kind: "gather", label, ...native, work, shape, windows, sums, ...(sample && { sample }) };
}
