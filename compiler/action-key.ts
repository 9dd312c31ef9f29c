// What can change an action's bytes, in a fixed order. One walk serves the cache, which hashes it, and `explain`, which
// prints it, so the explanation cannot disagree with the key. Names, roles, paths and policies that change no byte
// (`overflow inf` against `error`, `nan propagate` against `error`) are not in it.

import { hash } from "node:crypto";
import { ExplanationSink, HashSink, type KeySink } from "./key-sink.ts";
import type { Action, ActionInput, ModelStatistic, Program, StatisticMember } from "./tensor-graph.ts";
import { writeOperation, writeStatistic } from "./write-operation.ts";

/** Raised when the encoding of the walk changes. */
const KEY_SCHEMA = "theta.action/1";

/**
 * `digests`: of each input's payload, `sha256:<hex>`, in the order of the inputs; "unknown" leaves them all out, which
 * makes the weak key.
 */
function writeActionKey(sink: KeySink, action: Action, digests: readonly string[] | "unknown"): void {
  sink.text("schema", KEY_SCHEMA);
  sink.text("numerics", "exact");
  sink.text("work", action.work);
  sink.text("output dtype", action.dtype);
  sink.integers("output shape", action.shape);
  if (action.overflow === "saturate") sink.text("overflow", "saturate");
  writeProgram(sink, action, digests);
}

interface Fed {
  readonly tensor: string;
  readonly inputs: readonly ActionInput[];
  readonly program: Program;
}

function writeProgram(
  sink: KeySink,
  { tensor: name, inputs, program }: Fed,
  digests: readonly string[] | "unknown",
): void {
  sink.integer("inputs", inputs.length);
  inputs.forEach(({ tensor }, index) => {
    sink.begin("input", index);
    sink.text("input dtype", tensor.dtype);
    sink.integers("input shape", tensor.shape);
    if (digests === "unknown") return;
    const digest = digests[index];
    if (digest === undefined) throw new Error(`no digest was given for input ${index} of ${name}`);
    sink.text("input digest", digest);
  });
  sink.integer("operations", program.operations.length);
  program.operations.forEach((operation, index) => {
    sink.begin("operation", index);
    writeOperation(sink, operation, digests === "unknown");
  });
}

/** Hex SHA-256. Equal keys mean equal bytes of the output. The values of its statistics must be known. */
export function actionKey(action: Action, digests: readonly string[]): string {
  return hashKey(action, digests);
}

/** Hex SHA-256 of everything but the inputs' digests: when no record shares it, no hit is possible. */
export function weakKey(action: Action): string {
  return hashKey(action, "unknown");
}

const STATISTIC_SCHEMA = "theta.statistic/1";

/** Hex SHA-256 of what one tensor brings to a statistic. As `weakKey` where the digests are "unknown". */
export function memberKey(
  rule: ModelStatistic,
  member: StatisticMember,
  digests: readonly string[] | "unknown",
): string {
  const sink = new HashSink();
  sink.text("schema", STATISTIC_SCHEMA);
  writeStatistic(sink, rule);
  if (rule.kind !== "size") sink.stream("tie", member.tie);
  sink.text("work", member.work);
  sink.integers("shape", member.shape);
  writeProgram(sink, member, digests);
  return hash("sha256", sink.encoded, "hex");
}

/** Hex SHA-256 of a statistic, from those of its members. */
export function statisticKey(rule: ModelStatistic, members: readonly string[]): string {
  const sink = new HashSink();
  sink.text("schema", STATISTIC_SCHEMA);
  writeStatistic(sink, rule);
  sink.integer("members", members.length);
  for (const member of members) sink.text("member", member);
  return hash("sha256", sink.encoded, "hex");
}

/** The same walk for people, an input or an operation a line. */
export function explainKey(action: Action, digests: readonly string[] | "unknown"): readonly string[] {
  const sink = new ExplanationSink();
  writeActionKey(sink, action, digests);
  return sink.lines;
}

function hashKey(action: Action, digests: readonly string[] | "unknown"): string {
  const sink = new HashSink();
  writeActionKey(sink, action, digests);
  return hash("sha256", sink.encoded, "hex");
}
