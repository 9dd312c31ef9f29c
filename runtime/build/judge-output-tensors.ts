// Tells the observer the verdicts on an output's tensors.

import type { Action } from "../../compiler/tensor-graph.ts";
import type { Diagnostic } from "../../dsl/diagnostic.ts";
import type { BuildObserver } from "../progress.ts";
import type { FinishedShard } from "./finished-output.ts";
import { judge } from "./judge.ts";
import type { Standings } from "./look-up.ts";
import type { Session } from "./session.ts";
import type { WantedOutput } from "./wanted-output.ts";

/** On those of its actions whose results are stored. */
export function verdictsOnHits(
  wanted: WantedOutput,
  actions: readonly Action[],
  standings: Standings,
  { inputs }: Pick<Session, "inputs">,
): readonly Diagnostic[] {
  return actions.flatMap((action) => {
    const standing = standings.get(action);
    if (standing?.state !== "hit") return [];
    const { counters } = standing.found.tensor;
    return judge(wanted.graph.output, action, counters, (tensor) => inputs.digest(tensor));
  });
}

/** Verdicts on what is stored come before any work. False when one is an error. */
export function judgeHits(
  wanted: WantedOutput,
  standings: Standings,
  session: Session,
  observer: BuildObserver,
): boolean {
  const verdicts = verdictsOnHits(wanted, wanted.graph.actions, standings, session);
  for (const verdict of verdicts) observer.diagnostic(verdict);
  return verdicts.every(({ severity }) => severity !== "error");
}

/** The same for what ran in this build. */
export function judgeRuns(
  wanted: WantedOutput,
  shards: readonly FinishedShard[],
  standings: Standings,
  session: Session,
  observer: BuildObserver,
): boolean {
  let good = true;
  for (const shard of shards) {
    for (const [index, action] of shard.wanted.actions.entries()) {
      if (standings.get(action)?.state === "hit") continue;
      const { counters } = shard.records[index]!;
      const verdicts = judge(wanted.graph.output, action, counters, (tensor) => session.inputs.digest(tensor));
      for (const verdict of verdicts) observer.diagnostic(verdict);
      good &&= verdicts.every(({ severity }) => severity !== "error");
    }
  }
  return good;
}
