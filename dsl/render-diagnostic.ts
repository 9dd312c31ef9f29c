// Diagnostics as text for people and as JSON for programs.

import { codeFrame } from "./code-frame.ts";
import type { Diagnostic, Note, Severity, SuggestedEdit } from "./diagnostic.ts";
import { PLAIN_PALETTE, type Palette } from "./palette.ts";
import { printable } from "./printable.ts";
import { positionOf, type Position, type Source, type Span } from "./source.ts";

/** Several lines, without a line end behind the last. */
export function renderDiagnostic(diagnostic: Diagnostic, palette: Palette = PLAIN_PALETTE): string {
  const { severity, code, message, span, facts = [], notes = [], help } = diagnostic;
  const paint = severity === "error" ? palette.error : palette.warning;
  return [
    `${placeOf(diagnostic)}${paint(`${severity}[${code}]`)}: ${palette.message(printable(message))}`,
    ...(span ? frame(span, palette, paint) : []),
    ...facts.map((fact) => `   ${printable(fact)}`),
    ...notes.flatMap((note) => renderNote(note, palette)),
    ...(help === undefined ? [] : [`   ${palette.label("help")}: ${printable(help)}`]),
  ].join("\n");
}

function placeOf({ span, source }: Diagnostic): string {
  if (span) return `${place(span)}: `;
  return source ? `${printable(source.path)}: ` : "";
}

function place({ source, start }: Span): string {
  if (source.isArgument) return printable(source.path);
  const { line, column } = positionOf(source, start);
  return `${printable(source.path)}:${line}:${column}`;
}

function frame(span: Span, palette: Palette, paint: (text: string) => string): readonly string[] {
  const { code, indent, carets } = codeFrame(span);
  return [code, `${palette.mark(indent)}${paint(carets)}`];
}

function renderNote({ message, span }: Note, palette: Palette): readonly string[] {
  const label = `   ${palette.label("note")}: `;
  if (!span) return [`${label}${printable(message)}`];
  return [`${label}${place(span)}: ${printable(message)}`, ...frame(span, palette, palette.mark)];
}

// ------------------------------------------------------------------------------------------------------------ JSON

/** Lines and columns count from 1, in code points; `end` is the place behind the last character. */
interface JsonSpan {
  readonly path: string;
  readonly start: Position;
  readonly end: Position;
}

interface JsonDiagnostic {
  readonly code: string;
  readonly severity: Severity;
  readonly message: string;
  /** Of the recipe, when there is one. */
  readonly path?: string;
  readonly span?: JsonSpan;
  readonly facts?: readonly string[];
  readonly notes?: readonly { readonly message: string; readonly span?: JsonSpan }[];
  readonly help?: string;
  readonly edit?: { readonly span: JsonSpan; readonly text: string };
}

/** Strings as they are: JSON has escapes of its own. */
export function diagnosticToJson(diagnostic: Diagnostic): JsonDiagnostic {
  const { code, severity, message, span, facts, notes, help, edit } = diagnostic;
  const source: Source | undefined = span?.source ?? diagnostic.source;
  return {
    code,
    severity,
    message,
    ...(source ? { path: source.path } : {}),
    ...(span ? { span: jsonSpan(span) } : {}),
    ...(facts ? { facts } : {}),
    ...(notes ? { notes: notes.map(jsonNote) } : {}),
    ...(help === undefined ? {} : { help }),
    ...(edit ? { edit: jsonEdit(edit) } : {}),
  };
}

function jsonNote({ message, span }: Note): { readonly message: string; readonly span?: JsonSpan } {
  return span ? { message, span: jsonSpan(span) } : { message };
}

function jsonEdit({ span, text }: SuggestedEdit): { readonly span: JsonSpan; readonly text: string } {
  return { span: jsonSpan(span), text };
}

function jsonSpan({ source, start, end }: Span): JsonSpan {
  return { path: source.path, start: positionOf(source, start), end: positionOf(source, end) };
}
