// Workflow commands of GitHub Actions: diagnostics and failures as annotations on the recipe's line. Its runner reads both
// streams of a step, so they go to standard error and data stays data.

import { isAbsolute, relative, resolve } from "node:path";
import { printable } from "../../../dsl/printable.ts";
import type { Told } from "../../../dsl/render-diagnostic.ts";
import { positionOf, type Source, type Span } from "../../../dsl/source.ts";

/** Whether a step of a workflow runs this process. */
export function isOnGitHub(): boolean {
  return process.env["GITHUB_ACTIONS"] === "true";
}

/** One line, ended. */
export function annotationOf({ severity, code, message, span, source, facts = [], notes = [], help }: Told): string {
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
function inWorkspace(source: Source | undefined): string | undefined {
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
