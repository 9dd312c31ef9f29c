// Which measurements the gates of an output need, and which of them are kept from an earlier build. Plan and build share
// it, so a plan says what a build reads.

import type { TensorInfo } from "../../compiler/checkpoint.ts";
import type { Action, OutputGraph } from "../../compiler/tensor-graph.ts";
import { tensorBytes } from "../checkpoint/safetensors-writer.ts";
import type { InputFiles } from "../build/input-files.ts";
import type { MeasurementCache } from "../store/measurement-cache.ts";
import {
  aloneKey,
  ALONE_NUMBERS,
  aloneOfNumbers,
  aloneToNumbers,
  identityOf,
  isPayload,
  PAIR_NUMBERS,
  pairKey,
  pairOfNumbers,
  pairToNumbers,
  pairWithItself,
  payloadIdentity,
  rowKey,
  type Alone,
  type Pair,
} from "./measurement.ts";

/** Of one tensor of an output: what its gates need. */
export interface TensorNeeds {
  readonly action: Action;
  readonly alone: boolean;
  /** What makes the tensors that it is compared with, each once. */
  readonly operands: readonly Action[];
}

/** What has still to be measured of it. */
export interface MissingMeasurements extends TensorNeeds {
  /** More operands, whose bytes are the tensor's own: they follow from what is measured of it alone. */
  readonly equal: readonly Action[];
}

/** By the output's action, and by that of the operand, which no other tensor shares. */
export interface Measurements {
  readonly alone: ReadonlyMap<Action, Alone>;
  readonly pairs: ReadonlyMap<Action, Pair>;
}

export interface LookedUp {
  readonly known: Measurements;
  readonly missing: readonly MissingMeasurements[];
  /** They were found in one row. */
  readonly isTogether: boolean;
}

/** One a tensor that some gate is about. */
export function needsOf({ actions, gates }: OutputGraph): readonly TensorNeeds[] {
  const alone = gates.some(({ predicate: { metric } }) => metric === "finite" || metric === "norm");
  const needs = actions.map((action): TensorNeeds => {
    const operands = gates.flatMap(({ operand }) => operand?.tensors.get(action.tensor) ?? []);
    return { action, alone: alone && action.work !== "bytes", operands: [...new Set(operands)] };
  });
  return needs.filter((need) => need.alone || need.operands.length > 0);
}

/** `payload`: digest of an output's tensor, undefined while it is not made. */
export function lookUpMeasurements(
  graph: OutputGraph,
  payload: (action: Action) => string | undefined,
  inputs: InputFiles,
  cache: Pick<MeasurementCache, "load">,
): LookedUp {
  const needs = needsOf(graph);
  const asked = needs.map((one) => identify(one, payload(one.action), inputs));
  const together = togetherKey(asked);
  const kept = together === undefined ? undefined : cache.load([together]).get(together);
  const known = kept && measurementsOf(needs, kept);
  return known === undefined ? lookUpEach(asked, cache) : { known, missing: [], isTogether: true };
}

function lookUpEach(asked: readonly Identified[], cache: Pick<MeasurementCache, "load">): LookedUp {
  const wanted = asked.map((one) => ({ needs: one.needs, keys: keysOf(one) }));
  const stored = cache.load(
    wanted.flatMap(({ keys }) => [keys.alone, ...keys.pairs].filter((key) => key !== undefined)),
  );
  const numbers = (key: string | undefined): readonly number[] | undefined =>
    key === undefined ? undefined : stored.get(key);
  const alone = new Map<Action, Alone>();
  const pairs = new Map<Action, Pair>();
  const missing = wanted.flatMap(({ needs, keys }): readonly MissingMeasurements[] => {
    const { action } = needs;
    for (const [index, operand] of needs.operands.entries()) {
      const found = numbers(keys.pairs[index]);
      if (found !== undefined) pairs.set(operand, pairOfNumbers(found));
    }
    const own = numbers(keys.alone);
    const equal = keys.equal.filter((operand) => !pairs.has(operand));
    if (own !== undefined) {
      const found = aloneOfNumbers(own);
      alone.set(action, found);
      for (const operand of equal) pairs.set(operand, pairWithItself(found));
    }
    const operands = needs.operands.filter((operand) => !pairs.has(operand) && !equal.includes(operand));
    const isAloneMissing = own === undefined && (needs.alone || equal.length > 0);
    if (operands.length === 0 && !isAloneMissing) return [];
    return [{ action, alone: isAloneMissing, operands, equal: isAloneMissing ? equal : [] }];
  });
  return { known: { alone, pairs }, missing, isTogether: false };
}

