// Measures results while they are written, because a large one is on the disk behind that: what gates need of a tensor
// alone, and against tensors that lie in a checkpoint. Operands that have to be computed come later (measure-tensors.ts).

import type { TensorInfo } from "../../compiler/checkpoint.ts";
import type { Action, OutputGraph } from "../../compiler/tensor-graph.ts";
import type { ComputeTask, NativeInput, TaskResult } from "../../native/addon-types.ts";
import type { InputFiles } from "../build/input-files.ts";
import { needsOf, type Measurements, type MissingMeasurements, type TensorNeeds } from "./look-up-measurements.ts";
import { aloneOf, aloneOfPair, isPayload, pairOf, type Alone, type Pair } from "./measurement.ts";

export class PassingMeasurements implements Measurements {
  readonly alone = new Map<Action, Alone>();
  readonly pairs = new Map<Action, Pair>();
  #outputs: readonly OutputGraph[] = [];
  /** Made when something runs. */
  #needs: ReadonlyMap<Action, TensorNeeds> | undefined;

  /** What is going to run: actions as they are when the statistics are known. */
  expect(outputs: readonly OutputGraph[]): void {
    this.#outputs = outputs;
    this.#needs = undefined;
  }

  /** What the action's task has to measure; nothing of most. */
  async taskPart(action: Action, inputs: InputFiles): Promise<ComputeTask["measure"]> {
    const needs = this.#needsOf(action);
    if (needs === undefined) return undefined;
    const against = needs.operands.map(async (operand): Promise<NativeInput> => {
      const tensor = payloadOf(operand);
      const { offset, dtype, shape } = tensor;
      const isKnown = inputs.isProven(tensor) && inputs.digest(tensor) !== undefined;
      // What the action reads itself is hashed there.
      const isInput = action.inputs.some((input) => input.tensor === tensor);
      return { fd: await inputs.open(tensor), offset, dtype, shape, digest: !isKnown && !isInput };
    });
    return { alone: needs.alone, against: await Promise.all(against) };
  }

  async take(action: Action, { output = [] }: TaskResult, inputs: InputFiles): Promise<void> {
    const needs = this.#needsOf(action);
    if (needs === undefined) return;
    const compared = needs.alone ? output.slice(1) : output;
    const tensors = needs.operands.map(payloadOf);
    await inputs.learn(
      tensors,
      compared.map(({ digest }) => digest),
    );
    const pairs = compared.map(({ comparison, counters }) => pairOf(comparison!, counters));
    needs.operands.forEach((operand, index) => this.pairs.set(operand, pairs[index]!));
    const alone = needs.alone
      ? aloneOf(output[0]!.statistics!, output[0]!.counters[0]!)
      : pairs.flatMap((pair) => aloneOfPair(pair) ?? [])[0];
    if (alone !== undefined && action.work !== "bytes") this.alone.set(action, alone);
  }

  /** What is still to be measured when what was measured in passing is known. */
  without(missing: readonly MissingMeasurements[]): readonly MissingMeasurements[] {
    const left = missing.map(({ action, alone, operands, equal }) => ({
      action,
      alone: alone && !this.alone.has(action),
      operands: operands.filter((operand) => !this.pairs.has(operand)),
      equal: equal.filter((operand) => !this.pairs.has(operand)),
    }));
    return left.filter(({ alone, operands, equal }) => alone || operands.length + equal.length > 0);
  }

  #needsOf(action: Action): TensorNeeds | undefined {
    this.#needs ??= this.#allNeeds();
    return this.#needs.get(action);
  }

  #allNeeds(): ReadonlyMap<Action, TensorNeeds> {
    const needs = this.#outputs.flatMap(needsOf).map(({ action, alone, operands }): [Action, TensorNeeds] => {
      const payloads = operands.filter(isPayload);
      // A comparison tells what the tensor is alone, too.
      return [action, { action, alone: alone && payloads.length === 0, operands: payloads }];
    });
    return new Map(needs.filter(([, { alone, operands }]) => alone || operands.length > 0));
  }
}

function payloadOf(operand: Action): TensorInfo {
  return operand.inputs[0]!.tensor;
}
