// Recipes that must be refused: what is said about them, and that the healthy lines around survive.

import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parse } from "../../dsl/parse.ts";
import { renderDiagnostic } from "../../dsl/render-diagnostic.ts";
import { outline } from "./outline.ts";
import { readCases, sourceOf } from "./read-cases.ts";

describe("refused recipes", () => {
  test.each(readCases("refused").map((source) => [source.path, source] as const))("%s", async (name, source) => {
    const { recipe, diagnostics } = parse(source);
    const names = recipe.brokenNames?.map(({ text }) => text).join(" ");
    const text = [
      ...diagnostics.map((diagnostic) => `${renderDiagnostic(diagnostic)}\n`),
      `---- what is left of it; broken: ${names}\n`,
      outline(recipe),
    ].join("\n");
    const snapshot = join(import.meta.dirname, "refused", name.replace(".theta", ".diagnostics.txt"));
    await expect(text).toMatchFileSnapshot(snapshot);
  });
});

/** The codes of everything that is found. */
function codesOf(text: string): string[] {
  return parse(sourceOf(`theta 1\n${text}`)).diagnostics.map(({ code }) => code);
}

describe("one mistake, one diagnostic", () => {
  test.each([
    ["string that never ends", 'model a = "x', "unterminated-string"],
    ["string that never ends before a block", 'model a = "x {\n  missing base\n}', "unterminated-string"],
    ["escape that is none", 'model a = "\\d"', "unknown-escape"],
    ["control character in a string", 'model a = "\u0000"', "control-character"],
    ["hyphenated name", 'model llama-3 = "x"', "hyphenated-name"],
    ["hyphenated name in a sum", "merge a = b + llama-3b", "hyphenated-name"],
    ["number without digits before the point", "param a: number = .5", "expected-value"],
    ["letter behind a number", "param a: number = 5x", "broken-number"],
    ["number out of range", "param a: number = 1e999", "number-out-of-range"],
    ["size out of range", "param a: size = 1e999GB", "size-out-of-range"],
    ["character without a meaning", "merge a = b; ", "unknown-character"],
    ["carriage return alone", "merge a = b\rmerge c = d", "unknown-character"],
    ["operator at the start of a line", "merge a = b\n  + c", "operator-at-line-start"],
    ["brace at the start of a line", "merge a onto b\n{\n  c\n}", "brace-at-line-start"],
    ["bracket never closed", "merge a = linear(b, c\nmodel d = 3", "unclosed-bracket"],
    ["brace never closed", "merge a onto b {\n  c\nmodel d = 3", "unclosed-bracket"],
    ["bracket that closes nothing", "merge a = b)", "stray-bracket"],
    ["brace that closes nothing", "merge a = b\n}", "stray-bracket"],
    ["bracket closed by another", "merge a = linear(b]", "mismatched-bracket"],
    ["missing comma", "merge a = linear(b c)", "missing-comma"],
    ["missing value", "merge a =", "expected-value"],
    ["maps for values", "merge a = b(c, t: [{filter: d, value: [1, 2]}, {value: {e: 5}}])", "expected-value"],
    [
      "maps for values, a line each",
      "merge a onto b {\n  c weight [\n    {d: 1},\n    {e: 2}\n  ]\n}",
      "expected-value",
    ],
    ["map with brackets in it", "merge a = b(c, t: (0.5 + {x: 1)\n, y: [2}))", "expected-value"],
    ["block behind a bracket never closed", "merge a onto b using c(d: 0.7, {\n  e weight 1\n}", "unclosed-bracket"],
    ["missing word", "merge a", "expected-token"],
    ["too much", "merge a = b c", "unexpected-token"],
    ["reserved word as a name", "model at = 3", "reserved-word"],
    ["unknown statement", "modell a = 3", "unknown-statement"],
    ["unknown statement with a block", "modell a = 3 {\n  missing base\n}", "unknown-statement"],
    ["at inside at", 'merge a onto b {\n  at "x" {\n    at "y" keep b\n  }\n}', "not-inside-at"],
    ["operators mixed", "merge a = b * c & d", "mixed-operators"],
    ["brackets nested too deeply", `merge a = ${"(".repeat(65)}b${")".repeat(65)}`, "nested-too-deeply"],
    ["brackets nested absurdly", `merge a = ${"(".repeat(100_000)}`, "nested-too-deeply"],
    ["braces nested absurdly", "merge a {".repeat(100_000), "nested-too-deeply"],
    ["operators nested too deeply", `merge a = ${"-".repeat(100_000)}b`, "nested-too-deeply"],
    ["sum too long", `merge a = b${" + b".repeat(1000)}`, "nested-too-deeply"],
    ["version repeated", "theta 1", "version-repeated"],
  ])("%s", (_, text, code) => {
    expect([...new Set(codesOf(text))]).toEqual([code]);
  });

  test("a recipe that is too large is not read", () => {
    const { diagnostics } = parse(sourceOf(`theta 1\n${" ".repeat(10_000_000)}`));
    expect(diagnostics.map(({ code }) => code)).toEqual(["recipe-too-large"]);
  });

  test("errors beyond the hundredth are not shown", () => {
    const { diagnostics } = parse(sourceOf(`theta 1\n${"merge\n".repeat(500)}`));
    expect(diagnostics).toHaveLength(101);
    expect(diagnostics.at(-1)?.code).toBe("too-many-errors");
  });
});