/** What the numbers are about, by content: undefined while the tensor is not made, or an input's digest is not known. */
interface Identified {
  readonly needs: TensorNeeds;
  readonly payload: string | undefined;
  /** One an operand. */
  readonly operands: readonly (string | undefined)[];
}

function identify(needs: TensorNeeds, payload: string | undefined, inputs: InputFiles): Identified {
  const operands = needs.operands.map((operand) => (payload === undefined ? undefined : identityOf(operand, inputs)));
  return { needs, payload, operands };
}

/**
 * All that the gates of an output need is kept once more in one row: a build with nothing to do looks up that one, not three
 * for each of ten thousand tensors. Undefined where there is nothing, or something has no identity yet.
 */
function togetherKey(asked: readonly Identified[]): string | undefined {
  const lines: string[] = [];
  for (const { needs, payload, operands } of asked) {
    if (payload === undefined) return undefined;
    lines.push(`${needs.alone ? "alone" : "pairs"} ${operands.length} ${payloadIdentity(needs.action, payload)}`);
    for (const operand of operands) {
      if (operand === undefined) return undefined;
      lines.push(operand);
    }
  }
  return lines.length === 0 ? undefined : rowKey("together", lines);
}

/** The row that keeps them all. Everything must be measured, and every input's digest known. */
export function togetherRow(
  graph: OutputGraph,
  payload: (action: Action) => string,
  inputs: InputFiles,
  { alone, pairs }: Measurements,
): readonly (readonly [key: string, numbers: readonly number[]])[] {
  const needs = needsOf(graph);
  const key = togetherKey(needs.map((one) => identify(one, payload(one.action), inputs)));
  if (key === undefined) return [];
  const numbers: number[] = [];
  for (const { action, alone: isAlone, operands } of needs) {
    if (isAlone) numbers.push(...aloneToNumbers(alone.get(action)!));
    for (const operand of operands) numbers.push(...pairToNumbers(pairs.get(operand)!));
  }
  return [[key, numbers]];
}

/** What `togetherRow` was made of; undefined for numbers of something else. */
function measurementsOf(needs: readonly TensorNeeds[], numbers: readonly number[]): Measurements | undefined {
  const alone = new Map<Action, Alone>();
  const pairs = new Map<Action, Pair>();
  let at = 0;
  for (const { action, alone: isAlone, operands } of needs) {
    if (isAlone) alone.set(action, aloneOfNumbers(numbers.slice(at, (at += ALONE_NUMBERS))));
    for (const operand of operands) pairs.set(operand, pairOfNumbers(numbers.slice(at, (at += PAIR_NUMBERS))));
  }
  return at === numbers.length ? { alone, pairs } : undefined;
}

interface Keys {
  readonly alone: string | undefined;
  /** One an operand. */
  readonly pairs: readonly (string | undefined)[];
  /** Operands whose bytes are the output's own. */
  readonly equal: readonly Action[];
}

function keysOf({ needs: { action, operands }, payload, operands: identities }: Identified): Keys {
  if (payload === undefined) return { alone: undefined, pairs: identities, equal: [] };
  const own = payloadIdentity(action, payload);
  return {
    alone: aloneKey(action, payload),
    pairs: identities.map((identity) => (identity === undefined ? undefined : pairKey(action, payload, identity))),
    // Where there is no arithmetic nothing is measured of a tensor alone.
    equal: action.work === "bytes" ? [] : operands.filter((_, index) => identities[index] === own),
  };
}

/** What measuring reads and writes. */
export interface MeasuringWork {
  /** Bytes of outputs' tensors that are read again. */
  readonly again: number;
  /** Bytes of tensors that are computed to be compared with: written to a file without a name, and read back. */
  readonly computed: number;
  /** Read, each as often as it stands here. */
  readonly inputs: readonly TensorInfo[];
}

/** `runs`: whether the tensor is made, and so measured in passing as far as that goes. */
export function workToMeasure(missing: readonly TensorNeeds[], runs: (action: Action) => boolean): MeasuringWork {
  let again = 0;
  let computed = 0;
  const inputs: TensorInfo[] = [];
  for (const { action, operands } of missing) {
    const made = operands.filter((operand) => !isPayload(operand));
    again += bytesOf(action) * (runs(action) ? made.length : Math.max(1, operands.length));
    for (const operand of made) computed += bytesOf(operand);
    for (const operand of operands) for (const { tensor } of operand.inputs) inputs.push(tensor);
  }
  return { again, computed, inputs };
}

function bytesOf({ tensor: name, dtype, shape }: Action): number {
  return tensorBytes({ name, dtype, shape });
}
