// The programs of all output tensors as JSON. Outputs may have the same gates, and gates compare with the same tensors:
// each gate is told once, and so is what it compares with, and who has it names its place in a list behind the outputs.

import { explainKey, weakKey } from "../action-key.ts";
import { predicateText } from "../predicates.ts";
import type { Action, Gate, GateOperand, ModelStatistic, Operation, OutputGraph } from "../tensor-graph.ts";
import { EXPLAIN_SCHEMA } from "./explain-recipe.ts";
import { jsonPieces } from "./json-pieces.ts";

/** In pieces. */
export function* tensorJson(outputs: readonly OutputGraph[]): Generator<string> {
  const shared = new SharedGates();
  yield* jsonPieces({
    schema: EXPLAIN_SCHEMA,
    level: "tensor",
    outputs: listOf(outputs, (output) => outputJson(output, shared)),
    // All are known when the outputs are told.
    gates: shared.gates(),
    operands: shared.operands(),
  });
  yield "\n";
}

function outputJson({ output, kind, donor, actions, statistics, aliases, gates }: OutputGraph, shared: SharedGates) {
  return {
    path: output.display,
    kind,
    donor: donor.display,
    tied: Object.fromEntries(aliases),
    statistics: listOf(statistics, statisticJson),
    tensors: listOf(actions, actionJson),
    gates: gates.map((gate) => shared.placeOf(gate)),
  };
}

function* listOf<T>(values: Iterable<T>, json: (value: T) => object): Generator<object> {
  for (const value of values) yield json(value);
}

/** What is written alike is one: the outputs that have a gate may have programs of their own for what it compares with. */
class SharedGates {
  readonly #gates = new Map<string, { readonly place: number; readonly json: object }>();
  readonly #operands = new Map<string, { readonly place: number; readonly operand: GateOperand }>();
  /** Those of one output are shared already. */
  readonly #places = new Map<GateOperand, number>();

  placeOf({ predicate, operand }: Gate): number {
    const { metric, each, comparison } = predicate;
    const json = {
      gate: predicateText(predicate),
      metric,
      each,
      ...(comparison && { operator: comparison.operator, bound: comparison.bound }),
      ...(operand && { with: this.#placeOf(operand) }),
    };
    const text = JSON.stringify(json);
    const known = this.#gates.get(text) ?? { place: this.#gates.size, json };
    this.#gates.set(text, known);
    return known.place;
  }

  *gates(): Generator<object> {
    for (const { json } of this.#gates.values()) yield json;
  }

  /** What makes the tensors that a gate compares with, by the names of the output's. */
  *operands(): Generator<object> {
    for (const { operand } of this.#operands.values()) {
      yield { tensors: listOf(operand.tensors.values(), actionJson) };
    }
  }

  #placeOf(operand: GateOperand): number {
    const before = this.#places.get(operand);
    if (before !== undefined) return before;
    const text = JSON.stringify([...operand.tensors.values()].map(factsOf));
    const known = this.#operands.get(text) ?? { place: this.#operands.size, operand };
    this.#operands.set(text, known);
    this.#places.set(operand, known.place);
    return known.place;
  }
}

function actionJson(action: Action): object {
  return { ...factsOf(action), key: explainKey(action, "unknown") };
}

/** All that the key says follows from them. */
function factsOf(action: Action): object {
  const { tensor, dtype, shape, work, overflow, inputs, mustEqual = [], program } = action;
  return {
    name: tensor,
    dtype,
    shape,
    work,
    overflow,
    numerics: "exact",
    weak_key: `sha256:${weakKey(action)}`,
    inputs: inputs.map(inputJson),
    must_equal: mustEqual.map(inputJson),
    program: program.operations.map(operationJson),
  };
}

/** A stream has 64 bits, more than a JSON number holds; a seed came out of a recipe's number. */
function operationJson(operation: Operation): object {
  const json: Record<string, unknown> = {};
  for (const [field, value] of Object.entries(operation) as [string, unknown][]) {
    if (typeof value !== "bigint") json[field] = value;
    else json[field] = field === "seed" ? Number(value) : value.toString(16).padStart(16, "0");
  }
  return json;
}

function statisticJson({ members, ...rule }: ModelStatistic): object {
  return { ...rule, ...(rule.kind !== "size" && { per: "model" }), tensors: members.map(({ tensor }) => tensor) };
}

function inputJson({ role, tensor, nan, checkpoint }: Action["inputs"][number]): object {
  return { role, checkpoint, name: tensor.name, dtype: tensor.dtype, shape: tensor.shape, nan };
}
