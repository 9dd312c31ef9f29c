// The grammar and the lexer as Chevrotain sees them, with the validations that the program skips.

import { generateCstDts, Lexer } from "chevrotain";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { format, resolveConfig } from "prettier";
import { describe, expect, test } from "vitest";
import { RecipeParser } from "../../dsl/grammar.ts";
import { LEXER_TOKENS } from "../../dsl/tokens.ts";

describe("grammar", () => {
  test("Chevrotain finds nothing to complain about", () => {
    expect(() => new RecipeParser({ skipValidations: false })).not.toThrow();
    const lexer = new Lexer([...LEXER_TOKENS], { ensureOptimizations: true, positionTracking: "onlyOffset" });
    expect(lexer.lexerDefinitionErrors).toEqual([]);
  });

  // After a change of the grammar: copy what the test says it expected into the file, below the comment.
  test("dsl/cst-types.ts is what the grammar generates", async () => {
    const path = join(import.meta.dirname, "../../dsl/cst-types.ts");
    const written = readFileSync(path, "utf8").replace(/^(?:\/\/.*\n)+\n/, "");
    const parser = new RecipeParser({ skipValidations: true });
    const generated = generateCstDts(parser.getGAstProductions(), { includeVisitorInterface: false });
    const config = await resolveConfig(path);
    expect(written).toBe(await format(generated.replace(", ICstVisitor", ""), { ...config, filepath: path }));
  });
});
