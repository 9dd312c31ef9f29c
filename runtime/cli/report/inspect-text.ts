// `theta inspect` for people: what the checkpoint is, totals, and its tensors; layers that are alike in one line, unless
// every tensor was asked for.

import { printable } from "../../../dsl/printable.ts";
import type { AnyCheckpoint } from "../../compare/any-checkpoint.ts";
import type { InspectedTensor, Inspection } from "../../compare/inspect-checkpoint.ts";
import { groupByName } from "../../compare/name-groups.ts";
import { formatBytes } from "../../size.ts";
import { kindText, provenanceLines } from "./checkpoint-lines.ts";
import { countOf, formatCount, formatNumber } from "./numbers.ts";
import { textTable } from "./text-table.ts";

/** `each`: a line a tensor, also without digests and statistics. */
export function inspectText(checkpoint: AnyCheckpoint, inspection: Inspection, each: boolean): string {
  const { tensors, totals, digest } = inspection;
  const isDetailed = tensors.some((one) => one.digest !== undefined || one.statistics !== undefined);
  const total =
    `${countOf(totals.tensors, "tensor")}, ${countOf(totals.parameters, "parameter")} in ${dtypesText(totals)}, ` +
    `${formatBytes(totals.bytes)} in ${countOf(totals.shards, "file")}`;
  const lines = [
    `${printable(checkpoint.display)}: ${kindText(checkpoint)}`,
    `  ${total}`,
    ...(digest === undefined ? [] : [`  ${digest}`]),
    ...provenanceLines(checkpoint),
    "",
    ...(each || isDetailed ? eachTensor(tensors, totals.shards > 1) : groups(tensors)),
  ];
  return `${lines.join("\n")}\n`;
}

/** `BF16`, or `BF16 (1.10 B) and F32 (44)` */
function dtypesText({ dtypes }: Inspection["totals"]): string {
  if (dtypes.length === 1) return dtypes[0]!.dtype;
  return dtypes.map(({ dtype, parameters }) => `${dtype} (${formatCount(parameters)})`).join(" and ");
}

function groups(tensors: readonly InspectedTensor[]): readonly string[] {
  const kindOf = ({ tensor, tied }: InspectedTensor): string => `${tensor.dtype} ${shapeText(tensor)} ${tied.join()}`;
  const rows = groupByName(tensors, ({ tensor }) => tensor.name, kindOf).map(({ name, members, numbers }) => {
    const [first] = members as readonly [InspectedTensor];
    const bytes = members.reduce((sum, { tensor }) => sum + tensor.bytes, 0);
    return [
      String(members.length),
      first.tensor.dtype,
      shapeText(first.tensor),
      formatBytes(bytes),
      [nameText(name, first.tied), ...numbers].join("  "),
    ];
  });
  return textTable([["count", "dtype", "shape", "bytes", "tensor"], ...rows], "rllrl");
}

function eachTensor(tensors: readonly InspectedTensor[], sharded: boolean): readonly string[] {
  const withStatistics = tensors.some(({ statistics }) => statistics !== undefined);
  const withDigests = tensors.some(({ digest }) => digest !== undefined);
  const head = [
    ...["dtype", "shape", "bytes"],
    ...(withStatistics ? ["min", "max", "mean", "rms", "zeros", "NaN", "inf"] : []),
    ...(withDigests ? ["digest"] : []),
    ...(sharded ? ["file"] : []),
    "tensor",
  ];
  const rows = tensors.map(({ tensor, tied, digest, shard, statistics }) => [
    ...[tensor.dtype, shapeText(tensor), formatBytes(tensor.bytes)],
    ...(withStatistics ? statisticsCells(statistics) : []),
    ...(withDigests ? [digest ?? "-"] : []),
    ...(sharded ? [printable(shard)] : []),
    nameText(tensor.name, tied),
  ]);
  return textTable([head, ...rows], `llr${withStatistics ? "rrrrrrr" : ""}lll`);
}

function statisticsCells(statistics: InspectedTensor["statistics"]): readonly string[] {
  if (statistics === undefined) return ["-", "-", "-", "-", "-", "-", "-"];
  const { min, max, mean, rms, zeros, nan, inf } = statistics;
  return [...[min, max, mean, rms].map(formatNumber), ...[zeros, nan, inf].map(formatCount)];
}

function nameText(name: string, tied: readonly string[]): string {
  return printable(tied.length === 0 ? name : `${name} (tied: ${tied.join(", ")})`);
}

function shapeText({ shape }: { readonly shape: readonly number[] }): string {
  return `[${shape.join(", ")}]`;
}
