// What actions take that run at the same time: bytes of buffers, and of scratch files. The sizes decide; no file is touched.

import type { Action } from "../../compiler/tensor-graph.ts";
import type { Engine, EngineOptions, TaskNeeds } from "../../native/addon-types.ts";
import { NO_THRESHOLDS } from "./native-program.ts";
import { computeTask } from "./native-task.ts";

/** Actions that differ only in their numbers are asked about once. The engine is not started for none. */
export function needsOf(actions: readonly Action[], options: EngineOptions, startEngine: () => Engine): TaskNeeds {
  const known = new Map<string, TaskNeeds>();
  const needs = actions.map((action) => {
    const structure = structureOf(action);
    let found = known.get(structure);
    if (found === undefined) known.set(structure, (found = needsOfOne(action, startEngine())));
    return found;
  });
  const share = options.memory / options.threads;
  const together = needs.filter(({ memory }) => memory <= share).map(({ scratch }) => scratch);
  const alone = needs.filter(({ memory }) => memory > share).map(({ scratch }) => scratch);
  const largest = together.sort((a, b) => b - a).slice(0, options.threads);
  return {
    memory: needs.reduce((most, { memory }) => Math.max(most, memory), 0),
    scratch: alone.reduce(
      (most, scratch) => Math.max(most, scratch),
      largest.reduce((sum, scratch) => sum + scratch, 0),
    ),
  };
}

/** Bytes of scratch files that these actions take at a time, at most. */
export function scratchOf(actions: readonly Action[], options: EngineOptions, engine: Engine): number {
  const ranking = actions.filter(({ program }) => program.operations.some(({ op }) => op === "della"));
  return needsOf(ranking, options, () => engine).scratch;
}

function needsOfOne(action: Action, engine: Engine): TaskNeeds {
  const nowhere = {
    inputs: action.inputs.map(() => 0),
    digests: action.inputs.map(() => true),
    output: 0,
    offset: 0,
    thresholds: action.program.operations.map(() => NO_THRESHOLDS),
  };
  return engine.needs(computeTask(action, nowhere));
}

/** What memory depends on: the layers of a model differ in numbers that are computed with, which need none. */
function structureOf({ dtype, shape, work, inputs, program }: Action): string {
  const operations = program.operations.map((operation) => {
    // Another at each tensor.
    const alike = operation.op === "model-della" ? { ...operation, place: 0 } : operation;
    return Object.values<unknown>(alike).filter(isStructure);
  });
  const tensors = inputs.map(({ tensor }) => [tensor.dtype, tensor.shape]);
  return JSON.stringify([dtype, shape, work, tensors, operations]);
}

/** Words, positions and sizes; neither fractions nor streams, nor where a mask cuts. */
function isStructure(value: unknown): boolean {
  if (Array.isArray(value)) return value.every(isStructure);
  return typeof value === "string" || typeof value === "boolean" || Number.isInteger(value);
}
