// Policies that change no byte, judged from what an action counted: the same on a hit as on a run.

import type { TensorInfo } from "../../compiler/checkpoint.ts";
import type { OutputNode } from "../../compiler/recipe-graph.ts";
import type { Action, ActionInput } from "../../compiler/tensor-graph.ts";
import { counted } from "../../dsl/counted.ts";
import type { Diagnostic } from "../../dsl/diagnostic.ts";
import type { ActionCounters } from "../store/shard-record.ts";

/** `digest` knows those of inputs and of the tensors to compare with. */
export function judge(
  output: OutputNode,
  action: Action,
  counters: ActionCounters,
  digest: (tensor: TensorInfo) => string | undefined,
): readonly Diagnostic[] {
  return [
    ...notFinite(action, counters),
    ...overflow(output, action, counters),
    ...unequal(action, digest),
    ...emptyGroups(output.display, action, counters),
    ...antiparallel(output.display, action, counters),
  ];
}

/** `counters`: one an input, or none where all are finite. */
export function notFinite(
  { inputs }: Pick<Action, "inputs">,
  counters: Pick<ActionCounters, "inputs">,
): readonly Diagnostic[] {
  return counters.inputs.flatMap(({ nan, firstNan, inf, firstInf }, index): readonly Diagnostic[] => {
    const input = inputs[index];
    if (input === undefined || input.nan !== "error" || nan + inf === 0) return [];
    const facts = [
      ...(nan > 0 ? [`NaN       ${counted(nan, "element")}, the first at ${place(firstNan, input.tensor.shape)}`] : []),
      ...(inf > 0 ? [`infinity  ${counted(inf, "element")}, the first at ${place(firstInf, input.tensor.shape)}`] : []),
      `in        ${input.tensor.file}`,
    ];
    const what = nan > 0 && inf > 0 ? "NaN and infinity" : nan > 0 ? "NaN" : "infinity";
    const message = `${input.tensor.name} of ${input.role} holds ${what}`;
    const help = `mend the checkpoint, or say "nan zero" or "nan propagate" in the block of ${input.role}`;
    return [{ code: "nan-in-input", severity: "error", message, span: input.span, facts, help }];
  });
}

function overflow({ display, span }: OutputNode, action: Action, counters: ActionCounters): readonly Diagnostic[] {
  if (action.overflow !== "error" || counters.overflow === 0) return [];
  const first = place(counters.firstOverflow, action.shape);
  const message = `${action.tensor} of "${display}" does not fit ${action.dtype.toLowerCase()}: ${counted(counters.overflow, "element")} overflow, the first at ${first}`;
  const help = `choose a wider dtype, or say "overflow saturate" or "overflow inf" in the output's block`;
  return [{ code: "overflow", severity: "error", message, span, help }];
}

function unequal(action: Action, digest: (tensor: TensorInfo) => string | undefined): readonly Diagnostic[] {
  const first = action.inputs[0];
  if (action.mustEqual === undefined || first === undefined) return [];
  const expected = digest(first.tensor);
  const others = action.mustEqual.filter(({ tensor }) => digest(tensor) !== expected);
  if (others.length === 0) return [];
  const line = ({ role, tensor }: ActionInput): string => `${role}  ${digest(tensor) ?? "unknown"}  ${tensor.file}`;
  return [
    {
      code: "integers-differ",
      severity: "error",
      message: `${action.tensor} holds ${action.dtype.toLowerCase()}, which cannot be merged, and the models differ in it`,
      span: others[0]!.span,
      facts: [first, ...others].map(line),
      help: `say "int base" in the block of ${others.map(({ role }) => role).join(", ")} to take it from ${first.role}`,
    },
  ];
}

function emptyGroups(output: string, action: Action, counters: ActionCounters): readonly Diagnostic[] {
  const { operations } = action.program;
  // Masks that follow a rule are counted, too, and again by what selects with them; l1 selects once more, to measure.
  const measured = new Set(
    operations.flatMap((operation) => (operation.op === "rescale-l1" ? [operation.masked] : [])),
  );
  const selects = counters.masks.filter(
    ({ operation }) => operations[operation]?.op === "select" && !measured.has(operation),
  );
  const empty = selects.reduce((sum, mask) => sum + mask.empty, 0);
  if (empty === 0) return [];
  const first = selects.find((mask) => mask.empty > 0)?.firstEmpty ?? -1;
  const message = `a mask keeps nothing in ${empty === 1 ? "a group" : `${empty} groups`} of ${action.tensor} of "${output}", the first at ${place(first, action.shape)}`;
  const isDrawn = operations.some(({ op }) => op === "random" || op === "della" || op === "model-della");
  const help = isDrawn
    ? "density times the group's size is small; raise it, or mask such tensors otherwise"
    : "density times the group's size is below 1; at_least_one: true keeps one element";
  return [{ code: "empty-mask", severity: "warning", message, help }];
}

function antiparallel(output: string, action: Action, counters: ActionCounters): readonly Diagnostic[] {
  if (counters.antiparallel === 0) return [];
  const { operations } = action.program;
  const count = counters.antiparallel;
  const isByRow = operations.some((operation) => operation.op === "slerp" && operation.per === "row");
  const rows = isByRow ? ` in ${count === 1 ? "a row" : `${count} rows`}` : "";
  const isBarycentre = operations.some(({ op }) => op === "karcher");
  const what = isBarycentre ? "one of them was left out" : "they were interpolated linearly";
  const message = `${action.tensor} of "${output}": tensors point in opposite directions${rows}, so ${what}`;
  return [{ code: "antiparallel", severity: "warning", message }];
}

/** A linear index as people write it: "[3, 17]". */
function place(linear: number, shape: readonly number[]): string {
  const indices: number[] = [];
  let rest = linear;
  for (const size of [...shape].reverse()) {
    indices.unshift(rest % size);
    rest = Math.floor(rest / size);
  }
  return `[${indices.join(", ")}]`;
}
