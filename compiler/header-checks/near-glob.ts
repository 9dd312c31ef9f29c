// "did you mean" for a glob that matches nothing: the name that it misses by the fewest letters, and the glob mended.

import type { GlobPiece } from "../glob.ts";

export interface NearGlob {
  /** The glob with other letters, its stars in place. */
  readonly glob: string;
  /** A name that it matches. */
  readonly name: string;
}

/** Beyond this many pieces nobody mistyped a name, and ten thousand names would take minutes to compare. */
const MOST_PIECES = 256;

/** Undefined when no name is near: more than one letter in four would have to change. */
export function nearestGlob(pieces: readonly GlobPiece[], names: readonly string[]): NearGlob | undefined {
  if (pieces.length > MOST_PIECES) return undefined;
  const letters = pieces.filter(({ kind }) => kind === "literal").length;
  let least = Math.max(1, Math.floor(letters / 4)) + 1;
  let nearest: string | undefined;
  for (const name of names) {
    const edits = editTable(pieces, name)[0]![0]!;
    if (edits < least) {
      least = edits;
      nearest = name;
    }
  }
  return nearest === undefined ? undefined : { glob: mend(pieces, nearest), name: nearest };
}

/** `table[i][j]`: letters to change, drop or put in so that pieces from i on match the name from j on. */
function editTable(pieces: readonly GlobPiece[], name: string): number[][] {
  const table: number[][] = [];
  for (let i = pieces.length; i >= 0; i--) {
    const row: number[] = [];
    const below = table[i + 1];
    const piece = pieces[i];
    for (let j = name.length; j >= 0; j--) {
      const atEnd = j === name.length;
      if (piece === undefined || below === undefined) row[j] = name.length - j;
      else if (piece.kind === "star") row[j] = Math.min(below[j]!, atEnd ? Infinity : row[j + 1]!);
      else {
        const take = atEnd ? Infinity : below[j + 1]! + (fits(piece, name, j) ? 0 : 1);
        row[j] = Math.min(take, below[j]! + 1, atEnd ? Infinity : row[j + 1]! + 1);
      }
    }
    table[i] = row;
  }
  return table;
}

function fits(piece: GlobPiece, name: string, at: number): boolean {
  const unit = name.charCodeAt(at);
  switch (piece.kind) {
    case "literal":
      return piece.point === unit;
    case "class":
      return piece.ranges.some(([from, to]) => from <= unit && unit <= to) !== piece.negated;
    case "any":
    case "star":
      return true;
  }
}

/** Walks the cheapest way through the table: what is a letter becomes the name's, what is a star stays one. */
function mend(pieces: readonly GlobPiece[], name: string): string {
  const table = editTable(pieces, name);
  let mended = "";
  let i = 0;
  let j = 0;
  while (i < pieces.length || j < name.length) {
    const piece = pieces[i];
    const here = table[i]![j]!;
    if (piece?.kind === "star") {
      if (table[i + 1]![j] === here) {
        mended += "*";
        i++;
      } else j++;
    } else if (piece !== undefined && j < name.length && fits(piece, name, j) && table[i + 1]![j + 1] === here) {
      mended += piece.kind === "any" ? "?" : name[j]!;
      i++;
      j++;
    } else if (j < name.length && table[i]![j + 1]! + 1 === here) {
      // A letter that was left out is likelier than a wrong one.
      mended += name[j++]!;
    } else {
      if (j < name.length && table[i + 1]![j + 1]! + 1 === here) mended += name[j++]!;
      i++;
    }
  }
  return mended;
}
