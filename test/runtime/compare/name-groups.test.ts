// Which names come together, and how what varies in them is told.

import { expect, test } from "vitest";
import { groupByName, ranges } from "../../../runtime/compare/name-groups.ts";

function grouped(
  names: readonly string[],
  kind: (name: string) => string = () => "",
): (readonly [string, ...string[]])[] {
  return groupByName(names, (name) => name, kind).map(({ name, numbers }) => [name, ...numbers]);
}

test.each<[readonly number[], string]>([
  [[], ""],
  [[7], "7"],
  [[2, 0, 1], "0-2"],
  [[0, 1, 3, 5, 6], "0-1,3,5-6"],
])("ranges of %o", (numbers, text) => {
  expect(ranges(numbers)).toBe(text);
});

test("numbers that vary become stars, others stay", () => {
  expect(grouped(["a.0.w", "a.1.w", "b.2.w", "c"])).toEqual([["a.*.w", "0-1"], ["b.2.w"], ["c"]]);
  expect(grouped(["m.0.experts.0.w", "m.0.experts.1.w"])).toEqual([["m.0.experts.*.w", "0-1"]]);
  expect(grouped(["m.0.experts.0.w", "m.3.experts.1.w"])).toEqual([["m.*.experts.*.w", "0,3", "0-1"]]);
});

test("a number within a word is part of it", () => {
  expect(grouped(["w1.x", "w2.x"])).toEqual([["w1.x"], ["w2.x"]]);
});

test("what is said of them must be the same", () => {
  expect(grouped(["a.0", "a.1", "a.2"], (name) => String(name === "a.1"))).toEqual([["a.*", "0,2"], ["a.1"]]);
});
