import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { parsePythonPattern } from "../../../runtime/checkpoint/python-pattern.ts";

function matches(key: string, name: string): boolean {
  const pattern = parsePythonPattern(key);
  if ("refused" in pattern) throw new Error(pattern.refused);
  return pattern.matches(name, { left: 1e6 });
}

const LAYER = "model.layers.1.self_attn.q_proj";

test.for([
  ["q_proj", LAYER, true],
  ["self_attn.q_proj", LAYER, true],
  [LAYER, LAYER, true],
  ["proj", LAYER, false],
  ["q_proj", "model.xq_proj", false],
  ["q_proj", "q_proj", true],
  ["q_proj", "q_proj.base", false],
  [String.raw`layers\.1\..*q_proj`, LAYER, true],
  [String.raw`layers\.1\..*q_proj`, "model.layers.11.self_attn.q_proj", false],
  [String.raw`.*\.(q|k)_proj`, LAYER, true],
  [String.raw`layers\.\d+\.self_attn\.[qk]_proj`, LAYER, true],
  [String.raw`layers\.[^02-9]\.self_attn\.q_proj`, LAYER, true],
  [String.raw`layers.(?:0|1|2).self_attn.q_proj$`, LAYER, true],
  ["^model.layers.1.self_attn.q_proj", LAYER, true],
  ["^layers.1.self_attn.q_proj", LAYER, false],
  ["self_attn.[a-p]_proj", LAYER, false],
  ["q_pro{1,2}j", LAYER, true],
  ["q_pro{2}j", LAYER, false],
  ["q_(?:proj)?", LAYER, true],
  ["x*q_proj", LAYER, true],
  ["q{a}", "q{a}", true],
  ["a{,2}b", "aab", true],
  ["a{,2}b", "aaab", false],
  ["[]a]", "]", true],
  ["[a-]", "-", true],
  ["(a|b)*c", "ababc", true],
  ["(a*)*b", `${"a".repeat(200)}c`, false],
  ["", "a.", true],
  ["", "a", false],
  ["q", "a\n.q", false],
  ["q$", "q\n", true],
  ["q", "q\n", true],
] as const)("%s in %s: %s", ([key, name, expected]) => {
  expect(matches(key, name)).toBe(expected);
});

test.for([
  "(?=q)",
  "(?i)q",
  "(?P<n>q)",
  String.raw`\bq`,
  String.raw`(q)\1`,
  "q**",
  "q*+",
  "*q",
  "(q",
  "q)",
  "[q",
  "q{3,1}",
  "[z-a]",
  "q\\",
])("%s is refused", (key) => expect(parsePythonPattern(key)).toHaveProperty("refused"));

test("answers as Python 3.11 did, or refuses", () => {
  // Key, name and whether re.match(rf"(.*\.)?({key})$", name) matched; null where Python found no pattern in the key.
  const cases = JSON.parse(readFileSync(join(import.meta.dirname, "python-re.json"), "utf8")) as [
    string,
    string,
    boolean | null,
  ][];
  let answered = 0;
  for (const [key, name, expected] of cases) {
    const pattern = parsePythonPattern(key);
    const answer = "refused" in pattern ? null : pattern.matches(name, { left: 1e6 });
    if (answer !== null) expect([key, name, answer]).toEqual([key, name, expected]);
    if (answer !== null) answered++;
  }
  expect(answered).toBeGreaterThan(430);
});

test("agrees with JavaScript where the two languages are the same", () => {
  const atom = fc.constantFrom("a", "b", ".", String.raw`\.`, "[ab]", "[^a]", "(a|b)", "(?:ab|)", "(a.)");
  const piece = fc.tuple(atom, fc.constantFrom("", "", "*", "+", "?", "{2}", "{1,2}")).map((parts) => parts.join(""));
  const key = fc.array(piece, { maxLength: 4 }).map((pieces) => pieces.join(""));
  const name = fc.string({ unit: fc.constantFrom("a", "b", "."), maxLength: 8 });
  fc.assert(
    fc.property(key, name, (k, n) => {
      expect(matches(k, n)).toBe(new RegExp(`^(?:.*\\.)?(?:${k})$`, "u").test(n));
    }),
    { numRuns: 3000 },
  );
});
