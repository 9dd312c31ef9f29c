// Checked recipe graph and checkpoint headers → tensor graph. Pure: what lies outside the recipe comes from the host.

import type { Diagnostic } from "../dsl/diagnostic.ts";
import type { CompilerHost } from "./checkpoint.ts";
import { nodesUnder, rootOf, sourcesUnder } from "./graph-walk.ts";
import { checkHeaders } from "./header-checks/check-headers.ts";
import { checkDepth } from "./header-checks/depth.ts";
import { Headers } from "./headers.ts";
import { limitDiagnostics } from "./limit-diagnostics.ts";
import { lowerGates, operandsOf } from "./lower/gates.ts";
import { OperationCount } from "./lower/operation-count.ts";
import { lowerOutput } from "./lower/output.ts";
import type { ExpectNode, OutputNode } from "./recipe-graph.ts";
import type { TensorGraph } from "./tensor-graph.ts";
import { TensorProblems } from "./lower/tensor-problems.ts";

/**
 * `outputs`: all of the graph, or those that are asked for; expectations of others are not looked at. `tensors` is absent
 * when any diagnostic is an error.
 */
export function lower(
  outputs: readonly OutputNode[],
  expectations: readonly ExpectNode[],
  host: CompilerHost,
): { readonly tensors?: TensorGraph; readonly diagnostics: readonly Diagnostic[] } {
  const diagnostics: Diagnostic[] = [];
  const report = (diagnostic: Diagnostic) => void diagnostics.push(diagnostic);
  const failed = (): boolean => diagnostics.some(({ severity }) => severity === "error");
  const headers = new Headers(host, report);
  const operands = operandsOf(outputs, expectations);
  const readable = [...outputs, ...operands]
    .filter((output) => checkDepth(output, report) && readSources(output, headers))
    .filter((output) => hasLayouts(output, headers));
  const comparable = new Set(checkHeaders(readable, headers, report));
  const problems = new TensorProblems();
  const count = new OperationCount();
  const graphs = outputs
    .filter((output) => comparable.has(output))
    .map((output) => lowerOutput(output, headers, problems, count));
  for (const diagnostic of problems.diagnostics()) report(diagnostic);
  if (failed()) return { diagnostics: limited(diagnostics, outputs) };
  // What a gate compares with is often what the output is made of: its mistakes are told once.
  const gated = graphs.map((graph) => lowerGates(graph, expectations, headers, report, count));
  const told = limited(diagnostics, outputs);
  return failed() ? { diagnostics: told } : { tensors: { outputs: gated }, diagnostics: told };
}

function limited(diagnostics: readonly Diagnostic[], [first]: readonly OutputNode[]): readonly Diagnostic[] {
  return first === undefined ? diagnostics : limitDiagnostics(diagnostics, first.span.source);
}

/** Whether the slices of every stack make one; which do not was reported. */
function hasLayouts(output: OutputNode, headers: Headers): boolean {
  return [...nodesUnder(rootOf(output))]
    .filter((node) => node.kind === "stack")
    .map((node) => headers.tryLayout(node))
    .every((layout) => layout !== undefined);
}

/** Asks for every source, so that one run names all that cannot be read. */
function readSources(output: OutputNode, headers: Headers): boolean {
  const asked = [
    ...sourcesUnder(rootOf(output)),
    ...(output.tokenizer === undefined ? [] : [output.tokenizer]),
    ...(output.config === undefined ? [] : [output.config]),
  ];
  return asked.map((node) => headers.read(node)).every(Boolean);
}
