// `theta plan`: what a build would do and why, without doing it.

import { counted } from "../../../dsl/counted.ts";
import { diagnosticToJson } from "../../../dsl/render-diagnostic.ts";
import { printable } from "../../../dsl/printable.ts";
import { predicateText } from "../../../compiler/predicates.ts";
import { EXIT } from "../../failure.ts";
import type { PlannedGate } from "../../gates/plan-gates.ts";
import { planBuild, type Plan, type PlannedNode, type PlannedOutput } from "../../plan.ts";
import type { PlannedStatistic } from "../../plan-statistics.ts";
import { makeBuildContext } from "../make-build-context.ts";
import { plannedGateJson } from "../report/gate-json.ts";
import type { Flags } from "../invocation.ts";
import { findRecipe } from "../find-recipe.ts";
import { exitCodeOf, loadRecipe } from "../load-recipe.ts";
import { reasonLines } from "../report/reason-text.ts";
import { createDiagnosticPrinter } from "../report-diagnostics.ts";
import { failureJson, printFailure } from "../report-failure.ts";
import { loadSettings } from "../settings.ts";
import { formatBytes } from "../../size.ts";
import { useColor, writeJson, writeOutput } from "../terminal.ts";

export async function plan(path: string | undefined, flags: Flags, signal: AbortSignal): Promise<number> {
  const file = findRecipe(path, process.cwd());
  const settings = await loadSettings(flags, file.directory);
  const loaded = loadRecipe(file, flags, settings.store);
  const { diagnostics, graph, tensors } = loaded;
  const print = createDiagnosticPrinter(useColor(settings.color), flags.quiet ?? false);
  diagnostics.forEach(print);
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
  for (const { refusal, verdicts } of result.outputs) {
    if (refusal !== undefined) printFailure(refusal);
    verdicts.forEach(print);
  }
  const work = result.outputs.some(
    ({ state, gates }) => state !== "current" || gates.some((gate) => gate.state !== "holds"),
  );
  if (flags.json) {
    const { outputs, counts, bytes, peak, scratch } = result;
    writeJson({
      schema: "theta.plan/1",
      ok: true,
      recipe: file.display,
      actions: counts,
      bytes,
      peak_memory: peak,
      peak_scratch: scratch,
      parameters: Object.fromEntries(graph.parameters),
      lists: Object.fromEntries(graph.lists),
      outputs: outputs.map(({ display, state, because, refusal, verdicts, parameters, statistics, nodes, gates }) => ({
        path: display,
        state,
        ...(because && { because }),
        ...(refusal && { refusal: failureJson(refusal) }),
        verdicts: verdicts.map(diagnosticToJson),
        changed_parameters: parameters,
        statistics,
        nodes: nodes.map(({ changes, ...node }) => ({ ...node, ...(changes.length > 0 && { changes }) })),
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
function describePlan(recipe: string, { outputs, counts, bytes, peak, scratch }: Plan, verbose: boolean): string {
  if (outputs.length === 0) return `${printable(recipe)} has no output: nothing to build\n`;
  const lines = [`Plan for ${printable(recipe)}`];
  for (const output of outputs) lines.push(...describeOutput(output, verbose));
  const hits = counts.up_to_date + counts.cutoff + counts.local_hit + counts.remote_hit;
  const unknown = counts.unknown > 0 ? `, ${counts.unknown} unknown` : "";
  const forGates = bytes.measure > 0 ? ` (${formatBytes(bytes.measure)} for gates)` : "";
  const onDisk = scratch > 0 ? `, scratch files in the store at most ${formatBytes(scratch)}` : "";
  lines.push(`${counts.run} to merge${unknown}, ${hits} reused`);
  lines.push(
    `${formatBytes(bytes.hash)} to hash, ${formatBytes(bytes.read)} to read${forGates}, ${formatBytes(bytes.copy)} to copy, ` +
      `${formatBytes(bytes.write)} to write; tensor buffers at most ${formatBytes(peak)}${onDisk}`,
  );
  return `${lines.join("\n")}\n`;
}

const SIGNS = { hit: "=", miss: "+", unknown: "?" } as const;

function describeOutput(output: PlannedOutput, verbose: boolean): readonly string[] {
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

function describeTensors(
  { display, state, because, parameters, statistics, nodes }: PlannedOutput,
  verbose: boolean,
): readonly string[] {
  const words = { current: "up to date", publish: "published from the store", build: "built", refused: "not built" }[
    state
  ];
  const head = `  ${printable(display)}: ${words}${because === undefined ? "" : ` (${printable(because)})`}`;
  const unknown = nodes.reduce((sum, node) => sum + (node.state === "unknown" ? node.hash : 0), 0);
  const lines = verbose
    ? nodes.map(
        (node) =>
          `${SIGNS[node.state]} ${printable(node.tensor)}  ${reasonOf(node, node.state === "unknown" ? node.hash : 0)}`,
      )
    : reasonLines(
        nodes.map((node) => ({
          tensor: node.tensor,
          sign: SIGNS[node.state],
          reason: reasonOf(node, unknown),
          changes: node.changes,
        })),
        parameters,
      );
  return [head, ...statistics.map(statisticLine), ...lines.map((line) => `    ${line}`)];
}

function reasonOf(node: PlannedNode, hash: number): string {
  switch (node.state) {
    case "hit":
      return node.wanted === undefined ? node.reason : `${node.reason}, ${node.wanted}`;
    case "miss":
      return node.reason;
    case "unknown":
      return `unknown (${formatBytes(hash)} to hash)`;
  }
}

function statisticLine(statistic: PlannedStatistic): string {
  const { kind, vector, tensors, bytes, state } = statistic;
  const what = { cut: "threshold", ranks: "ranks", size: "size" }[kind];
  const why = state === "unknown" ? `unknown (${formatBytes(statistic.hash)} to hash)` : statistic.reason;
  const work = state === "hit" ? "" : `, ${formatBytes(bytes)} to read`;
  return `    ${SIGNS[state]} ${what} of ${printable(vector)} over ${counted(tensors, "tensor")}: ${why}${work}`;
}
