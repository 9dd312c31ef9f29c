// One output: its tensors are the donor's, each becomes an action with a program and a dtype of its own.

import type { Span } from "../../dsl/source.ts";
import { isFloat, type Dtype } from "../checkpoint.ts";
import { baseOf, donorOf, nodesUnder, sourcesUnder } from "../graph-walk.ts";
import type { Headers } from "../headers.ts";
import type { LayoutTensor } from "../layout.ts";
import { lowerCopied } from "./copied.ts";
import { isValue, type Divisor, type Found, type TensorScope } from "./scope.ts";
import { lowerModel } from "./model.ts";
import { lowerWord } from "./parameters.ts";
import { configChanges } from "./stacked-config.ts";
import { lowerVector } from "./vector.ts";
import { checkNumbers, checkDivisors } from "./work-type.ts";
import { ProgramBuilder, type Value } from "./program-builder.ts";
import type { ModelNode, OutputNode, VectorNode } from "../recipe-graph.ts";
import { ModelStatistics, type LoweredTensor } from "./model-statistics.ts";
import type { OperationCount } from "./operation-count.ts";
import { TensorProblems } from "./tensor-problems.ts";
import type { Action, OutputGraph, VectorOnBase } from "../tensor-graph.ts";

export type UngatedOutput = Omit<OutputGraph, "gates">;

/** Every source under the output has been read. Actions of tensors with problems are left out. */
export function lowerOutput(
  output: OutputNode,
  headers: Headers,
  problems: TensorProblems,
  count: OperationCount,
): UngatedOutput {
  const { value } = output;
  const made = value.kind === "model" ? value.node : baseOf(value.node);
  const donor = headers.model(donorOf(made));
  if (value.kind === "vector" && made.kind !== "checkpoint") {
    // Its side file names the base by the digest of a checkpoint; a merge that is nowhere stored has none.
    problems.add("not-served", output, () => ({
      message: "a vector relative to a merge is not served as an output yet",
      span: output.span,
      help: "write the merge as an output and take the vector from that",
    }));
  }
  /** What a vector is of may have layers that the output lacks, or has twice, under other names. */
  const tensorsUnder = (vector: VectorNode): readonly LoweredTensor[] => {
    const base = baseOf(vector);
    const naming = headers.naming(base);
    return [...headers.layout(base).tensors].map(([name, donated]) => ({
      name,
      shape: donated.tensor.shape,
      wide: false,
      aside: () =>
        makeScope([name, ...(naming.tied.get(name) ?? [])], donated, headers, new TensorProblems(), statistics),
    }));
  };
  const layout = headers.layout(made);
  const { tied } = headers.naming(made);
  const actions: Action[] = [];
  const statistics = new ModelStatistics();
  const lowered: LoweredTensor[] = [];
  for (const [name, donated] of layout.tensors) {
    if (count.isExceeded) break;
    const before = problems.errors;
    const make = (report: TensorProblems): TensorScope =>
      makeScope([name, ...(tied.get(name) ?? [])], donated, headers, report, statistics);
    const scope = make(problems);
    const action = value.kind === "model" ? ofModel(value.node, output, scope) : ofVector(value.node, output, scope);
    if (action !== undefined && problems.errors === before) actions.push(action);
    if (action !== undefined) count.add(action.program);
    const wide = action?.dtype === "F64" || scope.builder.wide;
    lowered.push({ name, shape: scope.shape, wide, aside: () => make(new TensorProblems()) });
    if (action !== undefined && action.work !== "bytes") statistics.use(action);
  }
  const isStacked = [...nodesUnder(value.node)].some(({ kind }) => kind === "stack");
  const finished = statistics.finish((vector) => (isStacked ? tensorsUnder(vector) : lowered), count);
  statistics.reportMixed(output, problems);
  count.check(output, problems);
  const names = new Set(actions.map(({ tensor }) => tensor));
  return {
    output,
    kind: value.kind,
    donor,
    configChanges: value.kind === "model" ? configChanges(made, output, headers, problems) : [],
    ...(value.kind === "vector" ? { base: donor } : {}),
    storedVectors: storedVectors(value.node, headers),
    statistics: finished,
    actions,
    aliases: new Map([...layout.aliases].filter(([, stored]) => names.has(stored))),
  };
}

/** One on a merge, which is nowhere stored, has nothing to be compared with. */
export function storedVectors(node: ModelNode | VectorNode, headers: Headers): readonly VectorOnBase[] {
  return sourcesUnder(node).flatMap((source) => {
    if (source.kind !== "stored-vector" || source.base.kind !== "checkpoint") return [];
    const { baseDigest } = headers.vector(source);
    const { name, display, span } = source;
    return [{ name, display, span, base: headers.model(source.base), baseDigest }];
  });
}

