// Checked recipe graph and checkpoint headers → tensor graph. Pure: what lies outside the recipe comes from the host.

import type { Diagnostic } from "../dsl/diagnostic.ts";
import type { CompilerHost } from "./checkpoint.ts";
import { rootOf, sourcesUnder } from "./graph-walk.ts";
import { checkHeaders } from "./header-checks/check-headers.ts";
import { checkDepth } from "./header-checks/depth.ts";
import { Headers } from "./headers.ts";
import { lowerOutput } from "./lower/output.ts";
import type { OutputNode, RecipeGraph } from "./recipe-graph.ts";
import type { OutputGraph, TensorGraph } from "./tensor-graph.ts";
import { TensorProblems } from "./lower/tensor-problems.ts";

interface LowerOptions {
  /** Paths of outputs as the recipe spells them; absent: all. */
  readonly only?: readonly string[];
}

/** `tensors` is absent when any diagnostic is an error. */
export function lower(
  graph: RecipeGraph,
  host: CompilerHost,
  options: LowerOptions,
): { readonly tensors?: TensorGraph; readonly diagnostics: readonly Diagnostic[] } {
  const diagnostics: Diagnostic[] = [];
  const report = (diagnostic: Diagnostic) => void diagnostics.push(diagnostic);
  const wanted = chooseOutputs(graph, options.only, report);
  const headers = new Headers(host, report);
  const readable = wanted.filter((output) => checkDepth(output, report) && readSources(output, headers));
  const comparable = checkHeaders(readable, headers, report);
  const problems = new TensorProblems();
  const outputs: OutputGraph[] = comparable.map((output) => lowerOutput(output, headers, problems));
  diagnostics.push(...problems.diagnostics());
  const failed = diagnostics.some(({ severity }) => severity === "error");
  return failed ? { diagnostics } : { tensors: { outputs }, diagnostics };
}

function chooseOutputs(
  graph: RecipeGraph,
  only: readonly string[] | undefined,
  report: (diagnostic: Diagnostic) => void,
): readonly OutputNode[] {
  if (only === undefined || only.length === 0) return graph.outputs;
  const known = graph.outputs.map(({ display }) => display);
  for (const path of only.filter((path) => !known.includes(path))) {
    const list = known.length === 0 ? "it has none" : `it has ${known.join(", ")}`;
    report({ code: "no-such-output", severity: "error", message: `the recipe has no output "${path}"; ${list}` });
  }
  return graph.outputs.filter(({ display }) => only.includes(display));
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
