// Find tasks through the door; what they find is compared with a full sort in ../core/window_search_test.cpp and in the
// tests of what asks for it.

import { afterAll, expect, test } from "vitest";
import type { FindTask, WindowPart } from "../../../native/addon-types.ts";
import { loadAddon } from "../../../native/index.ts";
import { rejection } from "./payload-file.ts";

const engine = loadAddon().createEngine({ threads: 2, memory: 1 << 20, chunk: 1 << 16 });
afterAll(() => engine.close());

/** Keys 3, 2, 1 above `lastKey` at indices 0, 1, 2, if there are three; less than 128, so that each number is a byte. */
function partOf(count: number, { weight = 1, lastKey = 0x100n } = {}): WindowPart {
  const elements = Uint8Array.from({ length: 2 * count }, (_, at) =>
    at % 2 === 0 ? count - at / 2 : at === 1 ? 0 : 1,
  );
  return { elements, work: "F32", firstKey: lastKey + BigInt(count), lastKey, stream: 7n, weight };
}

function find(parts: readonly WindowPart[], ...ranks: readonly number[]): FindTask {
  return { kind: "find", label: "found", parts, ranks };
}

test("finds elements by rank, whatever the parts weigh", async () => {
  const { found } = await engine.run(find([partOf(3), partOf(2, { weight: 10, lastKey: 0x200n })], 0, 10, 20.5, 1e9));
  expect(found!.map(({ part, key }) => [part, key])).toEqual([
    [1, 0x202n],
    [1, 0x201n],
    [0, 0x103n],
    [0, 0x101n],
  ]);
  expect(found!.map(({ tied, tiedBefore }) => ({ tied, tiedBefore }))).toEqual(
    [1, 1, 0, 0].map((part) => ({ tied: [1 - part, part], tiedBefore: [1 - part, part] })),
  );
});

test("finds nothing where there is nothing", async () => {
  for (const task of [find([], 0), find([partOf(0)], 0), find([partOf(3)])]) {
    expect((await engine.run(task)).found).toBeUndefined();
  }
});

test("many at a time, on all threads, while nobody else keeps their elements", async () => {
  const tasks = Array.from({ length: 100 }, (_, count) => engine.run(find([partOf(count % 100)], 0)));
  for (let block = 0; block < 50; block++) new Uint8Array(1 << 20).fill(255);
  const found = (await Promise.all(tasks)).map((result) => result.found?.[0]?.key);
  expect(found).toEqual(Array.from({ length: 100 }, (_, count) => (count === 0 ? undefined : 0x100n + BigInt(count))));
});

test.each<[object, string]>([
  [{ parts: undefined }, "task.parts must be an array, not undefined"],
  [{ ranks: [NaN] }, "task.ranks[0] must be a finite number, not NaN"],
  [{ parts: [{ ...partOf(1), elements: "x" }] }, 'task.parts[0].elements must be a Uint8Array, not "x"'],
  [{ parts: [{ ...partOf(1), work: "bytes" }] }, 'task.parts[0].work must be one of "F32", "F64", not "bytes"'],
  [{ parts: [{ ...partOf(1), firstKey: 1 }] }, "task.parts[0].firstKey must be a bigint, not 1"],
  [{ parts: [{ ...partOf(1), elements: Uint8Array.of(128) }] }, "the elements of a window end early"],
])("refuses %o", async (wrong, message) => {
  const error = await rejection(engine.run({ ...find([partOf(1)], 0), ...wrong }));
  expect({ code: error.code, message: error.message }).toEqual({ code: "input", message });
});
