// The gates of a finished output: takes what is kept, measures the rest, judges.

import type { Action } from "../../compiler/tensor-graph.ts";
import type { Engine } from "../../native/addon-types.ts";
import type { FinishedShard } from "../build/finished-output.ts";
import type { Session } from "../build/session.ts";
import type { WantedOutput } from "../build/wanted-output.ts";
import type { BuildObserver } from "../progress.ts";
import type { MeasurementCache } from "../store/measurement-cache.ts";
import { gateFailure } from "./gate-messages.ts";
import { judgeGate, type GateResult } from "./judge-gates.ts";
import {
  lookUpMeasurements,
  togetherRow,
  type Measurements,
  type MissingMeasurements,
} from "./look-up-measurements.ts";
import { measureTensors, type TensorPlace } from "./measure-tensors.ts";
import { aloneKey, aloneToNumbers, identityOf, pairKey, pairToNumbers } from "./measurement.ts";

/** `--force` measures everything anew. */
const NOTHING_KEPT: Pick<MeasurementCache, "load"> = { load: () => new Map() };

interface MadeTensor extends TensorPlace {
  readonly digest: string;
}

/**
 * One result a gate, in the order of the recipe; the observer is told each, and why one failed. Reads nothing when all
 * was measured before. Throws what `measureTensors` throws.
 */
export async function judgeOutput(
  session: Session,
  startEngine: () => Engine,
  { graph }: WantedOutput,
  shards: readonly FinishedShard[],
  observer: BuildObserver,
): Promise<readonly GateResult[]> {
  if (graph.gates.length === 0) return [];
  const { context, inputs, store } = session;
  const made = madeTensors(shards);
  const cache = context.force ? NOTHING_KEPT : store.measurements;
  const payload = (action: Action): string => made.get(action)!.digest;
  const { known, missing, isTogether } = lookUpMeasurements(graph, payload, inputs, cache);
  const { measurements: passing } = session;
  const unread = passing.without(missing);
  if (unread.length > 0) observer.phase("measure");
  const read =
    unread.length === 0 ? passing : await measureTensors(session, startEngine(), unread, (action) => made.get(action)!);
  const measured = missing.length === 0 ? known : together(known, passing, read);
  const rows = measuredRows(session, missing, measured, payload);
  store.measurements.save(new Map(isTogether ? rows : [...rows, ...togetherRow(graph, payload, inputs, measured)]));
  const results = graph.gates.map((gate) => {
    const result = judgeGate(graph, gate, measured);
    if (result === undefined) throw new Error(`not everything that ${gate.predicate.subject} needs was measured`);
    observer.gateJudged(result);
    return result;
  });
  const failing = results.filter(({ passed }) => !passed);
  for (const result of failing) observer.diagnostic(gateFailure(result, result === failing[0]));
  return results;
}

function together(...all: readonly Measurements[]): Measurements {
  return {
    alone: new Map(all.flatMap(({ alone }) => [...alone])),
    pairs: new Map(all.flatMap(({ pairs }) => [...pairs])),
  };
}

function madeTensors(shards: readonly FinishedShard[]): ReadonlyMap<Action, MadeTensor> {
  const made = new Map<Action, MadeTensor>();
  for (const { wanted, stored, records } of shards) {
    for (const [index, action] of wanted.actions.entries()) {
      const { digest, offset } = records[index]!;
      made.set(action, { digest, shard: stored, offset });
    }
  }
  return made;
}

function measuredRows(
  { inputs }: Session,
  missing: readonly MissingMeasurements[],
  { alone, pairs }: Measurements,
  payload: (action: Action) => string,
): readonly (readonly [key: string, numbers: readonly number[]])[] {
  return missing.flatMap(({ action, operands }) => {
    const digest = payload(action);
    const found = alone.get(action);
    const ofPairs = operands.map(
      (operand) => [pairKey(action, digest, identityOf(operand, inputs)!), pairToNumbers(pairs.get(operand)!)] as const,
    );
    return found === undefined ? ofPairs : [[aloneKey(action, digest), aloneToNumbers(found)] as const, ...ofPairs];
  });
}
