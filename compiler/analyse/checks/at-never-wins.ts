// An `at` block, or a clause in one, that an earlier one hides for every tensor, judged by the selectors alone. What is
// hidden only because of the tensors there are is judged when the checkpoint headers are known.

import type { Report } from "../../../dsl/diagnostic.ts";
import type { ReadClauses } from "../merge-clauses.ts";
import type { ReadAt, ReadEntry } from "../merge-entries.ts";
import type { LayerRange, Selector } from "../../recipe-graph.ts";

export function checkAtBlocks(ats: readonly ReadAt[], report: Report): void {
  const texts = new PartTexts();
  const keeps = new Cover(texts);
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
        const cover = stating.get(clause) ?? new Cover(texts);
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

/** Every range is compared with these; what more of them would hide is found by the names of the tensors. */
const MOST_RANGES = 1000;

/** What some blocks take together, indexed so that a recipe of ten thousand blocks is checked in a moment. */
class Cover {
  readonly #texts: PartTexts;
  readonly #exact = new Map<string, ReadAt>();
  readonly #layers: { readonly range: LayerRange; readonly at: ReadAt }[] = [];

  constructor(texts: PartTexts) {
    this.#texts = texts;
  }

  add(at: ReadAt): this {
    for (const part of this.#texts.partsOf(at.selector)) {
      const text = this.#texts.textOf(part);
      if (this.#exact.has(text)) continue;
      this.#exact.set(text, at);
      if (part.kind === "layers" && this.#layers.length < MOST_RANGES) this.#layers.push({ range: part.range, at });
    }
    return this;
  }

  /** One of the blocks that together surely take every tensor that `selector` takes. */
  winnerOver(selector: Selector): ReadAt | undefined {
    return this.#exact.size === 0 ? undefined : this.#winnerOver(selector, new Map());
  }

  #winnerOver(selector: Selector, known: Map<Selector, ReadAt | undefined>): ReadAt | undefined {
    if (known.has(selector)) return known.get(selector);
    let winner: ReadAt | undefined;
    for (const part of this.#texts.partsOf(selector)) {
      winner = this.#winnerOverPart(part, known);
      if (winner === undefined) break;
    }
    known.set(selector, winner);
    return winner;
  }

  #winnerOverPart(part: Part, known: Map<Selector, ReadAt | undefined>): ReadAt | undefined {
    const same = this.#exact.get(EVERYTHING) ?? this.#exact.get(this.#texts.textOf(part));
    if (same !== undefined) return same;
    if (part.kind === "layers") return this.#layers.find(({ range }) => holds(range, part.range))?.at;
    if (part.kind === "and") return this.#winnerOver(part.left, known) ?? this.#winnerOver(part.right, known);
    return undefined;
  }
}

/** A selector as a list of parts joined by `|`; a glob is a part. */
type Part = Selector | { readonly kind: "glob"; readonly glob: string };

const EVERYTHING = globText("*");

function globText(glob: string): string {
  return JSON.stringify(glob);
}

/**
 * Selectors that say the same have one text. A selector may name others twice, so the text of one inside another is a
 * number that stands for it: written out it would be as long as two to the power of how deep they are nested.
 */
class PartTexts {
  readonly #parts = new Map<Selector, readonly Part[]>();
  readonly #texts = new Map<Selector, string>();
  readonly #numbers = new Map<string, number>();

  partsOf(selector: Selector): readonly Part[] {
    let parts = this.#parts.get(selector);
    if (parts === undefined) this.#parts.set(selector, (parts = partsOf(selector)));
    return parts;
  }

  textOf(part: Part): string {
    if (part.kind === "glob") return globText(part.glob);
    let text = this.#texts.get(part);
    if (text === undefined) this.#texts.set(part, (text = this.#write(part)));
    return text;
  }

  #write(selector: Selector): string {
    switch (selector.kind) {
      case "layers":
        return `layers(${selector.range.from}..${selector.range.to ?? ""})`;
      case "tensors":
      case "or": {
        const texts = this.partsOf(selector).map((part) => this.textOf(part));
        return [...new Set(texts)].sort().join("|");
      }
      case "not":
        return `!${this.#numberOf(selector.operand)}`;
      case "and":
        return `${this.#numberOf(selector.left)}&${this.#numberOf(selector.right)}`;
    }
  }

  #numberOf(selector: Selector): number {
    const text = this.textOf(selector);
    const number = this.#numbers.get(text) ?? this.#numbers.size;
    this.#numbers.set(text, number);
    return number;
  }
}

/** Each once, in order. */
function partsOf(selector: Selector): readonly Part[] {
  const found = new Set<Part>();
  const visited = new Set<Selector>();
  const visit = (one: Selector): void => {
    if (visited.has(one)) return;
    visited.add(one);
    if (one.kind === "or") {
      visit(one.left);
      visit(one.right);
    } else if (one.kind === "tensors") for (const { glob } of one.globs) found.add({ kind: "glob", glob });
    else found.add(one);
  };
  visit(selector);
  return [...found];
}

function holds(wide: LayerRange, narrow: LayerRange): boolean {
  const isFromSound = wide.from === 0 || (wide.from >= 0 === narrow.from >= 0 && wide.from <= narrow.from);
  if (!isFromSound) return false;
  if (wide.to === undefined) return true;
  return narrow.to !== undefined && wide.to >= 0 === narrow.to >= 0 && narrow.to <= wide.to;
}
