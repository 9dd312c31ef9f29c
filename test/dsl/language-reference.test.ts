// LANGUAGE.md tells the truth: every recipe in it parses, or is refused for the reason it states.
//
// ```theta                a whole recipe
// ```theta statements     statements without the header
// ```theta refused CODE   statements that are refused with exactly this code

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parse } from "../../dsl/parse.ts";
import { renderDiagnostic } from "../../dsl/render-diagnostic.ts";
import { sourceOf } from "./read-cases.ts";

const root = join(import.meta.dirname, "../..");
const reference = readFileSync(join(root, "LANGUAGE.md"), "utf8");
const blocks = [...reference.matchAll(/^```theta ?(.*)\n([^]*?)^```$/gm)].map((match) => {
  const line = reference.slice(0, match.index).split("\n").length;
  return { title: `line ${line}: ${match[1] || "a recipe"}`, kind: match[1]!, text: match[2]! };
});

describe("the recipes of LANGUAGE.md", () => {
  test("are found", () => {
    expect(blocks.length).toBeGreaterThan(8);
  });

  test.each(blocks.map((block) => [block.title, block] as const))("%s", (_, { kind, text }) => {
    const { diagnostics } = parse(sourceOf(kind === "" ? text : `theta 1\n${text}`));
    if (kind.startsWith("refused ")) {
      expect(diagnostics.map(({ code }) => code)).toEqual([kind.slice("refused ".length)]);
    } else {
      expect(["", "statements"]).toContain(kind);
      expect(diagnostics.map((diagnostic) => renderDiagnostic(diagnostic))).toEqual([]);
    }
  });
});
