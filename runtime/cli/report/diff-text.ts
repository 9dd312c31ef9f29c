// `theta diff` for people: what changed, the largest change first, layers that changed alike in one line unless every
// tensor was asked for; then what differs otherwise; then a line that says how much of the two is the same.

import type { TensorInfo } from "../../../compiler/checkpoint.ts";
import { printable } from "../../../dsl/printable.ts";
import type { AnyCheckpoint } from "../../compare/any-checkpoint.ts";
import { changeOf, type Change, type ComparedPair } from "../../compare/change.ts";
import { DIFF_STATES, type DiffState, type TensorDiff } from "../../compare/diff-checkpoints.ts";
import { groupByName } from "../../compare/name-groups.ts";
import { formatBytes, formatSeconds } from "../../size.ts";
import { kindText } from "./checkpoint-lines.ts";
import { countOf, formatCosine, formatCount, formatNumber, formatPercent, formatShare } from "./numbers.ts";
import { textTable } from "./text-table.ts";

export interface DiffReport {
  readonly a: AnyCheckpoint;
  readonly b: AnyCheckpoint;
  readonly diffs: readonly TensorDiff[];
  readonly bytesRead: number;
  readonly seconds: number;
}

/** `each`: a line a tensor. */
export function diffText({ a, b, diffs, bytesRead, seconds }: DiffReport, each: boolean): string {
  const groups = each
    ? diffs.map((diff) => ({ name: diff.pair.name, members: [diff], numbers: [] }))
    : groupByName(diffs, ({ pair }) => pair.name, kindOf);
  const ofState = (state: DiffState): readonly Group[] => groups.filter(({ members }) => members[0]!.state === state);
  const changed = ofState("changed").map(toChanged);
  changed.sort((x, y) => sizeOf(y.change) - sizeOf(x.change));
  // When all is the same, the last line says it better than a list.
  const isSame = !each && diffs.every(({ state }) => state === "same");
  const others = DIFF_STATES.filter((state) => state !== "changed" && !isSame).flatMap((state) =>
    ofState(state).map((group) => [TITLES[state], describeOther(group)]),
  );
  const lines = [
    ...textTable(
      [
        ["A", printable(a.display), kindText(a)],
        ["B", printable(b.display), kindText(b)],
      ],
      "lll",
    ).map((line) => line.slice(2)),
    ...(changed.length === 0 ? [] : ["", ...textTable([HEAD, ...changed.map(cellsOf)], "rrrrrl")]),
    ...(others.length === 0 ? [] : ["", ...textTable(others, "ll")]),
    ...notFiniteLines(diffs),
    "",
    `${summary(diffs)}; ${formatBytes(bytesRead)} read in ${formatSeconds(seconds)}`,
  ];
  return `${lines.join("\n")}\n`;
}

interface Group {
  readonly name: string;
  readonly members: readonly TensorDiff[];
  readonly numbers: readonly string[];
}

interface ChangedGroup extends Group {
  readonly change: Change;
}

const HEAD = ["relative", "max |a-b|", "mean |a-b|", "cosine", "changed", "tensor"];

const TITLES: Readonly<Record<DiffState, string>> = {
  changed: "changed",
  equal: "equal values",
  shape: "other shape",
  dtype: "other dtype",
  "only-a": "only in A",
  "only-b": "only in B",
  same: "same",
};

/** Tensors of one name but for numbers are shown as one only when the same is to be said of them. */
function kindOf({ state, pair }: TensorDiff): string {
  const shapes = state === "shape" ? [pair.a, pair.b].map((tensor) => tensor && shapeText(tensor)) : [];
  return JSON.stringify([state, pair.a?.dtype, pair.b?.dtype, pair.tied, shapes]);
}

function toChanged(group: Group): ChangedGroup {
  return { ...group, change: changeOf(group.members.map(({ compared }) => compared!)) };
}

/** What has no relative change lies behind all that has: integers, and what was 0 before everything. */
function sizeOf({ relative, max }: Change): number {
  if (relative !== undefined) return relative;
  return max === undefined ? -1 : Infinity;
}

