// What a build did, as Markdown on the page of the workflow run: outputs, counts, and what went wrong.

import { appendFileSync, statSync } from "node:fs";
import { predicateText } from "../../../compiler/predicates.ts";
import { counted } from "../../../dsl/counted.ts";
import type { Diagnostic } from "../../../dsl/diagnostic.ts";
import { printable } from "../../../dsl/printable.ts";
import { renderDiagnostic } from "../../../dsl/render-diagnostic.ts";
import type { BuildSummary } from "../../build.ts";
import type { Failure } from "../../failure.ts";
import { failureText } from "../report-failure.ts";
import { formatBytes, formatSeconds } from "../../size.ts";
import { writeMessage } from "../terminal.ts";

/** Filled while a build runs. */
export interface BuildReport {
  /** As printed. */
  recipe?: string;
  summary?: BuildSummary;
  readonly diagnostics: Diagnostic[];
  readonly failures: Failure[];
}

/** GitHub drops the summary of a step that is larger. */
const LARGEST = 2 ** 20;
const MOST_OUTPUTS = 500;
const MOST_PROBLEMS = 50;

/** Appends to the step's summary file, when there is one. That it cannot is said, and changes nothing else. */
export function writeStepSummary(report: BuildReport): void {
  const path = process.env["GITHUB_STEP_SUMMARY"];
  if (!path) return;
  const text = stepSummaryText(report);
  const complain = (why: string): void => writeMessage(`The step summary ${path} is not written: ${why}\n`);
  try {
    const before = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
    if (before + Buffer.byteLength(text) > LARGEST) complain("it would grow beyond 1 MiB");
    else appendFileSync(path, text);
  } catch (error) {
    complain((error as Error).message);
  }
}

export function stepSummaryText({ recipe, summary, diagnostics, failures }: BuildReport): string {
  const what = `theta build${recipe === undefined ? "" : ` ${code(recipe)}`}`;
  const isGood = summary?.status === "done" && failures.length === 0;
  const seconds = summary === undefined ? "" : ` in ${formatSeconds(summary.seconds)}`;
  const parts = [`### ${what}: ${isGood ? "done" : "failed"}${seconds}`];
  if (summary !== undefined) parts.push(...describe(summary));
  const problems = [
    ...diagnostics.map((diagnostic) => ({ severity: diagnostic.severity, text: renderDiagnostic(diagnostic) })),
    ...failures.map((failure) => ({ severity: "error" as const, text: failureText(failure) })),
  ];
  for (const severity of ["error", "warning"] as const) {
    const found = problems.filter((problem) => problem.severity === severity);
    if (found.length === 0) continue;
    parts.push(`#### ${counted(found.length, severity)}`);
    const shown = found.slice(0, MOST_PROBLEMS).map(({ text }) => text);
    if (shown.length < found.length) shown.push(`and ${found.length - shown.length} more in the log`);
    parts.push(fenced(shown.join("\n")));
  }
  return `${parts.join("\n\n")}\n\n`;
}

function describe({ actions, bytes, gates, outputs }: BuildSummary): string[] {
  const reused = actions.up_to_date + actions.local_hit + actions.cutoff + actions.remote_hit;
  const counts =
    `${counted(actions.run, "tensor")} merged, ${reused} from the cache; ${formatBytes(bytes.read)} read, ` +
    `${formatBytes(bytes.hashed)} hashed, ${formatBytes(bytes.written + bytes.copied)} written`;
  const parts = gates.length > 0 ? [gateTable(gates), counts] : [counts];
  if (outputs.length === 0) return parts;
  const rows = outputs
    .slice(0, MOST_OUTPUTS)
    .map(({ path, tensors, digest }) => `| ${code(path)} | ${tensors} | ${code(digest)} |`);
  if (outputs.length > rows.length) rows.push(`| and ${outputs.length - rows.length} more | | |`);
  return [["| output | tensors | digest |", "| --- | ---: | --- |", ...rows].join("\n"), ...parts];
}

function gateTable(gates: BuildSummary["gates"]): string {
  const rows = gates
    .slice(0, MOST_OUTPUTS)
    .map(
      ({ output, predicate, passed, value }) =>
        `| ${code(predicateText(predicate))} | ${code(output)} | ${value} | ${passed ? "holds" : "**fails**"} |`,
    );
  return ["| gate | output | value | |", "| --- | --- | ---: | --- |", ...rows].join("\n");
}

/** Text of any kind in a line or a cell of a table. */
function code(text: string): string {
  const plain = printable(text).replaceAll("|", "\\|");
  const ticks = longestRun(plain) === 0 ? "`" : "`".repeat(longestRun(plain) + 1);
  return ticks.length === 1 ? `\`${plain}\`` : `${ticks} ${plain} ${ticks}`;
}

function fenced(text: string): string {
  const fence = "`".repeat(Math.max(longestRun(text) + 1, 3));
  return `${fence}text\n${text}\n${fence}`;
}

/** Of backticks. */
function longestRun(text: string): number {
  return (text.match(/`+/g) ?? []).reduce((longest, run) => Math.max(longest, run.length), 0);
}
