// Checked recipe graph and checkpoint headers → tensor graph. Pure: what lies outside the recipe comes from the host.

import type { Diagnostic } from "../dsl/diagnostic.ts";
import type { CompilerHost } from "./checkpoint.ts";
import { rootOf, sourcesUnder } from "./graph-walk.ts";
import { checkHeaders } from "./header-checks/check-headers.ts";
import { checkDepth } from "./header-checks/depth.ts";
import { Headers } from "./headers.ts";
import { lowerOutput } from "./lower/output.ts";
import type { OutputNode } from "./recipe-graph.ts";
import type { TensorGraph } from "./tensor-graph.ts";
import { TensorProblems } from "./lower/tensor-problems.ts";

/** `outputs`: all of the graph, or those that are asked for. `tensors` is absent when any diagnostic is an error. */
export function lower(
  outputs: readonly OutputNode[],
  host: CompilerHost,
): { readonly tensors?: TensorGraph; readonly diagnostics: readonly Diagnostic[] } {
  const diagnostics: Diagnostic[] = [];
  const report = (diagnostic: Diagnostic) => void diagnostics.push(diagnostic);
  const headers = new Headers(host, report);
  const readable = outputs.filter((output) => checkDepth(output, report) && readSources(output, headers));
  const comparable = checkHeaders(readable, headers, report);
  const problems = new TensorProblems();
  const graphs = comparable.map((output) => lowerOutput(output, headers, problems));
  diagnostics.push(...problems.diagnostics());
  const failed = diagnostics.some(({ severity }) => severity === "error");
  return failed ? { diagnostics } : { tensors: { outputs: graphs }, diagnostics };
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
