// `theta plan`: what a build would do and why, without doing it.

import { diagnosticToJson } from "../../../dsl/render-diagnostic.ts";
import { printable } from "../../../dsl/printable.ts";
import { predicateText } from "../../../compiler/predicates.ts";
import { EXIT } from "../../failure.ts";
import type { PlannedGate } from "../../gates/plan-gates.ts";
import { planBuild, type Plan, type PlannedNode, type PlannedOutput } from "../../plan.ts";
import { makeBuildContext } from "../make-build-context.ts";
import { plannedGateJson } from "../report/gate-json.ts";
import type { Flags } from "../command-line.ts";
import { findRecipe } from "../find-recipe.ts";
import { exitCodeOf, loadRecipe } from "../load-recipe.ts";
import { createDiagnosticPrinter } from "../report-diagnostics.ts";
import { loadSettings } from "../settings.ts";
import { formatBytes } from "../size.ts";
import { useColor, writeJson, writeOutput } from "../terminal.ts";

export async function plan(path: string | undefined, flags: Flags, signal: AbortSignal): Promise<number> {
  const file = findRecipe(path, process.cwd());
  const settings = await loadSettings(flags, file.directory);
  const loaded = loadRecipe(file, flags, settings.store);
  const { diagnostics, graph, tensors } = loaded;
  diagnostics.forEach(createDiagnosticPrinter(useColor(settings.color), flags.quiet ?? false));
  const code = exitCodeOf(diagnostics);
  if (code !== EXIT.done || graph === undefined || tensors === undefined) {
    if (flags.json) writeJson({ schema: "theta.plan/1", ok: false, diagnostics: diagnostics.map(diagnosticToJson) });
    return code;
  }
  const result = await planBuild(
    tensors,
    makeBuildContext(loaded, settings, flags),
    { hash: flags.hash ?? false },
    signal,
  );
  const work = result.outputs.some(
    ({ state, gates }) => state !== "current" || gates.some((gate) => gate.state !== "holds"),
  );
  if (flags.json) {
    const { outputs, counts, bytes, peak } = result;
    writeJson({
      schema: "theta.plan/1",
      ok: true,
      recipe: file.display,
      actions: counts,
      bytes,
      peak_memory: peak,
      parameters: Object.fromEntries(graph.parameters),
      lists: Object.fromEntries(graph.lists),
      outputs: outputs.map(({ display, state, because, nodes, gates }) => ({
        path: display,
        state,
        ...(because && { because }),
        nodes,
        gates: gates.map(plannedGateJson),
      })),
      diagnostics: diagnostics.map(diagnosticToJson),
    });
  } else if (!flags.quiet) {
    writeOutput(describePlan(file.display, result, flags.verbose ?? false));
  }
  return flags.detailedExitcode && work ? EXIT.work : EXIT.done;
}

/** One screen: a line an output, its nodes by reason, the totals. `verbose` lists every tensor. */
function describePlan(recipe: string, { outputs, counts, bytes, peak }: Plan, verbose: boolean): string {
  if (outputs.length === 0) return `${printable(recipe)} has no output: nothing to build\n`;
  const lines = [`Plan for ${printable(recipe)}`];
  for (const output of outputs) lines.push(...describeOutput(output, verbose));
  const hits = counts.up_to_date + counts.cutoff + counts.local_hit + counts.remote_hit;
  const unknown = counts.unknown > 0 ? `, ${counts.unknown} unknown` : "";
  const forGates = bytes.measure > 0 ? ` (${formatBytes(bytes.measure)} for gates)` : "";
  lines.push(`${counts.run} to merge${unknown}, ${hits} reused`);
  lines.push(
    `${formatBytes(bytes.hash)} to hash, ${formatBytes(bytes.read)} to read${forGates}, ${formatBytes(bytes.copy)} to copy, ` +
      `${formatBytes(bytes.write)} to write; tensor buffers at most ${formatBytes(peak)}`,
  );
  return `${lines.join("\n")}\n`;
}

const SIGNS = { hit: "=", miss: "+", unknown: "?" } as const;

function describeOutput(output: PlannedOutput, verbose: boolean): string[] {
  return [...describeTensors(output, verbose), ...describeGates(output.gates, verbose)];
}

const GATES = [
  { state: "holds", sign: "=", one: "1 gate holds", more: "gates hold" },
  { state: "unknown", sign: "?", one: "1 gate to measure", more: "gates to measure" },
  { state: "fails", sign: "!", one: "1 gate fails", more: "gates fail" },
] as const;

/** Counted by what becomes of them; those that fail are named. */
function describeGates(gates: readonly PlannedGate[], verbose: boolean): string[] {
  return GATES.flatMap(({ state, sign, one, more }) => {
    const found = gates.filter((gate) => gate.state === state);
    if (found.length === 0) return [];
    const names = found.map(({ predicate }) => printable(predicateText(predicate)));
    const named = verbose || state === "fails" ? `: ${names.join("; ")}` : "";
    return [`    ${sign} expect: ${found.length === 1 ? one : `${found.length} ${more}`}${named}`];
  });
}

function describeTensors({ display, state, because, nodes }: PlannedOutput, verbose: boolean): string[] {
  const words = { current: "up to date", publish: "published from the store", build: "built" }[state];
  const lines = [`  ${printable(display)}: ${words}${because === undefined ? "" : ` (${because})`}`];
  if (verbose) {
    for (const node of nodes) lines.push(`    ${SIGNS[node.state]} ${printable(node.tensor)}  ${whyOf(node)}`);
    return lines;
  }
  const groups = new Map<string, { readonly sign: string; count: number; readonly example: string }>();
  for (const node of nodes) {
    const why = node.state === "unknown" ? "unknown" : node.reason;
    const group = groups.get(why);
    if (group === undefined) groups.set(why, { sign: SIGNS[node.state], count: 1, example: node.tensor });
    else group.count++;
  }
  for (const [why, { sign, count, example }] of groups) {
    const hash = nodes.reduce((sum, node) => sum + (node.state === "unknown" ? node.hash : 0), 0);
    const reason = why === "unknown" ? `unknown (${formatBytes(hash)} to hash)` : why;
    const such = count === 1 ? printable(example) : `${count} tensors, such as ${printable(example)}`;
    lines.push(`    ${sign} ${reason}: ${such}`);
  }
  return lines;
}

function whyOf(node: PlannedNode): string {
  return node.state === "unknown" ? `unknown (${formatBytes(node.hash)} to hash)` : node.reason;
}
