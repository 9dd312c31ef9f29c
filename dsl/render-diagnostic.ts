// Diagnostics as text for people and as JSON for programs.

import { codeFrame } from "./code-frame.ts";
import type { Diagnostic, Note, Severity, SuggestedEdit } from "./diagnostic.ts";
import { PLAIN_PALETTE, type Palette } from "./palette.ts";
import { printable } from "./printable.ts";
import { shortened } from "./shortened.ts";
import { positionOf, type Position, type Source, type Span } from "./source.ts";

/** A name or a path may be as long as the recipe; nobody reads on. */
const LONGEST_SENTENCE = 1000;

function sentence(text: string): string {
  return printable(shortened(text, LONGEST_SENTENCE));
}

/** A diagnostic, or another error that is told as one is, with a code of its own. */
export type Told = Omit<Diagnostic, "code"> & { readonly code: string };

/** Several lines, without a line end behind the last. */
export function renderDiagnostic(diagnostic: Told, palette: Palette = PLAIN_PALETTE): string {
  const { severity, code, message, span, facts = [], notes = [], help } = diagnostic;
  const paint = severity === "error" ? palette.error : palette.warning;
  return [
    `${placeOf(diagnostic)}${paint(`${severity}[${code}]`)}: ${palette.message(sentence(message))}`,
    ...(span ? frame(span, palette, paint) : []),
    ...facts.map((fact) => `   ${sentence(fact)}`),
    ...notes.flatMap((note) => renderNote(note, palette)),
    ...(help === undefined ? [] : [`   ${palette.label("help")}: ${sentence(help)}`]),
  ].join("\n");
}

function placeOf({ span, source }: Told): string {
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
  if (!span) return [`${label}${sentence(message)}`];
  return [`${label}${place(span)}: ${sentence(message)}`, ...frame(span, palette, palette.mark)];
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
export function diagnosticToJson(diagnostic: Told): JsonDiagnostic {
  const { code, severity, message, span, facts, notes, help, edit } = diagnostic;
  const source: Source | undefined = span?.source ?? diagnostic.source;
  return {
    code,
    severity,
    message: shortened(message, LONGEST_SENTENCE),
    ...(source ? { path: source.path } : {}),
    ...(span ? { span: jsonSpan(span) } : {}),
    ...(facts ? { facts: facts.map((fact) => shortened(fact, LONGEST_SENTENCE)) } : {}),
    ...(notes ? { notes: notes.map(jsonNote) } : {}),
    ...(help === undefined ? {} : { help: shortened(help, LONGEST_SENTENCE) }),
    ...(edit ? { edit: jsonEdit(edit) } : {}),
  };
}

function jsonNote({ message, span }: Note): { readonly message: string; readonly span?: JsonSpan } {
  const text = shortened(message, LONGEST_SENTENCE);
  return span ? { message: text, span: jsonSpan(span) } : { message: text };
}

function jsonEdit({ span, text }: SuggestedEdit): { readonly span: JsonSpan; readonly text: string } {
  return { span: jsonSpan(span), text };
}

function jsonSpan({ source, start, end }: Span): JsonSpan {
  return { path: source.path, start: positionOf(source, start), end: positionOf(source, end) };
}
