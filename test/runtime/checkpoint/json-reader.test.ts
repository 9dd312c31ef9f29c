import * as fc from "fast-check";
import { expect, test } from "vitest";
import { type JsonValue, JsonReader, isObject, parseJson } from "../../../runtime/checkpoint/json-reader.ts";
import { SourceFailure, orProblem } from "../../../runtime/checkpoint/problem.ts";

const parse = (text: string): JsonValue => parseJson(text, "file", "the value");

/** With objects in place of Maps, for comparison. */
function plain(value: JsonValue): unknown {
  if (isObject(value)) return Object.fromEntries([...value].map(([key, member]) => [key, plain(member)]));
  return Array.isArray(value) ? (value as readonly JsonValue[]).map(plain) : value;
}

test("agrees with JSON.parse on whatever JSON.stringify writes", () => {
  fc.assert(
    fc.property(fc.json({ maxDepth: 6 }), fc.constantFrom(0, 1, 3), (text, indent) => {
      const spaced = JSON.stringify(JSON.parse(text), null, indent);
      expect(plain(parse(spaced))).toEqual(JSON.parse(text));
    }),
  );
});

test("agrees with JSON.parse on whether damaged text is JSON", () => {
  fc.assert(
    fc.property(
      fc.json({ maxDepth: 3 }),
      fc.nat(),
      fc.constantFrom("", '"', ",", "}", "[", "\\", "\u0001", "-", "0"),
      (text, seed, insert) => {
        const at = seed % (text.length + 1);
        const damaged = text.slice(0, at) + insert + text.slice(at + 1);
        let expected: unknown;
        try {
          expected = JSON.parse(damaged);
        } catch (error) {
          expect(error).toBeInstanceOf(SyntaxError);
          expect(() => parse(damaged)).toThrow(SourceFailure);
          return;
        }
        // What JSON.parse lets pass and we do not: a key twice.
        const answer = orProblem(() => ({ value: parse(damaged) }));
        if ("code" in answer) expect(answer.code).toBe("json-duplicate-key");
        else expect(plain(answer.value)).toEqual(expected);
      },
    ),
    { numRuns: 2000 },
  );
});

test("keeps no key special and the order of keys", () => {
  const value = parse('{"b":1,"__proto__":2,"7":3,"a":4}');
  expect(isObject(value) && [...value]).toEqual([
    ["b", 1],
    ["__proto__", 2],
    ["7", 3],
    ["a", 4],
  ]);
});

test("reads the numbers that Python writes though JSON has none of them", () => {
  expect(parse("[NaN, Infinity, -Infinity]")).toEqual([NaN, Infinity, -Infinity]);
});

test("finds a key that comes twice among many", () => {
  const keys = Array.from({ length: 1000 }, (_, at) => `"k${at}":0`);
  expect(() => parse(`{${keys.join(",")},"k17":0}`)).toThrow('the value has the key "k17" twice');
  expect(() => parse(`{${keys.join(",")}}`)).not.toThrow();
});

test("counts up to 2^53 - 1 exactly", () => {
  const count = (text: string): number => new JsonReader(text, "file").readCount("a size");
  expect(count("9007199254740991")).toBe(9007199254740991);
  expect(count("0")).toBe(0);
  for (const text of ["9007199254740992", "1e3", "1.0", "-1", "-0", "01", "1".repeat(400)]) {
    expect(() => count(text)).toThrow("must be an integer from 0 to 2^53 - 1");
  }
});

test("says line and character", () => {
  expect(() => parse('{\n  "a": 1,\n  "b" 2\n}')).toThrow(
    'file: expected ":" behind the key "b", found "2", at line 3, character 7',
  );
});
