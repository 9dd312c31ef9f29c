// What is asked of the ranks of a vector's elements, how it lies in one file, and the task that writes it there.

import { streamId } from "../../../compiler/lower/stream-id.ts";
import type { Operation, RankStatistic, StatisticMember } from "../../../compiler/tensor-graph.ts";
import type { RankedTensor, RankRule, RankTarget, RankTask } from "../../../native/addon-types.ts";
import { nativeProgram, type Thresholds } from "../native-program.ts";
import { isSampleable } from "./sample.ts";

export type ModelDella = Extract<Operation, { op: "model-della" }>;

export function isRanked(operation: Operation): operation is ModelDella {
  return operation.op === "model-della";
}

/** Thresholds that a program asks for, of one tensor: the number of it among the members. */
export interface WantedThresholds {
  readonly place: number;
  readonly rule: RankRule;
}

export function ruleOf({ density, epsilon, seed }: ModelDella): RankRule {
  return { density, epsilon, seed };
}

/** Equal for what is found once. */
export function textOf({ place, rule }: WantedThresholds): string {
  return `${place} ${ruleText(rule)}`;
}

function ruleText({ density, epsilon, seed }: RankRule): string {
  return `${density} ${epsilon} ${seed}`;
}

/** One target for each that is wanted, one behind the other. */
export interface ThresholdFile extends Pick<RankTask, "rules" | "targets"> {
  readonly bytes: number;
}

const THRESHOLD_BYTES = 4;

export function thresholdFile(
  wanted: readonly WantedThresholds[],
  { members }: Pick<RankStatistic, "members">,
): ThresholdFile {
  const rules: RankRule[] = [];
  const numbers = new Map<string, number>();
  let bytes = 0;
  const targets = wanted.map(({ place, rule }): RankTarget => {
    const text = ruleText(rule);
    const number = numbers.get(text) ?? rules.push(rule) - 1;
    numbers.set(text, number);
    const target = { tensor: place, rule: number, offset: bytes };
    bytes += elementsOf(members[place]!) * THRESHOLD_BYTES;
    return target;
  });
  return { rules, targets, bytes };
}

/** What a member is made of: one descriptor and one wish for a digest an input, thresholds as of `nativeProgram`. */
export interface MemberFiles {
  readonly inputs: readonly number[];
  readonly digests: readonly boolean[];
  readonly thresholds: readonly (Thresholds | undefined)[];
}

/** `files`: one a member; `to`: open for reading and writing. */
export function rankTask(
  { vector, stream, members }: RankStatistic,
  files: readonly MemberFiles[],
  { rules, targets }: ThresholdFile,
  to: number,
): RankTask {
  const tensors = members.map((member, index) => rankedTensor(member, stream, files[index]!));
  return { kind: "rank", label: rankLabel(vector), tensors, rules, targets, to };
}

/** As messages call the task. */
export function rankLabel(vector: string): string {
  return `the ranks of ${vector}`;
}

function rankedTensor(member: StatisticMember, stream: number, files: MemberFiles): RankedTensor {
  const { program, shape, work, tie, tensor: name } = member;
  const inputs = member.inputs.map(({ tensor: { offset, dtype, shape } }, index) => {
    return { fd: files.inputs[index]!, offset, dtype, shape, digest: files.digests[index]! };
  });
  const word = streamId("della", stream, name);
  return {
    ...nativeProgram(program, inputs, shape, files.thresholds),
    work,
    shape,
    isSampleable: isSampleable(member),
    tie,
    word,
  };
}

function elementsOf({ shape }: StatisticMember): number {
  return shape.reduce((product, size) => product * size, 1);
}
