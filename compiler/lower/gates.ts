// The gates of one output: the lines of every `expect` about its model, and for each of its tensors what they compare it
// with. METHODS.md, "Gates", says what the metrics mean.

import type { Diagnostic, Report } from "../../dsl/diagnostic.ts";
import { nodesUnder } from "../graph-walk.ts";
import { type Headers, tensorOf } from "../headers.ts";
import { predicatesOf } from "../predicates.ts";
import type { ExpectNode, ModelNode, OutputNode, PredicateNode } from "../recipe-graph.ts";
import type { Action, Gate, GateOperand, ModelStatistic, OutputGraph } from "../tensor-graph.ts";
import { INTEGER } from "./copied.ts";
import { ModelStatistics, type LoweredTensor } from "./model-statistics.ts";
import { isSameProgram } from "./program-builder.ts";
import { copyAction, finish, makeScope, storedVectors, type UngatedOutput } from "./output.ts";
import type { OperationCount } from "./operation-count.ts";
import { isValue, type TensorScope } from "./scope.ts";
import { factOf } from "./sources.ts";
import { isSameShape, tensorFacts } from "./tensor-facts.ts";
import { TensorProblems } from "./tensor-problems.ts";

/**
 * Every model that the gates of `outputs` compare them with, as an output that nobody writes: it is checked like one, and
 * once for all outputs that the gate is about.
 */
export function operandsOf(outputs: readonly OutputNode[], expectations: readonly ExpectNode[]): readonly OutputNode[] {
  const operands = new Map<PredicateNode, OutputNode>();
  for (const output of outputs) {
    for (const predicate of predicatesOf(output, expectations)) {
      const { against, span } = predicate;
      if (against === undefined || operands.has(predicate)) continue;
      const { display, path } = output;
      const value = { kind: "model", node: against } as const;
      operands.set(predicate, { kind: "output", span, display, path, value, overflow: "inf" });
    }
  }
  return [...operands.values()];
}

/** The output and all operands were checked against headers, and every action of the output could be made. */
export function lowerGates(
  graph: UngatedOutput,
  expectations: readonly ExpectNode[],
  headers: Headers,
  report: Report,
  count: OperationCount,
): OutputGraph {
  // That was said, and nothing of it is used any more.
  if (count.isExceeded) return { ...graph, gates: [] };
  const shared = new SharedActions();
  // Numbered behind the output's.
  const further: ModelStatistic[] = [];
  const predicates = predicatesOf(graph.output, expectations);
  const gates = predicates.map((predicate): Gate => {
    const problems = new TensorProblems();
    checkServed(graph, predicate, problems);
    const { against: node } = predicate;
    const operand =
      node &&
      shared.operand(node, predicate, () => {
        const statistics = new ModelStatistics(graph.statistics.length + further.length);
        const made = lowerOperand({ graph, predicate, node, headers, problems, shared, count, statistics });
        further.push(...statistics.finish(() => made.lowered, count));
        statistics.reportMixed(predicate, problems);
        count.check(graph.output, problems);
        return problems.errors === 0 && !count.isExceeded ? { tensors: made.tensors } : undefined;
      });
    for (const diagnostic of problems.diagnostics()) report(atGate(diagnostic, predicate));
    return { predicate, ...(operand && { operand }) };
  });
  const compared = new Set(predicates.flatMap(({ against }) => against ?? []));
  const vectors = [...compared].flatMap((node) => storedVectors(node, headers));
  return {
    ...graph,
    statistics: [...graph.statistics, ...further],
    storedVectors: [...(graph.storedVectors ?? []), ...vectors],
    gates,
  };
}

/** Actions of one tensor. A gate that compares with yet another one is measured in a pass of its own. */
const MOST_COMPARED = 16;

/** All operands and their actions: two gates that compare a tensor with the same one are measured in one pass. */
class SharedActions {
  readonly #byTensor = new Map<string, Action[]>();
  /** Of gates that compare bits, and of the others. */
  readonly #operands = [new Map<ModelNode, GateOperand>(), new Map<ModelNode, GateOperand>()] as const;

  /** The one that another gate has of the node, else what `make` gives, which is nothing after an error. */
  operand(node: ModelNode, { metric }: PredicateNode, make: () => GateOperand | undefined): GateOperand | undefined {
    const known = this.#operands[metric === "changed" ? 0 : 1];
    const operand = known.get(node) ?? make();
    if (operand !== undefined) known.set(node, operand);
    return operand;
  }

  share(made: Action): Action {
    const others = this.#byTensor.get(made.tensor) ?? [];
    this.#byTensor.set(made.tensor, others);
    const same = others.find((other) => isSameAction(other, made));
    if (same === undefined && others.length < MOST_COMPARED) others.push(made);
    return same ?? made;
  }
}

function isSameAction(one: Action, other: Action): boolean {
  return (
    one.dtype === other.dtype &&
    one.overflow === other.overflow &&
    one.inputs.length === other.inputs.length &&
    one.inputs.every(({ tensor }, index) => tensor === other.inputs[index]!.tensor) &&
    isSameProgram(one.program, other.program)
  );
}

