// The recipe graph as boxes that people recognise: what a node is called, what it does, and what it is made of. Text,
// diagrams and JSON all show this one view.

import type { SourceNode } from "../graph-walk.ts";
import { predicatesOf, predicateText } from "../predicates.ts";
import type {
  MaskedNode,
  MethodParameters,
  ModelNode,
  OutputNode,
  PredicateNode,
  RecipeGraph,
  VectorNode,
} from "../recipe-graph.ts";
import { callText, maskText, numberText, rangeText, selectorText, strategyText, wordText } from "./values-text.ts";

export interface ViewNode {
  readonly kind:
    "output" | "gate" | "model" | "adapter" | "vector" | "onto" | "difference" | "method" | "choice" | "arithmetic";
  /** The declared name, or an output's path. */
  readonly name?: string;
  /** The method with its effective parameters, the source's path, the operator. */
  readonly text: string;
  readonly inputs: readonly ViewInput[];
}

export interface ViewInput {
  /** "base", "vector", `at "*norm*"` …; empty for the inputs of a method. */
  readonly role: string;
  readonly node: ViewNode;
  /** What the input brings: `weight 0.8`, `mask crumbs, stream 1`. */
  readonly notes: readonly string[];
}

/** One node of the graph is one node of the view, wherever it is used. */
export function viewOutputs(graph: RecipeGraph): readonly ViewNode[] {
  const known = new Map<ModelNode | VectorNode, ViewNode>();
  const view = (node: ModelNode | VectorNode): ViewNode => {
    let made = known.get(node);
    if (made === undefined) known.set(node, (made = viewNode(node, view)));
    return made;
  };
  return graph.outputs.map((output) => ({
    kind: "output",
    name: output.display,
    text: settingsText(output),
    inputs: [
      input("", output.value.node, view),
      ...predicatesOf(output, graph.expectations).map((predicate) => gateInput(predicate, view)),
    ],
  }));
}

function gateInput(predicate: PredicateNode, view: View): ViewInput {
  const { against } = predicate;
  const inputs = against === undefined ? [] : [input("with", against, view)];
  return { role: "expect", node: { kind: "gate", text: predicateText(predicate), inputs }, notes: [] };
}

function settingsText({ value, dtype, shard, overflow, tokenizer, config }: OutputNode): string {
  const parts: string[] = [value.kind];
  if (dtype !== undefined) parts.push(`dtype ${wordText(dtype)}`);
  if (shard !== undefined) parts.push(`shards of ${shard} bytes`);
  if (overflow !== "error") parts.push(`overflow ${overflow}`);
  if (tokenizer !== undefined) parts.push(`tokenizer ${tokenizer.name}`);
  if (config !== undefined) parts.push(`config ${config.name}`);
  return parts.join(", ");
}

type View = (node: ModelNode | VectorNode) => ViewNode;

/** Masks are no boxes of their own: they are told with the input that they are applied to. */
function input(role: string, node: ModelNode | VectorNode, view: View, notes: readonly string[] = []): ViewInput {
  if (node.kind === "masked" && node.name === undefined) return maskedInput(role, node, view, notes);
  return { role, node: view(node), notes };
}

function maskedInput(role: string, node: MaskedNode, view: View, notes: readonly string[]): ViewInput {
  const stream = node.stream === 0 ? "" : `, stream ${node.stream}`;
  return input(role, node.vector, view, [...notes, `mask ${maskText(node.mask)}${stream}`]);
}

function clauses(perInput: MethodParameters["perInput"], index: number): readonly string[] {
  return [...perInput].map(([name, values]) => `${name} ${numberText(values[index]!)}`);
}

/** `"models/maths" { missing base }` */
function sourceText({ display, exceptions }: SourceNode): string {
  const rules = Object.entries(exceptions).map(([what, rule]) => `${what} ${rule as string}`);
  return `${JSON.stringify(display)}${rules.length === 0 ? "" : ` { ${rules.join(", ")} }`}`;
}

function viewNode(node: ModelNode | VectorNode, view: View): ViewNode {
  const name = node.name === undefined ? {} : { name: node.name };
  switch (node.kind) {
    case "checkpoint":
      return { kind: "model", ...name, text: sourceText(node), inputs: [] };
    case "adapter":
    case "stored-vector":
      return {
        kind: node.kind === "adapter" ? "adapter" : "vector",
        ...name,
        text: sourceText(node),
        inputs: [input("on", node.base, view)],
      };
    case "onto":
      return {
        kind: "onto",
        ...name,
        text: "+",
        inputs: [input("base", node.base, view), input("vector", node.vector, view)],
      };
    case "difference":
      return {
        kind: "difference",
        ...name,
        text: "-",
        inputs: [input("", node.model, view), input("minus", node.base, view)],
      };
    case "model-method":
      return {
        kind: "method",
        ...name,
        text: callText(node.method, node.parameters.shared),
        inputs: node.inputs.map((one, index) => input("", one, view, clauses(node.parameters.perInput, index))),
      };
    case "stack":
      return {
        kind: "method",
        ...name,
        text: node.stack === undefined ? "stack" : `stack(stack: ${JSON.stringify(node.stack.prefix)})`,
        inputs: node.slices.map(({ model, range }) => input("", model, view, [`layers ${rangeText(range)}`])),
      };
    case "vector-method":
      return {
        kind: "method",
        ...name,
        text: strategyText(node.strategy),
        inputs: node.inputs.map((one, index) => input("", one, view, clauses(node.perInput, index))),
      };
    case "model-choice":
    case "vector-choice":
      return {
        kind: "choice",
        ...name,
        text: "match",
        inputs: [
          ...node.arms.map(({ selector, value }) => input(`at ${selectorText(selector)}`, value, view)),
          ...(node.otherwise === undefined ? [] : [input("else", node.otherwise, view)]),
        ],
      };
    case "masked":
      return { kind: "arithmetic", ...name, text: "&", inputs: [maskedInput("", node, view, [])] };
    case "vector-add":
    case "vector-subtract":
      return {
        kind: "arithmetic",
        ...name,
        text: node.kind === "vector-add" ? "+" : "-",
        inputs: [input("", node.left, view), input("", node.right, view)],
      };
    case "vector-negate":
      return { kind: "arithmetic", ...name, text: "-", inputs: [input("", node.operand, view)] };
    case "vector-multiply":
    case "vector-divide":
      return {
        kind: "arithmetic",
        ...name,
        text: `${node.kind === "vector-multiply" ? "*" : "/"} ${numberText(node.factor)}`,
        inputs: [input("", node.operand, view)],
      };
    case "rebase":
      return {
        kind: "arithmetic",
        ...name,
        text: "rebase",
        inputs: [input("", node.vector, view), input("on", node.base, view)],
      };
  }
}
