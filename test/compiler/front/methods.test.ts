// The method table against itself: what it says is served is, and its examples are recipes.

import { expect, test } from "vitest";
import { describeRange, isInRange } from "../../../compiler/methods/method-row.ts";
import { METHODS } from "../../../compiler/methods/method-table.ts";
import { analyseText, rendered } from "./analyse-text.ts";

const HEAD = `theta 1
base  llama = "models/llama"
model maths = "models/maths"
model code  = "models/code"
`;

test.each([...METHODS.values()])("the example of $name", ({ name, example, notServed }) => {
  expect(example).toContain(name);
  const { diagnostics } = analyseText(`${HEAD}${example}\n`);
  const errors = diagnostics.filter(({ severity }) => severity === "error");
  expect
    .soft([...new Set(errors.map(({ code }) => code))], rendered(errors))
    .toEqual(notServed === undefined ? [] : ["not-served"]);
});

test.each([...METHODS.values()].filter(({ maps }) => ["models", "vectors", "either", "mask"].includes(maps)))(
  "$name is served by an op or says why not",
  ({ op, notServed, parameters }) => {
    expect(op === undefined).toBe(notServed !== undefined);
    for (const parameter of parameters) {
      expect(parameter.meaning.startsWith(parameter.name)).toBe(true);
      if ("range" in parameter && parameter.default !== undefined) {
        expect(isInRange(parameter.range, parameter.default)).toBe(true);
      }
      if (parameter.kind === "word") expect(parameter.words).toContain(parameter.default);
    }
  },
);

test("ranges in words", () => {
  expect(describeRange({ above: 0, max: 1 })).toBe("above 0 and at most 1");
  expect(describeRange({ min: 0, below: 1 })).toBe("at least 0 and below 1");
  expect(isInRange({ above: 0 }, 0)).toBe(false);
  expect(isInRange({}, NaN)).toBe(false);
});
