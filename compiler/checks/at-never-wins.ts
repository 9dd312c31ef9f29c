// An `at` block, or a clause in one, that an earlier one hides for every tensor, judged by the selectors alone. What is
// hidden only because of the tensors there are is judged when the checkpoint headers are known.

import type { Report } from "../../dsl/diagnostic.ts";
import type { ReadClauses } from "../merge-clauses.ts";
import type { ReadAt, ReadEntry } from "../merge-entries.ts";
import type { LayerRange, Selector } from "../recipe-graph.ts";

export function checkAtBlocks(ats: readonly ReadAt[], report: Report): void {
  const keeps = ats.filter(({ keep }) => keep !== undefined);
  ats.forEach((at, index) => {
    if (at.keep !== undefined) {
      const winners = keeps.slice(0, keeps.indexOf(at));
      const winner = winnerOver(at.selector, winners);
      if (winner !== undefined) reportHidden("this at", at, winner, at.span, report);
      return;
    }
    const hidden = [...at.entries].flatMap(([key, clauses]) =>
      [...clauses.spans].map(([name, span]) => {
        const stating = ats.slice(0, index).filter(({ entries }) => entries.get(key)?.spans.has(name));
        return { what: `${name} of ${key} here`, span, winner: winnerOver(at.selector, [...keeps, ...stating]) };
      }),
    );
    if (hidden.length > 0 && hidden.every(({ winner }) => winner !== undefined)) {
      reportHidden("this at", at, hidden[0]!.winner!, at.span, report);
      return;
    }
    for (const { what, span, winner } of hidden) if (winner !== undefined) reportHidden(what, at, winner, span, report);
  });
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

/** An earlier block whose selector takes at least every tensor that `selector` takes; joint cover counts as the last. */
function winnerOver(selector: Selector, earlier: readonly ReadAt[]): ReadAt | undefined {
  const parts = partsOf(selector);
  const taken = earlier.map((at) => ({ at, parts: partsOf(at.selector) }));
  let winner: ReadAt | undefined;
  for (const part of parts) {
    const cover = taken.find((one) => one.parts.some((other) => covers(other, part)));
    if (cover === undefined) return undefined;
    winner = cover.at;
  }
  return winner;
}

/** A selector as a list of parts joined by `|`; a glob is a part. */
type Part = Selector | { readonly kind: "glob"; readonly glob: string };

function partsOf(selector: Selector): Part[] {
  if (selector.kind === "or") return [...partsOf(selector.left), ...partsOf(selector.right)];
  if (selector.kind === "tensors") return selector.globs.map(({ glob }) => ({ kind: "glob", glob }));
  return [selector];
}

/** Whether `wide` surely takes every tensor that `narrow` takes. */
function covers(wide: Part, narrow: Part): boolean {
  if (wide.kind === "glob" && wide.glob === "*") return true;
  if (wide.kind === "layers" && narrow.kind === "layers") return holds(wide.range, narrow.range);
  if (narrow.kind === "and" && (covers(wide, narrow.left) || covers(wide, narrow.right))) return true;
  if (wide.kind === "tensors") return partsOf(wide).some((part) => covers(part, narrow));
  return textOf(wide) === textOf(narrow);
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
