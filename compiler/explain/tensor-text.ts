// The tensor graph as text: each output, its groups of tensors, the program of each group, and for a few tensors asked
// for by name everything that enters their keys.

import { counted } from "../../dsl/counted.ts";
import { printable } from "../../dsl/printable.ts";
import { explainKey, weakKey } from "../action-key.ts";
import { placeOf } from "../naming.ts";
import { predicateText } from "../predicates.ts";
import type { Action, ModelStatistic, OutputGraph } from "../tensor-graph.ts";
import { programLines } from "./program-text.ts";
import { groupActions, type ActionGroup } from "./tensor-groups.ts";

/** Names that a group lists before it counts the rest. */
const MOST_NAMES = 6;
/** So many tensors asked for by name are shown with their keys. */
const MOST_KEYS = 4;

/** `byName`: the actions were chosen by a pattern, so every name is shown. */
export function tensorText(outputs: readonly OutputGraph[], byName: boolean): string {
  const blocks = outputs.map((graph) => {
    const { output, kind, actions, statistics } = graph;
    const withKeys = byName && actions.length <= MOST_KEYS;
    const groups = withKeys ? actions.flatMap((action) => groupActions([action])) : groupActions(actions);
    const head = `output ${JSON.stringify(output.display)}  ${kind}, ${counted(actions.length, "tensor")}`;
    const parts = groups.map((group) => groupLines(group, graph, byName ? Infinity : MOST_NAMES, withKeys));
    const nodes = statistics.map((statistic, number) => `  statistic ${number}: ${statisticText(statistic)}`);
    return [[head], ...(nodes.length === 0 ? [] : [nodes]), ...parts, ...gateLines(graph)]
      .map((lines) => lines.map(printable).join("\n"))
      .join("\n\n");
  });
  return `${blocks.join("\n\n")}\n`;
}

/** `where maths - llama is cut, over 146 tensors as one: density 0.2`, `the size of maths - llama, over 146 tensors` */
function statisticText(statistic: ModelStatistic): string {
  const { vector, members } = statistic;
  if (statistic.kind === "size") return `the size of ${vector}, over ${counted(members.length, "tensor")}`;
  if (statistic.kind === "ranks") return `the ranks of ${vector}, over ${counted(members.length, "tensor")} as one`;
  const { density, dropTop, atLeastOne } = statistic;
  const rule = [`density ${density}`];
  if (dropTop > 0) rule.push(`drop_top ${dropTop}`);
  if (atLeastOne) rule.push("at least one");
  return `where ${vector} is cut, over ${counted(members.length, "tensor")} as one: ${rule.join(", ")}`;
}

function groupLines(
  { actions, number }: ActionGroup,
  { aliases }: OutputGraph,
  mostNames: number,
  withKeys: boolean,
): readonly string[] {
  const [first] = actions;
  const lines = programLines(first, number);
  const width = Math.max(...lines.map(({ id }) => String(id).length));
  const inputs = first.inputs.map(({ role, tensor }) => `${role} ${tensor.dtype.toLowerCase()}`).join(", ");
  const shown = actions.length > mostNames + 1 ? actions.slice(0, mostNames) : actions;
  const names = shown.map((action) => nameOf(action, aliases));
  const nameWidth = names.reduce((most, name) => Math.max(most, name.length), 0);
  const isTakenOver = lines[0]!.id === 0 && first.inputs[0]!.tensor.dtype === first.dtype;
  const work = isTakenOver ? "taken over" : `work in ${first.work.toLowerCase()}`;
  return [
    `  ${counted(actions.length, "tensor")}: ${inputs} -> ${first.dtype.toLowerCase()}, ${work}${equalText(first)}`,
    ...lines.map(({ id, text }) => `    %${String(id).padEnd(width)} = ${text}`),
    ...shown.map((action, index) => `    - ${names[index]!.padEnd(nameWidth)}  [${action.shape.join(", ")}]`),
    ...(shown.length < actions.length ? [`    - and ${counted(actions.length - shown.length, "more tensor")}`] : []),
    ...(withKeys ? keyLines(first) : []),
  ];
}

/** One part, and nothing of an output without gates. What has to be computed to compare with is told with each gate. */
function gateLines({ gates }: OutputGraph): readonly (readonly string[])[] {
  if (gates.length === 0) return [];
  const lines = gates.flatMap(({ predicate, operand }) => {
    const groups = groupActions([...(operand?.tensors.values() ?? [])]);
    return [`    ${predicateText(predicate)}`, ...groups.flatMap(operandLines)];
  });
  return [["  expect", ...lines]];
}

function operandLines({ actions, number }: ActionGroup): readonly string[] {
  const [first] = actions;
  const inputs = first.inputs.map(({ role, tensor }) => `${role} ${tensor.dtype.toLowerCase()}`).join(", ");
  const isPayload = first.program.operations.length === 1 && first.inputs[0]!.tensor.dtype === first.dtype;
  if (isPayload) return [`      with ${inputs}: ${counted(actions.length, "tensor")}`];
  const lines = programLines(first, number);
  return [
    `      with ${inputs} -> ${first.dtype.toLowerCase()}: ${counted(actions.length, "tensor")}`,
    ...lines.map(({ id, text }) => `        %${id} = ${text}`),
  ];
}

/** With the name that the tensor had before its layer was stacked. */
function nameOf({ tensor, inputs }: Action, aliases: ReadonlyMap<string, string>): string {
  const tied = [...aliases].filter(([, stored]) => stored === tensor).map(([alias]) => alias);
  const before = inputs[0]!.tensor.name;
  const isMoved = placeOf(before) !== undefined && placeOf(before)?.stack === placeOf(tensor)?.stack;
  const from = isMoved && before !== tensor ? ` (was ${before})` : "";
  return `${tensor}${tied.length === 0 ? "" : ` (tied: ${tied.join(", ")})`}${from}`;
}

function equalText({ mustEqual = [] }: Action): string {
  return mustEqual.length === 0 ? "" : `, must equal ${mustEqual.map(({ role }) => role).join(", ")}`;
}

function keyLines(action: Action): readonly string[] {
  const lines = explainKey(action, "unknown").map((line) => `      ${line}`);
  return [`    key without the inputs' digests: ${weakKey(action)}`, ...lines];
}
