// `theta build`: makes the outputs of a recipe.

import { counted } from "../../../dsl/counted.ts";
import type { Diagnostic } from "../../../dsl/diagnostic.ts";
import { printable } from "../../../dsl/printable.ts";
import { build as runBuild, type BuildResult, type BuildSummary } from "../../build.ts";
import { EXIT, isFailure } from "../../failure.ts";
import type { Flags } from "../invocation.ts";
import { makeBuildContext } from "../make-build-context.ts";
import { findRecipe } from "../find-recipe.ts";
import { exitCodeOf, loadRecipe } from "../load-recipe.ts";
import { createJsonProgress } from "../progress/progress-json.ts";
import { createPlainProgress } from "../progress/progress-plain.ts";
import { createQuietProgress } from "../progress/progress-quiet.ts";
import type { ProgressView } from "../progress/view.ts";
import { type BuildReport, writeStepSummary } from "../github/step-summary.ts";
import { isOnGitHub } from "../github/workflow-commands.ts";
import { gateJson } from "../report/gate-json.ts";
import { createDiagnosticPrinter } from "../report-diagnostics.ts";
import { reportFailure } from "../report-failure.ts";
import { loadSettings } from "../settings.ts";
import { formatBytes, formatSeconds } from "../../size.ts";
import { isInteractive, useColor, writeJson, writeMessage } from "../terminal.ts";
import { VERSION } from "../version.ts";

const NOTHING: Omit<BuildSummary, "seconds"> = {
  status: "failed",
  actions: { run: 0, up_to_date: 0, cutoff: 0, local_hit: 0, remote_hit: 0 },
  statistics: { run: 0, reused: 0 },
  bytes: { read: 0, hashed: 0, written: 0, copied: 0 },
  gates: [],
  outputs: [],
};

export async function build(path: string | undefined, flags: Flags, signal: AbortSignal): Promise<number> {
  const report: BuildReport = { diagnostics: [], failures: [] };
  try {
    return await (flags.json ? buildInJson(path, flags, signal, report) : buildRecipe(path, flags, signal, report));
  } catch (error) {
    if (isFailure(error)) report.failures.push(error);
    throw error;
  } finally {
    if (isOnGitHub()) writeStepSummary(report);
  }
}

async function buildInJson(
  path: string | undefined,
  flags: Flags,
  signal: AbortSignal,
  report: BuildReport,
): Promise<number> {
  // Whatever happens, the first line of the stream names the schema and the last one is the summary.
  const started = performance.now();
  const summarise = (): void =>
    writeJson({
      type: "summary",
      ...summaryJson(report.summary ?? { ...NOTHING, seconds: (performance.now() - started) / 1000 }),
    });
  writeJson({ type: "version", schema: "theta.build/1", theta: VERSION });
  try {
    const code = await buildRecipe(path, flags, signal, report);
    summarise();
    return code;
  } catch (error) {
    if (isFailure(error)) reportFailure(error, true);
    summarise();
    if (!isFailure(error)) throw error;
    report.failures.push(error);
    return error.exitCode;
  }
}

async function buildRecipe(
  path: string | undefined,
  flags: Flags,
  signal: AbortSignal,
  report: BuildReport,
): Promise<number> {
  const file = findRecipe(path, process.cwd());
  report.recipe = file.display;
  const settings = await loadSettings(flags, file.directory);
  const color = useColor(settings.color);
  const printer = createDiagnosticPrinter(color, flags.quiet ?? false);
  const print = (diagnostic: Diagnostic): void => {
    report.diagnostics.push(diagnostic);
    printer(diagnostic);
  };
  const view = await createView(flags, color, print);
  const loaded = loadRecipe(file, flags, settings.store);
  const { diagnostics } = loaded;
  for (const diagnostic of diagnostics) view.diagnostic(diagnostic);
  const refused = exitCodeOf(diagnostics);
  if (refused !== EXIT.done || loaded.tensors === undefined) {
    await view.close("failed");
    return refused;
  }
  let result: BuildResult;
  try {
    result = await runBuild(loaded.tensors, makeBuildContext(loaded, settings, flags), view, signal);
  } catch (error) {
    await view.close("failed");
    throw error;
  }
  await view.close(result.status);
  const { exitCode, failures, ...summary } = result;
  report.summary = summary;
  report.failures.push(...failures);
  for (const failure of failures) reportFailure(failure, flags.json ?? false);
  if (!flags.quiet) {
    const isEmpty = loaded.tensors.outputs.length === 0;
    writeMessage(isEmpty ? `${printable(file.display)} has no output: nothing to build\n` : describeSummary(summary));
  }
  return exitCode;
}

async function createView(
  flags: Flags,
  color: boolean,
  print: (diagnostic: Diagnostic) => void,
): Promise<ProgressView> {
  if (flags.json) return createJsonProgress(writeJson, print);
  if (flags.quiet) return createQuietProgress(print);
  if (!isInteractive()) return createPlainProgress(writeMessage, print);
  // listr2 asks the environment, once, when it is loaded.
  if (!color) process.env["NO_COLOR"] = "1";
  const { createListrProgress } = await import("../progress/progress-listr.ts");
  return createListrProgress(print);
}

function summaryJson(summary: BuildSummary): object {
  return { ...summary, gates: summary.gates.map(gateJson) };
}

/** What was done, a line an output; what was saved, last. */
function describeSummary({ actions, bytes, gates, outputs, seconds, status }: BuildSummary): string {
  const lines = outputs.map(({ path, tensors, digest }) => {
    const met = gates.filter(({ output }) => output === path).length;
    const gateWords = met === 0 ? "" : `  ${counted(met, "gate holds", "gates hold")}`;
    return `${printable(path)}  ${counted(tensors, "tensor")}  ${digest}${gateWords}`;
  });
  const saved = actions.up_to_date + actions.local_hit + actions.cutoff + actions.remote_hit;
  const done =
    actions.run === 0
      ? `nothing to merge, ${counted(saved, "tensor")} up to date`
      : `${counted(actions.run, "tensor")} merged${saved > 0 ? `, ${saved} reused` : ""}; ` +
        `${formatBytes(bytes.read)} read, ${formatBytes(bytes.written + bytes.copied)} written`;
  lines.push(`${status === "done" ? "Done" : "Failed"} in ${formatSeconds(seconds)}: ${done}`);
  return `${lines.join("\n")}\n`;
}
