// What a plan says of memory and of scratch files, of all that a build would run. Sizes decide, so statistics that are not
// known have some value here. Throws a Failure (71) for what would not fit, as the build does.

import { memberKey } from "../compiler/action-key.ts";
import { resolveStatistics } from "../compiler/resolve-statistics.ts";
import type { ModelStatistic, Program, RankStatistic } from "../compiler/tensor-graph.ts";
import type { Engine, TaskNeeds } from "../native/addon-types.ts";
import { structureOf, together, type NeedsTogether } from "./build/action-needs.ts";
import { needsOfTask } from "./build/engine-failure.ts";
import type { InputFiles } from "./build/input-files.ts";
import { NO_THRESHOLDS } from "./build/native-program.ts";
import type { Session } from "./build/session.ts";
import { CUT_LABEL } from "./build/statistics/cut-search.ts";
import { firstRequests } from "./build/statistics/find-cuts.ts";
import { byTensor, gatherTask, wantedOf, type GatherRequest } from "./build/statistics/gather-task.ts";
import { rankTask, thresholdFile, type WantedThresholds } from "./build/statistics/rank-task.ts";
import type { StatisticStanding } from "./build/statistics/statistic-standings.ts";
import type { RankNeed } from "./plan-statistics.ts";
import { sha256 } from "./store/sha256.ts";

/** What it takes to find the cuts and sizes that are not known. */
export function needsOfFinding(
  statistics: readonly (readonly StatisticStanding[])[],
  { context, inputs, store }: Session,
  startEngine: () => Engine,
): NeedsTogether {
  const open = statistics.flat().flatMap((standing) => (standing.state === "open" ? [standing.statistic] : []));
  const cuts = open.flatMap((statistic) => (statistic.kind === "cut" ? [withSomeMembers(statistic)] : []));
  const sizes = open.flatMap((statistic) => (statistic.kind === "size" ? withSomeMembers(statistic).members : []));
  if (cuts.length === 0 && sizes.length === 0) return { memory: 0, scratch: 0 };
  const engine = startEngine();
  const ofSizes = needsOfGathering(
    sizes.map((member) => ({ member, takeSize: () => undefined })),
    engine,
  );
  if (cuts.length === 0) return ofSizes;
  const ofCuts = needsOfGathering(
    firstRequests(cuts, context.engine, { engine, inputs, store: store.statistics }),
    engine,
  );
  const find = needsOfTask(engine, { kind: "find", label: CUT_LABEL, parts: [], ranks: [0, 0] });
  const ofSearches = together(cuts.flatMap(() => [find, find]));
  // One after the other.
  const all = [ofSizes, ofCuts, ofSearches];
  return {
    memory: Math.max(...all.map(({ memory }) => memory)),
    scratch: Math.max(...all.map(({ scratch }) => scratch)),
  };
}

function needsOfGathering(requests: readonly GatherRequest[], engine: Engine): NeedsTogether {
  const known = new Map<string, TaskNeeds>();
  const needs = byTensor(requests).map((ofTensor) => {
    const wanted = wantedOf(ofTensor);
    const { member, inputs, program, windows } = wanted;
    const structure = [structureOf({ ...member, inputs, program }), ...windows.map(({ limit }) => limit)].join();
    let found = known.get(structure);
    if (found === undefined) {
      const payloads = inputs.map(({ tensor: { offset, dtype, shape } }) => {
        return { fd: 0, offset, dtype, shape, digest: true };
      });
      const thresholds = program.operations.map(() => NO_THRESHOLDS);
      known.set(structure, (found = needsOfTask(engine, gatherTask(wanted, payloads, thresholds, undefined))));
    }
    return found;
  });
  return together(needs);
}

function withSomeMembers<T extends ModelStatistic>(statistic: T): T {
  return { ...statistic, members: statistic.members.map(withSomeValues) };
}

/** What ranking takes while it lasts, and bytes of the files that it leaves for the actions; `ranks`: by output and number. */
export function needsOfRanks(
  statistics: readonly (readonly StatisticStanding[])[],
  ranks: readonly ReadonlyMap<number, RankNeed>[],
  inputs: InputFiles,
  startEngine: () => Engine,
): NeedsTogether & { readonly kept: number } {
  // Outputs over the same vector share its ranks.
  const vectors = new Map<
    string,
    { readonly statistic: RankStatistic; readonly wanted: Map<string, WantedThresholds> }
  >();
  ranks.forEach((needed, output) => {
    for (const [number, { wanted }] of needed) {
      const statistic = statistics[output]![number]!.statistic as RankStatistic;
      const id = vectorId(statistic, inputs);
      const known = vectors.get(id);
      if (known === undefined) vectors.set(id, { statistic, wanted: new Map(wanted) });
      else for (const [text, one] of wanted) known.wanted.set(text, one);
    }
  });
  let kept = 0;
  const needs = [...vectors.values()].map(({ statistic, wanted }) => {
    const some = withSomeMembers(statistic);
    const file = thresholdFile([...wanted.values()], some);
    kept += file.bytes;
    const nowhere = some.members.map(({ inputs: { length }, program: { operations } }) => ({
      inputs: Array<number>(length).fill(0),
      digests: Array<boolean>(length).fill(false),
      thresholds: operations.map(() => NO_THRESHOLDS),
    }));
    return needsOfTask(startEngine(), rankTask(some, nowhere, file, 0));
  });
  return { ...together(needs), kept };
}

/** As `workOf` an action: before a build, statistics that differ in the values of others alone are taken for one. */
function vectorId(statistic: RankStatistic, inputs: InputFiles): string {
  const members = statistic.members.map((member) => [
    memberKey(statistic, member, "unknown"),
    ...member.inputs.map(({ tensor }) => inputs.place(tensor)),
  ]);
  return sha256(JSON.stringify(members));
}

/** Where the statistics are not known: what a program takes of memory does not depend on their values. */
export function withSomeValues<T extends { readonly program: Program }>(made: T): T {
  const nowhere = { key: 0n, tie: 0n };
  const cut = resolveStatistics(made.program, () => ({ outer: nowhere, inner: nowhere }));
  const ranked = resolveStatistics(cut, () => ({ ranking: "", place: 0 }));
  return { ...made, program: resolveStatistics(ranked, () => 1) };
}
