// Recipes that parse without a word, and the trees they become.

import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parse } from "../../dsl/parse.ts";
import { renderDiagnostic } from "../../dsl/render-diagnostic.ts";
import { outline } from "./outline.ts";
import { readCases, sourceOf } from "./read-cases.ts";

describe("accepted recipes", () => {
  test.each(readCases("accepted").map((source) => [source.path, source] as const))("%s", async (name, source) => {
    const { recipe, diagnostics } = parse(source);
    expect(diagnostics.map((diagnostic) => renderDiagnostic(diagnostic))).toEqual([]);
    const snapshot = join(import.meta.dirname, "accepted", name.replace(".theta", ".outline.txt"));
    await expect(outline(recipe)).toMatchFileSnapshot(snapshot);
  });

  test("CRLF and a byte order mark change nothing but offsets", () => {
    for (const source of readCases("accepted")) {
      const dos = sourceOf(`\ufeff${source.text.replaceAll("\n", "\r\n")}`);
      expect(parse(dos).diagnostics).toEqual([]);
      expect(outline(parse(dos).recipe)).toBe(outline(parse(source).recipe));
    }
  });

  test("a last line needs no line end", () => {
    expect(outline(parse(sourceOf('theta 1\nmodel a = "x"')).recipe)).toBe('version 1\nmodel a = "x"\n');
  });
});
