// One output of a build, as its record tells it: every tensor with what made it, whether that ran, why, and what had
// changed. What tensors have in common stands once.

import { isResolved } from "../../compiler/resolve-statistics.ts";
import type { Action } from "../../compiler/tensor-graph.ts";
import type { FinishedOutput } from "../build/finished-output.ts";
import type { InputFiles } from "../build/input-files.ts";
import { keyOf, type Standing, type Standings } from "../build/look-up.ts";
import { fedOf, reasonToRun } from "../build/reason-to-run.ts";
import type { WantedOutput } from "../build/wanted-output.ts";
import type { RecordedOutput, RecordedTensor } from "./build-record.ts";
import { changedParameters, changesBetween, type Change } from "./changes.ts";
import { describeAction, type DescribedAction, type DescribedOperation } from "./described-action.ts";
import type { EarlierRuns } from "./earlier-runs.ts";

export interface OutputFacts {
  readonly wanted: WantedOutput;
  readonly standings: Standings;
  readonly inputs: InputFiles;
  readonly earlier: EarlierRuns;
  /** Effective values of the recipe's parameters. */
  readonly parameters: ReadonlyMap<string, unknown>;
  /** Tensors whose actions ran. */
  readonly ran: ReadonlySet<string>;
  /** Absent when it failed. */
  readonly finished?: FinishedOutput;
}

export function recordCurrent({ wanted, finished }: OutputFacts): RecordedOutput {
  const nothing = { parameters: [], aliases: {}, tensors: [], programs: [], sources: [], changes: [] };
  return { ...headOf(wanted), state: "current", ...(finished && { digest: finished.digest }), ...nothing };
}

export function recordOutput(
  facts: OutputFacts,
  state: "published" | "relearned" | "failed",
  because: string | undefined,
): RecordedOutput {
  const { wanted, finished } = facts;
  const programs = new Table<readonly DescribedOperation[]>();
  const sources = new Table<RecordedOutput["sources"][number]>();
  const changes = new Table<Change>();
  const tensors = wanted.graph.actions.map((action): RecordedTensor => {
    const now = describeAction(action, (tensor) => facts.inputs.digest(tensor));
    const streams = now.operations.flatMap(({ settings }) => ("tie" in settings ? [String(settings["tie"])] : []));
    return {
      name: action.tensor,
      dtype: action.dtype,
      ...judged(facts, action, now, changes),
      program: programs.add(now.operations.map(withoutStream)),
      streams,
      inputs: now.inputs.map(({ role, file, tensor, digest }) => {
        const source = sources.add({ role, file });
        return [source, tensor === action.tensor ? 0 : tensor, digest ?? null];
      }),
    };
  });
  const before = wanted.record?.build;
  return {
    ...headOf(wanted),
    state,
    ...(because !== undefined && { because }),
    ...(finished && { digest: finished.digest }),
    ...(before !== undefined && { before }),
    parameters: changedParameters(wanted.record?.parameters ?? {}, facts.parameters),
    aliases: Object.fromEntries(wanted.graph.aliases),
    tensors,
    programs: programs.rows,
    sources: sources.rows,
    changes: changes.rows,
  };
}

function headOf({ graph, path }: WantedOutput): Pick<RecordedOutput, "path" | "display"> {
  return { path, display: graph.output.display };
}

/** Why it ran or did not, and what came out. */
function judged(
  { wanted, standings, inputs, earlier, ran, finished }: OutputFacts,
  action: Action,
  now: DescribedAction,
  changes: Table<Change>,
): Pick<RecordedTensor, "how" | "reason" | "wanted" | "key" | "digest" | "was" | "changes"> {
  const standing = standings.get(action)!;
  const record = finished?.records.get(action);
  const isKnown =
    isResolved(action.program) && action.inputs.every(({ tensor }) => inputs.digest(tensor) !== undefined);
  const key = record?.key ?? (isKnown ? keyOf(action, inputs) : undefined);
  const before = wanted.recordByName.get(action.tensor);
  const digest = record?.digest ?? (standing.state === "hit" ? standing.found.tensor.digest : undefined);
  const then = key !== undefined && key === before?.key ? undefined : earlier.actionOf(wanted, action.tensor);
  return {
    ...whyOf(
      standing,
      reasonNow(standing, action, wanted, key, key && fedOf(action, inputs)),
      ran.has(action.tensor),
      record !== undefined,
    ),
    ...(key !== undefined && { key }),
    ...(digest !== undefined && { digest }),
    ...(digest !== undefined && before !== undefined && before.digest !== digest && { was: before.digest }),
    changes: then === undefined ? [] : changesBetween(then, now).map((change) => changes.add(change)),
  };
}

type Why = Pick<RecordedTensor, "how" | "reason" | "wanted">;

function whyOf(standing: Standing, reason: RecordedTensor["wanted"], ran: boolean, isMade: boolean): Why {
  if (ran) return { how: "run", reason: reason! };
  if (standing.state !== "hit") {
    // Resumed, or an equal action had run.
    return isMade ? { how: "reused", reason: "local-hit", wanted: reason! } : { how: "unmade", reason: reason! };
  }
  if (standing.reason === "up-to-date") return { how: "reused", reason: "up-to-date" };
  return { how: "reused", reason: standing.reason, wanted: reason! };
}

/** Better known than before the work, where digests were missing then. */
function reasonNow(
  standing: Standing,
  action: Action,
  wanted: WantedOutput,
  key: string | undefined,
  fed: string | undefined,
): RecordedTensor["wanted"] {
  if (standing.state !== "hit" && standing.reason === "forced") return "forced";
  return reasonToRun(action, wanted, key, fed);
}

function withoutStream(operation: DescribedOperation): DescribedOperation {
  const { settings } = operation;
  return "tie" in settings ? { ...operation, settings: { ...settings, tie: null } } : operation;
}

/** Equal values stand once; who needs one names its position. */
class Table<T> {
  readonly rows: T[] = [];
  readonly #places = new Map<string, number>();

  add(row: T): number {
    const text = JSON.stringify(row);
    let place = this.#places.get(text);
    if (place === undefined) {
      place = this.rows.push(row) - 1;
      this.#places.set(text, place);
    }
    return place;
  }
}
