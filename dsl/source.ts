// Text of a recipe and places in it. Everything that is printed with a line and a column starts here.

/** A recipe's text. `path` is what diagnostics print; imports and sources are resolved against `directory`. */
export interface Source {
  readonly path: string;
  readonly directory: string;
  readonly text: string;
  /** An argument of the command line: one that nobody opens in an editor, so lines and columns say nothing. */
  readonly isArgument?: true;
}

/** Half-open range of UTF-16 offsets in `source.text`. */
export interface Span {
  readonly source: Source;
  readonly start: number;
  readonly end: number;
}

/** Both count from 1, in code points; a tab is one, a byte order mark none. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

export function positionOf(source: Source, offset: number): Position {
  const { text } = source;
  let line = 1;
  let lineStart = 0;
  for (let at = text.indexOf("\n"); at !== -1 && at < offset; at = text.indexOf("\n", at + 1)) {
    line++;
    lineStart = at + 1;
  }
  let column = 1;
  for (let at = lineStart; at < offset; column++) {
    const point = text.codePointAt(at)!;
    if (at === 0 && point === 0xfeff) column--;
    at += point > 0xffff ? 2 : 1;
  }
  return { line, column };
}

/** The smallest span that covers both; they lie in the same source. */
export function joinSpans(first: Span, last: Span): Span {
  return { source: first.source, start: Math.min(first.start, last.start), end: Math.max(first.end, last.end) };
}
