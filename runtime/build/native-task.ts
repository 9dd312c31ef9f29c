// An action as the addon takes it.

import type { Action } from "../../compiler/tensor-graph.ts";
import type { ComputeTask, TaskResult } from "../../native/addon-types.ts";
import { nativeProgram, type Thresholds } from "./native-program.ts";
import type { ActionCounters } from "../store/shard-record.ts";

export interface TaskFiles {
  /** One descriptor an input. */
  readonly inputs: readonly number[];
  /** Which inputs' digests are wanted. */
  readonly digests: readonly boolean[];
  readonly output: number;
  /** Of the result in its file. */
  readonly offset: number;
  /** One an operation, of those that need them. */
  readonly thresholds: readonly (Thresholds | undefined)[];
}

export function computeTask(action: Action, files: TaskFiles, measure?: ComputeTask["measure"]): ComputeTask {
  const { dtype, shape, program, work } = action;
  const inputs = action.inputs.map(({ tensor }, index) => ({
    fd: files.inputs[index]!,
    offset: tensor.offset,
    dtype: tensor.dtype,
    shape: tensor.shape,
    digest: files.digests[index]!,
  }));
  return {
    kind: "compute",
    label: action.tensor,
    ...nativeProgram(program, inputs, shape, files.thresholds),
    work,
    ...(measure && { measure }),
    // Under "error" the bytes are those of "inf": only the verdict differs, and that is taken from the counters.
    output: {
      fd: files.output,
      offset: files.offset,
      dtype,
      shape,
      overflow: action.overflow === "saturate" ? "saturate" : "inf",
    },
  };
}

/** Thresholds are not among the action's inputs. */
export function countersOf({ inputs }: Action, result: TaskResult): ActionCounters {
  const { masks, overflow, firstOverflow, antiparallel } = result;
  const inputCounters = result.inputCounters.slice(0, inputs.length);
  const finite = inputCounters.every(({ nan, inf }) => nan === 0 && inf === 0);
  return { inputs: finite ? [] : inputCounters, masks, overflow, firstOverflow, antiparallel };
}
