import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { matchesGlob, parseGlob, type Glob } from "../../../compiler/glob.ts";
import { nearestGlob } from "../../../compiler/header-checks/near-glob.ts";

function glob(text: string): Glob {
  const parsed = parseGlob(text);
  if ("problem" in parsed) throw new Error(parsed.problem);
  return parsed;
}

describe("globs", () => {
  it.each([
    ["lm_head.*", "lm_head.weight", true],
    ["lm_head.*", "my.lm_head.weight", false],
    ["*mlp*", "model.layers.0.mlp.up_proj.weight", true],
    ["*", "", true],
    ["", "", true],
    ["", "a", false],
    ["a?c", "abc", true],
    ["a?c", "a😀c", true],
    ["a?c", "ac", false],
    ["*.[0-3].*", "h.2.w", true],
    ["*.[0-3].*", "h.4.w", false],
    ["[!a]b", "cb", true],
    ["[!a]b", "ab", false],
    ["[a-]", "-", true],
    ["{q,k}_proj", "k_proj", true],
    ["{q,k}_proj", "v_proj", false],
    ["x{,.{a,b}}", "x", true],
    ["x{,.{a,b}}", "x.b", true],
    ["Model.*", "model.a", false],
    ["a.c", "abc", false],
  ])("%s against %s is %s", (text, name, expected) => {
    expect(matchesGlob(glob(text), name)).toBe(expected);
  });

  it.each(["[abc", "[]", "[z-a]", "{a,b", "a}", "{a,b}".repeat(11)])("refuses %s", (text) => {
    expect(parseGlob(text)).toHaveProperty("problem");
  });

  it("takes no more than length × length steps", () => {
    const started = performance.now();
    expect(matchesGlob(glob(`${"*a".repeat(200)}b`), "a".repeat(2000))).toBe(false);
    expect(performance.now() - started).toBeLessThan(500);
  });

  it("agrees with the regular expression that means the same", () => {
    const text = fc.string({ unit: fc.constantFrom("a", "b", ".", "*", "?"), maxLength: 8 });
    const name = fc.string({ unit: fc.constantFrom("a", "b", "."), maxLength: 10 });
    fc.assert(
      fc.property(text, name, (text, name) => {
        const source = text.replaceAll(".", "\\.").replaceAll("*", ".*").replaceAll("?", ".");
        expect(matchesGlob(glob(text), name)).toBe(new RegExp(`^${source}$`, "s").test(name));
      }),
      { numRuns: 2000 },
    );
  });
});

it("is refused when nobody can have meant its length", () => {
  for (const text of ["{a}".repeat(20_000), "{".repeat(20_000), "*a".repeat(200_000)]) {
    expect(parseGlob(text)).toEqual({ problem: "it is longer than 4096 characters" });
  }
  expect(parseGlob("{".repeat(2048) + "}".repeat(2048))).toHaveProperty("alternatives");
  expect(nearestGlob(glob("*a".repeat(2000)).alternatives[0]!, ["b".repeat(3000)])).toBeUndefined();
});

describe("near globs", () => {
  const names = ["model.embed_tokens.weight", "model.layers.0.self_attn.q_proj.weight", "lm_head.weight"];
  it.each([
    ["lm_heads.*", "lm_head.*"],
    ["*self_atn*", "*self_attn*"],
    ["model.embed_token.weight", "model.embed_tokens.weight"],
    ["*.q_prj.*", "*.q_proj.*"],
    ["something.else.*", undefined],
  ])("%s → %s", (text, expected) => {
    const near = nearestGlob(glob(text).alternatives[0]!, names);
    expect(near?.glob).toBe(expected);
    if (near !== undefined) expect(matchesGlob(glob(near.glob), near.name)).toBe(true);
  });
});