/** Numbers are known of floating dtypes with arithmetic; integers are finite and in no metric but `changed`. */
function checkServed(graph: UngatedOutput, predicate: PredicateNode, problems: TensorProblems): void {
  if (predicate.metric === "changed") return;
  for (const { tensor, dtype, work } of graph.actions) {
    if (work !== "bytes" || INTEGER.test(dtype)) continue;
    problems.add("not-served", predicate, () => ({
      message: `${predicate.subject} is not served for ${dtype.toLowerCase()}, and ${tensor} of "${graph.output.display}" is one`,
      span: predicate.span,
      help: "changed(X) compares bits of any dtype",
    }));
  }
}

interface OperandContext {
  readonly graph: UngatedOutput;
  readonly predicate: PredicateNode;
  readonly node: ModelNode;
  readonly headers: Headers;
  readonly problems: TensorProblems;
  readonly shared: SharedActions;
  /** Of this operand alone: one work type may look for another threshold. */
  readonly statistics: ModelStatistics;
  readonly count: OperationCount;
}

function lowerOperand(context: OperandContext): GateOperand & { readonly lowered: readonly LoweredTensor[] } {
  const { graph, headers, predicate, problems, shared, count, statistics } = context;
  const layout = headers.layout(graph.output.value.node);
  const { tied } = headers.naming(graph.output.value.node);
  const tensors = new Map<string, Action>();
  const lowered: LoweredTensor[] = [];
  for (const action of graph.actions) {
    if (count.isExceeded) break;
    if (action.work === "bytes" && predicate.metric !== "changed") continue;
    const donated = layout.tensors.get(action.tensor)!;
    const names = [action.tensor, ...(tied.get(action.tensor) ?? [])] as const;
    const make = (report: TensorProblems): TensorScope => makeScope(names, donated, headers, report, statistics);
    const before = problems.errors;
    const made = operandAction(action, make(problems), context);
    if (made === undefined || problems.errors > before) continue;
    count.add(made.program);
    tensors.set(action.tensor, shared.share(made));
    if (made.work !== "bytes") statistics.use(made);
    const { tensor, shape, work } = made;
    lowered.push({ name: tensor, shape, wide: work === "F64", aside: () => make(new TensorProblems()) });
  }
  if (statistics.any) refuseStack(context);
  return { tensors, lowered };
}

/** The tensors of its vectors are not those of the output. */
function refuseStack({ node, predicate, problems }: OperandContext): void {
  if (![...nodesUnder(node)].some(({ kind }) => kind === "stack")) return;
  problems.add("not-served", predicate, () => ({
    message: `${predicate.subject} is not served for a stack with a mask per: model, or with lines and like`,
    span: predicate.span,
    help: "write that model as an output, and compare with what was written",
  }));
}

/** Undefined after an error. */
function operandAction(action: Action, scope: TensorScope, context: OperandContext): Action | undefined {
  const { graph, headers, node, predicate, problems } = context;
  const before = problems.errors;
  const isLacking = node.kind === "checkpoint" && tensorOf(headers.model(node), scope.names) === undefined;
  if (isLacking) return lacking(scope, context);
  if (action.work === "bytes") {
    const copied = copyAction(node, scope);
    if (copied !== undefined) return sameKind(copied, action, scope, context);
  } else {
    const found = scope.model(node);
    // Bits can be compared in one dtype only: that of the output, as `keep` would write them.
    const dtype = predicate.metric === "changed" ? action.dtype : "own";
    if (isValue(found)) return finish(found, dtype, graph.output, scope);
  }
  return problems.errors === before ? lacking(scope, context) : undefined;
}

function lacking(scope: TensorScope, { node, predicate, problems }: OperandContext): undefined {
  const who = node.name ?? "the model that it compares with";
  problems.add("missing-tensor", predicate, () => ({
    message: `${predicate.subject} has no value for ${scope.names[0]}: ${who} lacks it`,
    span: predicate.span,
    ...(node.kind === "checkpoint" && { notes: [{ message: `${node.name} is declared here`, span: node.span }] }),
    help: "compare with a model that has every tensor of the output",
  }));
  return undefined;
}

/** Payloads that are only copied can be compared when they are of one dtype and shape. */
function sameKind(
  made: Action,
  action: Action,
  { names, donor }: TensorScope,
  { node, predicate, problems }: OperandContext,
): Action | undefined {
  if (made.dtype === action.dtype && isSameShape(made.shape, action.shape)) return made;
  problems.add("integer-mismatch", predicate, () => ({
    message: `${predicate.subject} has no value for ${names[0]}: its dtype or shape is another one`,
    span: predicate.span,
    ...(node.kind === "checkpoint" && {
      facts: tensorFacts([factOf(donor.node, donor.tensor), factOf(node, made.inputs[0]!.tensor)]),
    }),
  }));
  return undefined;
}

function atGate(diagnostic: Diagnostic, { span, subject }: PredicateNode): Diagnostic {
  if (diagnostic.span === span) return diagnostic;
  return { ...diagnostic, notes: [...(diagnostic.notes ?? []), { message: `${subject} compares with it`, span }] };
}
