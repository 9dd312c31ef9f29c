// What judging the gates of an output would take, and how they turn out where everything is measured already.

import type { Action } from "../../compiler/tensor-graph.ts";
import type { PredicateNode } from "../../compiler/recipe-graph.ts";
import type { Standings } from "../build/look-up.ts";
import type { Session } from "../build/session.ts";
import type { WantedOutput } from "../build/wanted-output.ts";
import { judgeGate } from "./judge-gates.ts";
import { lookUpMeasurements, workToMeasure, type MeasuringWork } from "./look-up-measurements.ts";
import { isPayload } from "./measurement.ts";

export interface PlannedGate {
  readonly predicate: PredicateNode;
  /** `unknown`: something has to be measured first. */
  readonly state: "holds" | "fails" | "unknown";
  /** Absent while it is unknown. */
  readonly value?: number;
}

export interface PlannedGates {
  /** In the order of the recipe. */
  readonly gates: readonly PlannedGate[];
  readonly work: MeasuringWork;
  /** Tensors that have to be computed to be compared with. */
  readonly computed: readonly Action[];
}

export function planGates({ inputs, store }: Session, { graph }: WantedOutput, standings: Standings): PlannedGates {
  const payload = (action: Action): string | undefined => {
    const standing = standings.get(action);
    return standing?.state === "hit" ? standing.found.tensor.digest : undefined;
  };
  const runs = (action: Action): boolean => {
    const standing = standings.get(action);
    return standing?.state === "miss" || (standing?.state === "unknown" && !standing.mayHit);
  };
  const { known, missing } = lookUpMeasurements(graph, payload, inputs, store.measurements);
  const gates = graph.gates.map((gate): PlannedGate => {
    const { predicate } = gate;
    const result = judgeGate(graph, gate, known);
    if (result === undefined) return { predicate, state: "unknown" };
    return { predicate, state: result.passed ? "holds" : "fails", value: result.value };
  });
  const computed = missing.flatMap(({ operands }) => operands.filter((operand) => !isPayload(operand)));
  return { gates, work: workToMeasure(missing, runs), computed };
}
