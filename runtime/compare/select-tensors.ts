// Which tensors a `--tensor` glob means.

import { type GlobPiece, matchesGlob, parseGlob } from "../../compiler/glob.ts";
import { nearestGlob } from "../../compiler/header-checks/near-glob.ts";
import { shortened } from "../../dsl/shortened.ts";
import { EXIT, Failure } from "../failure.ts";

/**
 * Whether a name is meant; all are without a glob. `names` is every name there is, tied ones included. Throws a Failure
 * (64) for a glob that is none, and for one that matches no name.
 */
export function tensorSelector(glob: string | undefined, names: readonly string[]): (name: string) => boolean {
  if (glob === undefined) return () => true;
  const parsed = parseGlob(glob);
  if ("problem" in parsed) {
    throw new Failure(EXIT.usage, `--tensor ${JSON.stringify(shortened(glob))}: ${parsed.problem}`, {
      code: "bad-glob",
    });
  }
  const chosen = new Set(names.filter((name) => matchesGlob(parsed, name)));
  if (chosen.size > 0) return (name) => chosen.has(name);
  const message = `--tensor ${JSON.stringify(glob)} matches no tensor`;
  throw new Failure(EXIT.usage, message, { code: "no-such-tensor", help: suggestion(parsed.alternatives, names) });
}

function suggestion(alternatives: readonly (readonly GlobPiece[])[], names: readonly string[]): string {
  for (const pieces of alternatives) {
    const near = nearestGlob(pieces, names);
    if (near !== undefined) return `did you mean ${JSON.stringify(near.glob)}?`;
    // Whoever types a part of a name expects it to be found.
    const letters = literal(pieces);
    if (letters !== undefined && names.some((name) => name.includes(letters))) {
      return `a glob covers the whole name: ${JSON.stringify(`*${letters}*`)}`;
    }
  }
  return `globs cover whole names, such as ${JSON.stringify(names[0] ?? "*")}`;
}

function literal(pieces: readonly GlobPiece[]): string | undefined {
  const points = pieces.flatMap((piece) => (piece.kind === "literal" ? [piece.point] : []));
  return points.length === pieces.length && points.length > 0 ? String.fromCodePoint(...points) : undefined;
}
