// What holds for every text: `parse` returns, spans lie within the text and inside their parents', and time is bounded.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parse } from "../../dsl/parse.ts";
import { renderDiagnostic } from "../../dsl/render-diagnostic.ts";
import { outline } from "./outline.ts";
import { readCases, sourceOf } from "./read-cases.ts";

/** Fails when a span leaves the text or its parent's span. */
function checkSpans(node: unknown, from: number, to: number): void {
  if (Array.isArray(node)) for (const child of node) checkSpans(child, from, to);
  if (typeof node !== "object" || node === null || Array.isArray(node)) return;
  const { span, ...children } = node as { span?: { start: number; end: number } };
  if (span) {
    expect(span.start).toBeGreaterThanOrEqual(from);
    expect(span.end).toBeLessThanOrEqual(to);
    expect(span.start).toBeLessThanOrEqual(span.end);
  }
  for (const [key, child] of Object.entries(children)) {
    if (key !== "source" && key !== "operatorSpan") checkSpans(child, span?.start ?? from, span?.end ?? to);
  }
  // `source` is a field of statements too; only a node is looked at.
  const { source } = children as { source?: { kind?: string } };
  if (source?.kind) checkSpans(source, span?.start ?? from, span?.end ?? to);
}

function checkText(text: string): void {
  const { recipe, diagnostics } = parse(sourceOf(text));
  checkSpans(recipe.statements, 0, text.length);
  for (const diagnostic of diagnostics) {
    if (diagnostic.span) {
      expect(diagnostic.span.start).toBeGreaterThanOrEqual(0);
      expect(diagnostic.span.end).toBeLessThanOrEqual(text.length);
    }
    const rendered = renderDiagnostic(diagnostic);
    expect(rendered).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f]/);
  }
  outline(recipe);
}

const pieces = fc.constantFrom(
  ..."theta 1|model |merge |mask |output |expect |at |each |keep |else|onto |using |on |as |weight |a|b|lib|0.5|3|5GB".split(
    "|",
  ),
  ...'"x"|"*.mlp.*"|"open|..|.|,|:|=|@|+|-|*|/|&|!|<|>=|(|)|[|]|{|}|\n|\r\n| |#c\n|\t|;|\u0000|é|𝒳'.split("|"),
  "|",
);

const valid = readCases("accepted").map(({ text }) => text);

/** A valid recipe with some stretches replaced. */
const mutated = fc
  .tuple(
    fc.constantFrom(...valid),
    fc.array(fc.tuple(fc.nat(2000), fc.nat(12), fc.array(pieces, { maxLength: 3 })), { minLength: 1, maxLength: 4 }),
  )
  .map(([text, edits]) =>
    edits.reduce((now, [at, length, put]) => now.slice(0, at) + put.join("") + now.slice(at + length), text),
  );

describe("every text", () => {
  test("of arbitrary characters", () => {
    fc.assert(fc.property(fc.string({ unit: "binary", maxLength: 300 }), checkText), { numRuns: 300 });
  });
  test("of pieces of the language", () => {
    const text = fc.array(pieces, { maxLength: 80 }).map((parts) => parts.join(""));
    fc.assert(fc.property(text, checkText), { numRuns: 1500 });
  });
  test("that was a recipe once", () => {
    fc.assert(fc.property(mutated, checkText), { numRuns: 500 });
  });
});

test("a broken line costs only itself", () => {
  const lines = ['model a = "x"', "merge b = linear(a, a)", "mask c = layers(0..8)", 'output "d" = b'];
  const broken = [
    "model = ",
    "merge b b b",
    "mask c = layers(0..8",
    'output "d',
    "vector v = a +",
    "merge m using x {\n  a",
  ];
  const text = fc.array(fc.tuple(fc.constantFrom(...lines), fc.option(fc.constantFrom(...broken))), { minLength: 1 });
  fc.assert(
    fc.property(text, (parts) => {
      const mixed = ["theta 1", ...parts.flatMap(([good, bad]) => (bad === null ? [good] : [bad, good]))].join("\n");
      const { recipe, diagnostics } = parse(sourceOf(mixed));
      expect(diagnostics).toHaveLength(parts.filter(([, bad]) => bad !== null).length);
      const kept = recipe.statements.map(({ span }) => mixed.slice(span.start, span.end));
      expect(kept.filter((line) => lines.includes(line))).toEqual(parts.map(([good]) => good));
    }),
    { numRuns: 200 },
  );
});

test.each([
  ["an open bracket", "("],
  ["an open brace", "{"],
  ["a closing brace", "}"],
  ["a minus", "-"],
  ["a sum", "a + "],
  ["a hyphenated name", "a-"],
  ["a dotted number", "1."],
  ["a quote on a line", '"\n'],
  ["an escape", "\\"],
  ["an unknown character", "; "],
  ["a statement without end", "merge x {\n"],
  ["a blank", " "],
])("%s, two hundred thousand characters of it, is read in linear time", (_, unit) => {
  const text = `theta 1\nmerge x = ${unit.repeat(200_000 / unit.length)}`;
  const start = performance.now();
  expect(() => parse(sourceOf(text))).not.toThrow();
  expect(performance.now() - start).toBeLessThan(10_000);
});