export function makeScope(
  ownNames: readonly [string, ...string[]],
  donor: LayoutTensor,
  headers: Headers,
  problems: TensorProblems,
  statistics: ModelStatistics,
): TensorScope {
  problems.begin(ownNames[0]);
  const builder = new ProgramBuilder();
  const divisors: Divisor[] = [];
  const unusual = new Map<number, Span>();
  // One for each tensor of a stacked model that takes part, so that what is shared there is lowered once.
  const scopes = new Map<string, TensorScope>();
  const scopeOf = (names: readonly [string, ...string[]]): TensorScope => {
    const key = names.join("\0");
    let scope = scopes.get(key);
    if (scope === undefined) scopes.set(key, (scope = newScope(names)));
    return scope;
  };
  const newScope = (names: readonly [string, ...string[]]): TensorScope => {
    const models = new Map<ModelNode, Found>();
    const vectors = new Map<VectorNode, Value | "skip">();
    const scope: TensorScope = {
      names,
      own: ownNames[0],
      shape: donor.tensor.shape,
      donor,
      headers,
      builder,
      problems,
      divisors,
      unusual,
      statistics,
      inside(model, name) {
        const stored = headers.layout(model).aliases.get(name) ?? name;
        return scopeOf([stored, ...(headers.naming(model).tied.get(stored) ?? [])]);
      },
      model(node) {
        let found = models.get(node);
        if (found === undefined) models.set(node, (found = lowerModel(node, scope)));
        return found;
      },
      vector(node) {
        let found = vectors.get(node);
        if (found === undefined) vectors.set(node, (found = lowerVector(node, scope)));
        return found;
      },
    };
    return scope;
  };
  return scopeOf(ownNames);
}

function ofModel(node: ModelNode, output: OutputNode, scope: TensorScope): Action | undefined {
  if (!isFloat(scope.donor.tensor.dtype)) return copyAction(node, scope);
  const before = scope.problems.errors;
  const found = scope.model(node);
  if (isValue(found)) return finish(found, dtypeOf(output, scope), output, scope);
  if (scope.problems.errors > before) return undefined;
  // An arm of a choice that lacks the tensor: the donor is not asked there.
  scope.problems.add("no-value", node, () => ({
    message: `the output has no value for ${scope.names[0]}: the model it comes from lacks it`,
    span: output.span,
  }));
  return undefined;
}

/** Only what changes: a vector has no integers, and no tensor that all of its parts lack. */
function ofVector(node: VectorNode, output: OutputNode, scope: TensorScope): Action | undefined {
  if (!isFloat(scope.donor.tensor.dtype)) return undefined;
  const found = scope.vector(node);
  return found === "skip" ? undefined : finish(found, dtypeOf(output, scope), output, scope);
}

/** As safetensors spells it: the output's, else the donor's, else of a vector f32. */
function dtypeOf({ dtype, value }: OutputNode, scope: TensorScope): Dtype | undefined {
  if (dtype !== undefined) return lowerWord(dtype, value.node, scope)?.toUpperCase();
  return value.kind === "model" ? scope.donor.tensor.dtype : "F32";
}

/** `wanted`: "own" rounds nothing: that of the payload which is taken over, else the work type. Undefined after an error. */
export function finish(
  value: Value,
  wanted: Dtype | "own" | undefined,
  output: OutputNode,
  scope: TensorScope,
): Action | undefined {
  if (wanted === undefined) return undefined;
  const { program, inputs } = scope.builder.finish(value);
  const isLoad = program.operations.length === 1 && program.operations[0]!.op === "load";
  const own = isLoad ? inputs[0]!.tensor.dtype : scope.builder.wide ? "F64" : "F32";
  const dtype = wanted === "own" ? own : wanted;
  const wide = dtype === "F64" || (isLoad ? inputs[0]!.tensor.dtype === "F64" : scope.builder.wide);
  const work = wide ? "F64" : "F32";
  checkDivisors(work, scope);
  checkNumbers(program, work, output, scope);
  return {
    kind: "compute",
    tensor: scope.names[0],
    program,
    inputs,
    dtype,
    shape: scope.shape,
    work,
    // A payload that is taken over cannot overflow.
    overflow: isLoad && inputs[0]!.tensor.dtype === dtype ? "error" : output.overflow,
  };
}

export function copyAction(node: ModelNode, scope: TensorScope): Action | undefined {
  const copied = lowerCopied(node, scope);
  if (copied === undefined) return undefined;
  const { from, mustEqual } = copied;
  return {
    kind: "compute",
    tensor: scope.names[0],
    program: { operations: [{ op: "load", input: 0, nan: "propagate" }] },
    inputs: [{ ...from, nan: "error" }],
    dtype: from.tensor.dtype,
    shape: from.tensor.shape,
    work: "bytes",
    overflow: "error",
    ...(mustEqual.length === 0 ? {} : { mustEqual }),
  };
}
