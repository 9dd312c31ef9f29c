// The line of a recipe that a diagnostic is about, with carets under the place.

import { printable } from "./printable.ts";
import { positionOf, type Span } from "./source.ts";

/** In characters of the text, without the margin. */
const WIDTH = 110;
/** How much of a trimmed line stands before the place. */
const LEAD = 40;

interface CodeFrame {
  /** `   12 | mask crumbs = …` */
  readonly code: string;
  /** `      | ` and the spaces up to the place. */
  readonly indent: string;
  /** One or more `^`. */
  readonly carets: string;
}

/** Of a span over several lines the first is shown. */
export function codeFrame(span: Span): CodeFrame {
  const { text } = span.source;
  const lineStart = span.start === 0 ? 0 : text.lastIndexOf("\n", span.start - 1) + 1;
  const lineEnd = endOfLine(text, span.start);
  const end = Math.max(span.start, Math.min(span.end, lineEnd));

  const isTrimmed = lineEnd - lineStart > WIDTH;
  const from = isTrimmed && span.start - lineStart > WIDTH - LEAD ? wholeCharacter(text, span.start - LEAD) : lineStart;
  const to = isTrimmed ? wholeCharacter(text, Math.min(lineEnd, from + WIDTH)) : lineEnd;

  const before = (from > lineStart ? "…" : "") + shown(text.slice(from, span.start));
  const marked = shown(text.slice(span.start, Math.min(end, to)));
  const behind = shown(text.slice(Math.min(end, to), to)) + (to < lineEnd ? "…" : "");
  const { isArgument, path } = span.source;
  const line = (isArgument ? path : String(positionOf(span.source, span.start).line)).padStart(5);
  return {
    code: `${line} | ${before}${marked}${behind}`.trimEnd(),
    indent: `${" ".repeat(line.length)} | ${" ".repeat(displayWidth(before))}`,
    carets: "^".repeat(Math.max(1, displayWidth(marked))),
  };
}

function endOfLine(text: string, offset: number): number {
  const end = text.indexOf("\n", offset);
  if (end === -1) return text.length;
  return end > offset && text.charAt(end - 1) === "\r" ? end - 1 : end;
}

/** `offset`, or the one before when that would cut a surrogate pair. */
function wholeCharacter(text: string, offset: number): number {
  const unit = text.charCodeAt(offset);
  return unit >= 0xdc00 && unit <= 0xdfff ? offset - 1 : offset;
}

/** A tab becomes two spaces, so that carets line up; a byte order mark has no width, so it is left out. */
function shown(text: string): string {
  return printable(text.replaceAll("\t", "  ").replace(/^\ufeff/, ""));
}

/** Columns of a terminal: combining marks take none, East Asian wide characters and emoji two. */
function displayWidth(text: string): number {
  let width = 0;
  for (const character of text) {
    if (/^[\p{Mn}\p{Me}\u200b-\u200d]/u.test(character)) continue;
    width += WIDE.test(character) ? 2 : 1;
  }
  return width;
}

const WIDE =
  /^[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}\p{Emoji_Presentation}]/u;
