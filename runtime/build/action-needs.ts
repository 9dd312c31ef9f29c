// What tasks take that run at the same time: bytes of buffers, and of scratch files. The sizes decide; no file is touched.

import type { Action } from "../../compiler/tensor-graph.ts";
import type { Engine, TaskNeeds } from "../../native/addon-types.ts";
import { needsOfTask } from "./engine-failure.ts";
import { NO_THRESHOLDS } from "./native-program.ts";
import { computeTask } from "./native-task.ts";

/** Of tasks that run at the same time, together. */
export type NeedsTogether = Pick<TaskNeeds, "memory" | "scratch">;

type Structured = Pick<Action, "shape" | "work" | "inputs" | "program"> & Partial<Pick<Action, "dtype">>;

/** Actions that differ only in their numbers are asked about once. The engine is not started for none. Throws as `needsOfTask`. */
export function needsOf(actions: readonly Action[], startEngine: () => Engine): NeedsTogether {
  const known = new Map<string, TaskNeeds>();
  const needs = actions.map((action) => {
    const structure = structureOf(action);
    let found = known.get(structure);
    if (found === undefined) known.set(structure, (found = needsOfOne(action, startEngine())));
    return found;
  });
  return together(needs);
}

/** At the most, when one follows the other as threads are free. */
export function together(needs: readonly TaskNeeds[]): NeedsTogether {
  return {
    memory: most(needs, ({ memory }) => memory),
    scratch: most(needs, ({ scratch }) => scratch),
  };
}

/** Bytes of scratch files that these actions take at a time, at most. */
export function scratchOf(actions: readonly Action[], engine: Engine): number {
  const ranking = actions.filter(({ program }) => program.operations.some(({ op }) => op === "della"));
  return needsOf(ranking, () => engine).scratch;
}

/** Of one that runs alone, or of as many others as run at a time. */
function most(needs: readonly TaskNeeds[], bytesOf: (needs: TaskNeeds) => number): number {
  const [alone, together] = [needs.filter(({ atOnce }) => atOnce === 1), needs.filter(({ atOnce }) => atOnce > 1)];
  const largest = together.map(bytesOf).sort((a, b) => b - a);
  const sum = largest.slice(0, together[0]?.atOnce).reduce((total, bytes) => total + bytes, 0);
  return alone.reduce((bytes, one) => Math.max(bytes, bytesOf(one)), sum);
}

function needsOfOne(action: Action, engine: Engine): TaskNeeds {
  const nowhere = {
    inputs: action.inputs.map(() => 0),
    digests: action.inputs.map(() => true),
    output: 0,
    offset: 0,
    thresholds: action.program.operations.map(() => NO_THRESHOLDS),
  };
  return needsOfTask(engine, computeTask(action, nowhere));
}

/** What memory depends on: the layers of a model differ in numbers that are computed with, which need none. */
export function structureOf({ dtype, shape, work, inputs, program }: Structured): string {
  const operations = program.operations.map((operation) => {
    // Another at each tensor.
    const alike = operation.op === "model-della" ? { ...operation, place: 0 } : operation;
    // What keeps all or nothing of a group looks for no cut.
    const cuts = operation.op === "magnitude" || operation.op === "breadcrumbs";
    return Object.values<unknown>(alike).filter((value) => isStructure(value) || (cuts && typeof value === "number"));
  });
  const tensors = inputs.map(({ tensor }) => [tensor.dtype, tensor.shape]);
  return JSON.stringify([dtype, shape, work, tensors, operations]);
}

/** Words, positions and sizes; neither fractions nor streams, nor where a mask cuts. */
function isStructure(value: unknown): boolean {
  if (Array.isArray(value)) return value.every(isStructure);
  return typeof value === "string" || typeof value === "boolean" || Number.isInteger(value);
}
