// An `at` block, or a clause in one, that an earlier one hides for every tensor, judged by the selectors alone. What is
// hidden only because of the tensors there are is judged when the checkpoint headers are known.

import type { Report } from "../../../dsl/diagnostic.ts";
import type { ReadClauses } from "../merge-clauses.ts";
import type { ReadAt, ReadEntry } from "../merge-entries.ts";
import type { LayerRange, Selector } from "../../recipe-graph.ts";

export function checkAtBlocks(ats: readonly ReadAt[], report: Report): void {
  const keeps = new Cover();
  for (const at of ats) {
    if (at.keep === undefined) continue;
    const winner = keeps.winnerOver(at.selector);
    if (winner !== undefined) reportHidden("this at", at, winner, at.span, report);
    keeps.add(at);
  }
  /** By entry and clause: the blocks so far that state it. */
  const stating = new Map<string, Cover>();
  for (const at of ats) {
    const hidden = [...at.entries].flatMap(([key, clauses]) =>
      [...clauses.spans].map(([name, span]) => {
        const clause = `${name} of ${key}`;
        const cover = stating.get(clause) ?? new Cover();
        const winner = keeps.winnerOver(at.selector) ?? cover.winnerOver(at.selector);
        stating.set(clause, cover.add(at));
        return { what: `${clause} here`, span, winner };
      }),
    );
    if (hidden.length > 0 && hidden.every(({ winner }) => winner !== undefined)) {
      reportHidden("this at", at, hidden[0]!.winner!, at.span, report);
      continue;
    }
    for (const { what, span, winner } of hidden) if (winner !== undefined) reportHidden(what, at, winner, span, report);
  }
}

function reportHidden(what: string, at: ReadAt, winner: ReadAt, span: ReadAt["span"], report: Report): void {
  const isLater = winner.span.start > at.span.start;
  report({
    code: "at-never-wins",
    severity: "error",
    message: `${what} can never win`,
    span,
    notes: [
      {
        message: isLater
          ? "keep wins over blocks, whatever the order, and takes every tensor that this takes"
          : "an earlier at takes every tensor that this takes",
        span: winner.span,
      },
    ],
    help: isLater ? "remove one of the two" : "write the narrower at first",
  });
}

/** `each` states a clause that every entry states itself. */
export function checkEach(each: ReadClauses, entries: readonly ReadEntry[], report: Report): void {
  if (entries.length === 0) return;
  for (const [name, span] of each.spans) {
    if (!entries.every(({ clauses }) => clauses.spans.has(name))) continue;
    report({
      code: "each-never-used",
      severity: "warning",
      message: `every entry states its own ${name}, so this one is never used`,
      span,
    });
  }
}

/** What some blocks take together, indexed so that a recipe of ten thousand blocks is checked in a moment. */
class Cover {
  readonly #exact = new Map<string, ReadAt>();
  readonly #layers: { readonly range: LayerRange; readonly at: ReadAt }[] = [];

  add(at: ReadAt): this {
    for (const part of partsOf(at.selector)) {
      const text = textOf(part);
      if (this.#exact.has(text)) continue;
      this.#exact.set(text, at);
      if (part.kind === "layers") this.#layers.push({ range: part.range, at });
    }
    return this;
  }

  /** One of the blocks that together surely take every tensor that `selector` takes. */
  winnerOver(selector: Selector): ReadAt | undefined {
    let winner: ReadAt | undefined;
    for (const part of partsOf(selector)) {
      winner = this.#winnerOverPart(part);
      if (winner === undefined) return undefined;
    }
    return winner;
  }

  #winnerOverPart(part: Part): ReadAt | undefined {
    const known = this.#exact.get(EVERYTHING) ?? this.#exact.get(textOf(part));
    if (known !== undefined) return known;
    if (part.kind === "layers") return this.#layers.find(({ range }) => holds(range, part.range))?.at;
    if (part.kind === "and") return this.winnerOver(part.left) ?? this.winnerOver(part.right);
    return undefined;
  }
}

/** A selector as a list of parts joined by `|`; a glob is a part. */
type Part = Selector | { readonly kind: "glob"; readonly glob: string };

const EVERYTHING = textOf({ kind: "glob", glob: "*" });

function partsOf(selector: Selector): Part[] {
  if (selector.kind === "or") return [...partsOf(selector.left), ...partsOf(selector.right)];
  if (selector.kind === "tensors") return selector.globs.map(({ glob }) => ({ kind: "glob", glob }));
  return [selector];
}

function holds(wide: LayerRange, narrow: LayerRange): boolean {
  const isFromSound = wide.from === 0 || (wide.from >= 0 === narrow.from >= 0 && wide.from <= narrow.from);
  if (!isFromSound) return false;
  if (wide.to === undefined) return true;
  return narrow.to !== undefined && wide.to >= 0 === narrow.to >= 0 && narrow.to <= wide.to;
}

function textOf(part: Part): string {
  switch (part.kind) {
    case "glob":
      return JSON.stringify(part.glob);
    case "tensors":
      return partsOf(part).map(textOf).sort().join("|");
    case "layers":
      return `layers(${part.range.from}..${part.range.to ?? ""})`;
    case "not":
      return `!(${textOf(part.operand)})`;
    case "and":
      return `(${textOf(part.left)})&(${textOf(part.right)})`;
    case "or":
      return `(${textOf(part.left)})|(${textOf(part.right)})`;
  }
}
