// Globs over tensor names: `*` (crosses dots), `?`, `[0-9]`, `[!ab]` and `{a,b}`, anchored at both ends, case counts.
// Not regular expressions: matching takes at most length × length steps whatever the glob.

export type GlobPiece =
  | { readonly kind: "literal"; readonly point: number }
  | { readonly kind: "any" }
  | { readonly kind: "star" }
  | { readonly kind: "class"; readonly negated: boolean; readonly ranges: readonly (readonly [number, number])[] };

/** Braces are multiplied out: a name matches when one of the alternatives does. */
export interface Glob {
  readonly alternatives: readonly (readonly GlobPiece[])[];
}

const MOST_ALTERNATIVES = 1024;
/** Characters; far beyond any tensor name or path, and it bounds how deep braces nest. */
const LONGEST_GLOB = 4096;

/** The glob, or why the text is none. */
export function parseGlob(text: string): Glob | { readonly problem: string } {
  if (text.length > LONGEST_GLOB) return { problem: `it is longer than ${LONGEST_GLOB} characters` };
  const expanded = expandBraces(text);
  if ("problem" in expanded) return expanded;
  const alternatives: GlobPiece[][] = [];
  for (const alternative of expanded.texts) {
    const pieces = parsePieces(alternative);
    if ("problem" in pieces) return pieces;
    alternatives.push(pieces);
  }
  return { alternatives };
}

export function matchesGlob(glob: Glob, name: string): boolean {
  return glob.alternatives.some((pieces) => matchesPieces(pieces, name));
}

/** Goes forward and falls back to the last star only: a star before it never needs to take more. */
function matchesPieces(pieces: readonly GlobPiece[], name: string): boolean {
  let at = 0;
  let piece = 0;
  let starPiece = -1;
  let starAt = 0;
  while (at < name.length) {
    const current = pieces[piece];
    if (current?.kind === "star") {
      starPiece = piece++;
      starAt = at;
      continue;
    }
    const point = name.codePointAt(at)!;
    if (current !== undefined && takes(current, point)) {
      at += width(point);
      piece++;
    } else if (starPiece >= 0) {
      starAt += width(name.codePointAt(starAt)!);
      at = starAt;
      piece = starPiece + 1;
    } else {
      return false;
    }
  }
  while (pieces[piece]?.kind === "star") piece++;
  return piece === pieces.length;
}

function takes(piece: GlobPiece, point: number): boolean {
  switch (piece.kind) {
    case "literal":
      return piece.point === point;
    case "class":
      return piece.ranges.some(([from, to]) => from <= point && point <= to) !== piece.negated;
    case "any":
    case "star":
      return true;
  }
}

function width(point: number): number {
  return point > 0xffff ? 2 : 1;
}

type Expanded = { readonly texts: readonly string[] } | { readonly problem: string };

/** `a{b,c}d` → `abd`, `acd`; braces nest. A brace inside `[ ]` stands for itself. */
function expandBraces(text: string): Expanded {
  const open = indexOutsideClass(text, "{");
  if (open === -1) {
    return indexOutsideClass(text, "}") === -1
      ? { texts: [text] }
      : { problem: "it closes a brace that it did not open" };
  }
  const parts: string[] = [];
  let depth = 0;
  let start = open + 1;
  let close = -1;
  for (let at = open; at < text.length; at++) {
    const character = text[at];
    if (character === "{") depth++;
    if (character === "," && depth === 1) {
      parts.push(text.slice(start, at));
      start = at + 1;
    }
    if (character === "}" && --depth === 0) {
      parts.push(text.slice(start, at));
      close = at;
      break;
    }
  }
  if (close === -1) return { problem: "a brace is not closed" };
  const rest = expandBraces(text.slice(close + 1));
  if ("problem" in rest) return rest;
  const texts: string[] = [];
  for (const part of parts) {
    const inner = expandBraces(part);
    if ("problem" in inner) return inner;
    if (texts.length + inner.texts.length * rest.texts.length > MOST_ALTERNATIVES) {
      return { problem: `its braces stand for more than ${MOST_ALTERNATIVES} globs` };
    }
    for (const middle of inner.texts) {
      for (const end of rest.texts) texts.push(text.slice(0, open) + middle + end);
    }
  }
  return { texts };
}

function indexOutsideClass(text: string, wanted: string): number {
  for (let at = 0; at < text.length; at++) {
    if (text[at] === wanted) return at;
    if (text[at] === "[") {
      const close = text.indexOf("]", at + 1);
      if (close !== -1) at = close;
    }
  }
  return -1;
}

function parsePieces(text: string): GlobPiece[] | { readonly problem: string } {
  const pieces: GlobPiece[] = [];
  for (let at = 0; at < text.length;) {
    const point = text.codePointAt(at)!;
    const character = String.fromCodePoint(point);
    if (character === "[") {
      const close = text.indexOf("]", at + 1);
      if (close === -1) return { problem: "a [ is not closed" };
      const piece = parseClass(text.slice(at + 1, close));
      if ("problem" in piece) return piece;
      pieces.push(piece);
      at = close + 1;
      continue;
    }
    if (character === "*") {
      if (pieces.at(-1)?.kind !== "star") pieces.push({ kind: "star" });
    } else if (character === "?") {
      pieces.push({ kind: "any" });
    } else {
      pieces.push({ kind: "literal", point });
    }
    at += width(point);
  }
  return pieces;
}

function parseClass(text: string): GlobPiece | { readonly problem: string } {
  const negated = text.startsWith("!");
  const points = [...(negated ? text.slice(1) : text)].map((character) => character.codePointAt(0)!);
  if (points.length === 0) return { problem: "[ ] is empty" };
  const ranges: [number, number][] = [];
  for (let at = 0; at < points.length; at++) {
    const from = points[at]!;
    const to = points[at + 2];
    if (points[at + 1] === "-".codePointAt(0) && to !== undefined) {
      if (to < from) return { problem: `[${text}] runs backwards` };
      ranges.push([from, to]);
      at += 2;
    } else {
      ranges.push([from, from]);
    }
  }
  return { kind: "class", negated, ranges };
}
