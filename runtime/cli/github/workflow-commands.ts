// Workflow commands of GitHub Actions: diagnostics and failures as annotations on the recipe's line. Its runner reads both
// streams of a step, so they go to standard error and data stays data.

import { isAbsolute, relative, resolve } from "node:path";
import type { Diagnostic } from "../../../dsl/diagnostic.ts";
import { printable } from "../../../dsl/printable.ts";
import { positionOf, type Span } from "../../../dsl/source.ts";
import type { Failure } from "../../failure.ts";

/** Whether a step of a workflow runs this process. */
export function isOnGitHub(): boolean {
  return process.env["GITHUB_ACTIONS"] === "true";
}

/** One line, ended. */
export function annotationOfDiagnostic(diagnostic: Diagnostic): string {
  const { severity, code, message, span, source, facts = [], notes = [], help } = diagnostic;
  const lines = [
    message,
    ...facts,
    ...notes.map((note) => `note: ${note.message}`),
    ...(help ? [`help: ${help}`] : []),
  ];
  const file = inWorkspace(span?.source ?? source);
  const place = file === undefined ? {} : { file, ...(span && placeOf(span)) };
  return command(severity, { ...place, title: code }, lines);
}

/** One line, ended. A failure has no place in the recipe. */
export function annotationOfFailure({ message, details: { code, facts = [], help } }: Failure): string {
  return command("error", { title: code }, [message, ...facts, ...(help ? [`help: ${help}`] : [])]);
}

function command(
  name: "error" | "warning",
  { title, ...place }: { readonly title: string; readonly [key: string]: string | number },
  lines: readonly string[],
): string {
  const properties = Object.entries({ ...place, title: `theta: ${title}` }).map(
    ([key, value]) => `${key}=${escapeProperty(String(value))}`,
  );
  return `::${name} ${properties.join(",")}::${escapeData(lines.map(printable).join("\n"))}\n`;
}

/** GitHub takes columns within one line only. */
function placeOf({ source, start, end }: Span): Readonly<Record<string, number>> {
  const from = positionOf(source, start);
  const to = positionOf(source, end);
  if (from.line !== to.line) return { line: from.line, endLine: to.line };
  return { line: from.line, col: from.column, endLine: to.line, endColumn: Math.max(to.column, from.column) };
}

/** Relative to the checkout, as GitHub names files; undefined for what does not lie there, and for arguments. */
function inWorkspace(source: Diagnostic["source"]): string | undefined {
  if (source === undefined || source.isArgument) return undefined;
  const path = relative(process.env["GITHUB_WORKSPACE"] || process.cwd(), resolve(source.path));
  return path === "" || path === ".." || path.startsWith("../") || isAbsolute(path) ? undefined : path;
}

function escapeData(text: string): string {
  return text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
}

function escapeProperty(text: string): string {
  return escapeData(text).replaceAll(":", "%3A").replaceAll(",", "%2C");
}