function cellsOf({ change, name, members, numbers }: ChangedGroup): readonly string[] {
  // There is no relative change of nothing, such as an adapter's B before training.
  const fromZero = change.relative === undefined && members.every(wasZero);
  return [
    fromZero ? "from 0" : formatPercent(change.relative),
    formatNumber(change.max),
    formatNumber(change.mean),
    formatCosine(change.cosine),
    formatShare(change.changed, change.elements),
    [nameText(name, members[0]!), ...numbers, ...dtypesText(members[0]!), ...mostText(members, numbers)].join("  "),
  ];
}

function wasZero({ compared }: TensorDiff): boolean {
  const { finite, aSquares } = compared!.compared.comparison;
  return finite > 0 && aSquares === 0;
}

/** Where in a group the change is largest. */
function mostText(members: readonly TensorDiff[], numbers: readonly string[]): readonly string[] {
  if (numbers.length !== 1) return [];
  let most = members[0]!;
  for (const diff of members) if (sizeOf(diff.change!) > sizeOf(most.change!)) most = diff;
  const relative = most.change!.relative;
  if (relative === undefined) return [];
  const varying = most.pair.name.split(".").find((part, index) => isVarying(members, part, index))!;
  return [`(most in ${varying}: ${formatPercent(relative)})`];
}

function isVarying(members: readonly TensorDiff[], part: string, index: number): boolean {
  return members.some(({ pair }) => pair.name.split(".")[index] !== part);
}

function describeOther({ name, members, numbers }: Group): string {
  const [first] = members as readonly [TensorDiff];
  const { a, b } = first.pair;
  const details =
    first.state === "shape"
      ? [`${shapeText(a!)} in A, ${shapeText(b!)} in B`]
      : first.state === "only-a" || first.state === "only-b"
        ? [`${(a ?? b).dtype} ${shapeText(a ?? b)}`]
        : dtypesText(first);
  const count = members.length > 1 ? [`${members.length}`] : [];
  return [nameText(name, first), ...numbers, ...(count.length > 0 ? [`(${count[0]!} tensors)`] : []), ...details].join(
    "  ",
  );
}

function nameText(name: string, { pair }: TensorDiff): string {
  return printable(pair.tied.length === 0 ? name : `${name} (tied: ${pair.tied.join(", ")})`);
}

function dtypesText({ pair: { a, b } }: TensorDiff): readonly string[] {
  return a === undefined || b === undefined || a.dtype === b.dtype ? [] : [`${a.dtype} in A, ${b.dtype} in B`];
}

function notFiniteLines(diffs: readonly TensorDiff[]): readonly string[] {
  const found = diffs.filter(({ change }) => change !== undefined && countNotFinite(change) > 0);
  if (found.length === 0) return [];
  const pairs = found.map(({ compared }): ComparedPair => compared!);
  const { a, b } = changeOf(pairs).notFinite;
  const sides = [
    ["A", a],
    ["B", b],
  ] as const;
  const counts = sides.flatMap(([side, { nan, inf }]) => [
    ...(nan > 0 ? [`${formatCount(nan)} NaN in ${side}`] : []),
    ...(inf > 0 ? [`${formatCount(inf)} infinite in ${side}`] : []),
  ]);
  const such = printable(found[0]!.pair.name);
  const where = found.length === 1 ? such : `${found.length} tensors, such as ${such}`;
  return ["", `Not finite: ${counts.join(", ")} (${where}); they count in "changed" alone`];
}

function countNotFinite({ notFinite: { a, b } }: Change): number {
  return a.nan + a.inf + b.nan + b.inf;
}

function summary(diffs: readonly TensorDiff[]): string {
  const counts = DIFF_STATES.map((state) => [state, diffs.filter((diff) => diff.state === state).length] as const);
  const said = counts.filter(([, count]) => count > 0);
  if (said.length === 1 && said[0]![0] === "same") return `Same: ${countOf(diffs.length, "tensor")}, byte by byte`;
  return `${countOf(diffs.length, "tensor")}: ${said.map(([state, count]) => `${count} ${TITLES[state]}`).join(", ")}`;
}

function shapeText({ shape }: Pick<TensorInfo, "shape">): string {
  return `[${shape.join(", ")}]`;
}
