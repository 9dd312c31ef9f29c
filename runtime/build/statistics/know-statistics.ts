// Before any action is looked up: the values of all model-wide statistics that the outputs need, found where they are not
// stored, because they are part of the actions' keys.

import { memberKey } from "../../../compiler/action-key.ts";
import type { Operation, TensorCuts } from "../../../compiler/tensor-graph.ts";
import type { Engine } from "../../../native/addon-types.ts";
import type { BuildObserver, BuildPhase } from "../../progress.ts";
import { isOfOneOutput, type FailedOutputs } from "../failed-outputs.ts";
import { hashInputs } from "../hash-inputs.ts";
import type { StoredValue } from "../../store/statistic-store.ts";
import type { InputFiles } from "../input-files.ts";
import type { Session } from "../session.ts";
import type { WantedOutput } from "../wanted-output.ts";
import { findCuts } from "./find-cuts.ts";
import { findSizes } from "./find-sizes.ts";
import type { Rankings } from "./rankings.ts";
import {
  keyOf,
  lookUpStatistics,
  resolveOutput,
  type OpenStatistic,
  type StatisticStanding,
} from "./statistic-standings.ts";

/** As in the summary of `build --json`. */
export interface StatisticCounts {
  readonly run: number;
  readonly reused: number;
}

/**
 * The outputs with resolved actions, in their order; those that `failed` names stay as they are. Throws a Failure when an
 * input cannot be read, unless the build goes on without the outputs that need it.
 */
export async function knowStatistics(
  session: Session,
  startEngine: () => Engine,
  observer: BuildObserver,
  failed: FailedOutputs,
): Promise<{ readonly outputs: readonly WantedOutput[]; readonly counts: StatisticCounts }> {
  const { context, inputs, outputs, rankings, store } = session;
  const found = new Map<string, StoredValue>();
  const values = (key: string): StoredValue | undefined =>
    found.get(key) ?? (context.force ? undefined : store.statistics.value(key));
  const openOf = (some: readonly WantedOutput[]): readonly OpenStatistic[] => {
    const standings = some.flatMap((wanted) => lookUpStatistics(wanted, inputs, store.statistics, values));
    expectRanks(standings, rankings, inputs);
    return standings.filter((standing) => standing.state === "open");
  };
  let current: BuildPhase | undefined;
  const begin = (phase: BuildPhase): void => {
    if (phase !== current) observer.phase(phase);
    current = phase;
  };
  const find = async (some: readonly WantedOutput[]): Promise<void> => {
    for (let open = openOf(some); open.length > 0; open = openOf(some)) {
      const ready = distinct(
        open.filter(({ isReady }) => isReady),
        inputs,
      );
      // What ranks follow from is all that is known of them.
      const unsure = ready.filter(({ statistic, mayHit }) => mayHit && (statistic.kind === "ranks" || !context.force));
      if (unsure.length > 0) {
        begin("hash");
        const missing = unsure.flatMap((one) => one.missing);
        const failures = await hashInputs(startEngine(), inputs, missing, store.paths.root, context.keepGoing);
        for (const failure of failures.values()) throw failure;
        continue;
      }
      begin("statistics");
      const { force, keepGoing } = context;
      const engine = startEngine();
      const means = {
        engine,
        inputs,
        rankings,
        store: store.statistics,
        storeRoot: store.paths.root,
        force,
        keepGoing,
      };
      const statistics = ready.map(({ statistic }) => statistic);
      const cuts = statistics.filter((statistic) => statistic.kind === "cut");
      const sizes = statistics.filter((statistic) => statistic.kind === "size");
      for (const one of await findSizes(sizes, means)) found.set(one.key, one.size);
      if (cuts.length === 0) continue;
      const all = await findCuts(cuts, { ...means, options: context.engine });
      for (const one of all) found.set(one.key, one.cuts);
    }
  };
  const going = outputs.filter((output) => !failed.has(output) && output.graph.statistics.length > 0);
  try {
    await find(going);
  } catch (error) {
    if (!context.keepGoing || !isOfOneOutput(error)) throw error;
    // Which outputs it concerns shows when each is looked at alone.
    for (const output of going) await find([output]).catch((alone: unknown) => failed.add(output, [alone]));
  }
  const resolved = outputs.map((wanted) => {
    if (!going.includes(wanted) || failed.has(wanted)) return wanted;
    return resolveOutput(wanted, lookUpStatistics(wanted, inputs, store.statistics, values));
  });
  const total = going.reduce((sum, { graph }) => sum + graph.statistics.length, 0);
  return { outputs: resolved, counts: { run: found.size, reused: Math.max(0, total - found.size) } };
}

/** Those that a key now stands for; other statistics may be of what is masked by them. */
function expectRanks(standings: readonly StatisticStanding[], rankings: Rankings, inputs: InputFiles): void {
  for (const { state, statistic } of standings) {
    if (state === "known" && statistic.kind === "ranks") rankings.know(keyOf(statistic, inputs), statistic);
    if (state === "open") rankings.expect(statistic.members.map(({ program }) => program));
  }
}

/** Two outputs over the same vectors need the same statistics. */
function distinct(open: readonly OpenStatistic[], inputs: InputFiles): readonly OpenStatistic[] {
  if (open.length < 2) return open;
  const idOf = ({ statistic }: OpenStatistic): string =>
    statistic.members
      .map((member) => {
        const places = member.inputs.map(({ tensor }) => inputs.place(tensor));
        const values = member.program.operations.map((operation) => valueIn(operation));
        const text = JSON.stringify(values, (_, value: unknown) => (typeof value === "bigint" ? String(value) : value));
        return [memberKey(statistic, member, "unknown"), text, ...places].join(" ");
      })
      .join("\n");
  return [...new Map(open.map((one) => [idOf(one), one])).values()];
}

/** Of a statistic, as an operation has it. */
function valueIn(operation: Operation): TensorCuts | string | number | undefined {
  if (operation.op === "model-cut") return operation.cuts;
  if (operation.op === "model-della") return operation.ranking;
  return operation.op === "lines" ? operation.ratio : 0;
}
