// Cuts over several tensors against a full sort, with so little room that samples, thinned windows and misses all occur.

import { afterAll, describe, expect, test } from "vitest";
import type { FoundInWindow } from "../../../../native/addon-types.ts";
import { loadAddon } from "../../../../native/index.ts";
import { CutSearch, wantedCuts, type SearchedMember } from "../../../../runtime/build/statistics/cut-search.ts";
import { asFirst, asLast, firstPlace, LAST_PLACE } from "../../../../runtime/build/statistics/order-places.ts";
import { payloadFile } from "../../../native/shell/payload-file.ts";

const addon = loadAddon();
const engine = addon.createEngine({ threads: 2, memory: 64 * 2 ** 20, chunk: 2 ** 16 });
afterAll(() => engine.close());

interface Tensor extends SearchedMember {
  readonly values: Float32Array | Float64Array;
  readonly fd: number;
}

const STREAMS = [0x1234_5678_9abc_def0n, 0xffff_ffff_ffff_fff0n, 7n, 0x8000_0000_0000_0000n];

function tensor(values: Float32Array | Float64Array, index: number): Tensor {
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  const work = values instanceof Float64Array ? "F64" : "F32";
  return { elements: values.length, work, stream: STREAMS[index]!, values, fd: payloadFile(bytes) };
}

const MASK = 0xffff_ffff_ffff_ffffn;

function mix64(value: bigint): bigint {
  let z = value & MASK;
  z = ((z ^ (z >> 30n)) * 0xbf58_476d_1ce4_e5b9n) & MASK;
  z = ((z ^ (z >> 27n)) * 0x94d0_49bb_1331_11ebn) & MASK;
  return z ^ (z >> 31n);
}

function keyOf(value: number, wide: boolean): bigint {
  const view = new DataView(new ArrayBuffer(8));
  if (Number.isNaN(value)) return wide ? 0x7ff8_0000_0000_0000n : 0x7fc0_0000n;
  if (wide) view.setFloat64(0, Math.abs(value));
  else view.setFloat32(4, Math.abs(value));
  return view.getBigUint64(0);
}

interface Element {
  readonly member: number;
  readonly index: number;
  readonly key: bigint;
  readonly tie: bigint;
}

/** All elements in canonical order. */
function sorted(tensors: readonly Tensor[]): readonly Element[] {
  const wide = tensors.some(({ work }) => work === "F64");
  const all = tensors.flatMap(({ values, stream }, member) =>
    Array.from(values, (value, index): Element => ({
      member,
      index,
      key: keyOf(value, wide),
      tie: mix64(BigInt(index) + stream),
    })),
  );
  const descending = (a: bigint, b: bigint): number => (a > b ? -1 : a < b ? 1 : 0);
  return all.sort((a, b) => descending(a.key, b.key) || descending(a.tie, b.tie) || a.member - b.member);
}

async function look(
  { fd, values, work, stream }: Tensor,
  window: Pick<FoundInWindow, never> & {
    readonly first: { key: bigint; tie: bigint };
    readonly last: { key: bigint; tie: bigint };
  },
  keep: { readonly thinning: number; readonly limit: number },
  sample?: { readonly run: number; readonly period: number },
): Promise<FoundInWindow> {
  const result = await engine.run({
    kind: "gather",
    label: "x",
    inputs: [{ fd, offset: 0, dtype: work, shape: [values.length], digest: false }],
    operations: [{ op: "load", input: 0, nan: "propagate" } as { op: string }],
    work,
    shape: [values.length],
    windows: [{ of: 0, stream, ...window, ...keep }],
    sums: [],
    ...(sample && { sample }),
  });
  return result.windows![0]!;
}

/** → the cut of each tensor, and in how many readings it was found. */
async function search(tensors: readonly Tensor[], rank: number, capacity: number, start?: CutSearch["window"]) {
  const cut = new CutSearch(engine, tensors, rank, { capacity, ofOne: capacity });
  if (start !== undefined) cut.tryFirst(start);
  else if (cut.wantsSample) {
    const sample = { run: 16, period: 64 };
    const everything = (one: Tensor) => ({ first: firstPlace(one.work), last: LAST_PLACE });
    const kept = { thinning: 0, limit: 2 ** 30 };
    await cut.guess(await Promise.all(tensors.map((one) => look(one, everything(one), kept, sample))));
  }
  for (let readings = 1; ; readings++) {
    const found = await Promise.all(tensors.map((one) => look(one, cut.windowOf(one), cut.keepOf(one))));
    const cuts = await cut.take(found);
    if (cuts !== undefined) return { cuts, readings, window: cut.window };
    if (readings > 20) throw new Error("the search does not end");
  }
}

/** Positions that lie before the cut of their tensor. */
function before(
  tensors: readonly Tensor[],
  cuts: readonly { readonly key: bigint; readonly tie: bigint }[],
): Set<string> {
  const kept = new Set<string>();
  tensors.forEach(({ values, work, stream }, member) => {
    const { key, tie } = cuts[member]!;
    values.forEach((value, index) => {
      const own = keyOf(value, work === "F64");
      if (own > key || (own === key && mix64(BigInt(index) + stream) >= tie)) kept.add(`${member}:${index}`);
    });
  });
  return kept;
}

function random(seed: number): () => number {
  let state = BigInt(seed);
  return () => Number((state = mix64(state + 0x9e37_79b9_7f4a_7c15n)) >> 11n) / 2 ** 53;
}

function normal(next: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());
}

const N = 12_000;

function tensorsOf(kind: string): readonly Tensor[] {
  const next = random(3);
  const values = (make: (index: number) => number, count = N): Float32Array =>
    Float32Array.from({ length: count }, (_, i) => make(i));
  switch (kind) {
    case "normal":
      return [1, 0.1, 3].map((scale, index) =>
        tensor(
          values(() => normal(next) * scale),
          index,
        ),
      );
    case "many ties":
      return [1, 2, 4].map((scale, index) =>
        tensor(
          values(() => Math.round(normal(next) * scale) / 8),
          index,
        ),
      );
    case "all equal":
      return [0, 1].map((index) =>
        tensor(
          values(() => 0.5),
          index,
        ),
      );
    case "of both widths":
      return [
        tensor(
          values(() => normal(next)),
          0,
        ),
        tensor(
          Float64Array.from({ length: N }, () => normal(next)),
          1,
        ),
        tensor(
          values(() => Math.round(normal(next) * 4) / 8),
          2,
        ),
      ];
    case "with NaN and infinities":
      return [
        tensor(
          values((i) => [NaN, Infinity, -Infinity, 0, -0, 1e-42, normal(next)][i % 7]!),
          0,
        ),
        tensor(
          values(() => normal(next)),
          1,
        ),
      ];
    default:
      // Samples see the small elements only.
      return [
        tensor(
          values((i) => (i % 64 < 3 ? 1 + next() : 0)),
          0,
        ),
        tensor(
          values(() => next(), 100),
          1,
        ),
      ];
  }
}

describe.each(["normal", "many ties", "all equal", "of both widths", "with NaN and infinities", "sorted"])(
  "%s",
  (kind) => {
    const tensors = tensorsOf(kind);
    const order = sorted(tensors);
    const total = order.length;

    test.each([0, 1, Math.floor(total / 5), Math.floor(total / 2), total - 2])("rank %i", async (rank) => {
      const wanted = new Set(order.slice(0, rank + 1).map(({ member, index }) => `${member}:${index}`));
      for (const capacity of [2 ** 30, 1500]) {
        const { cuts, readings } = await search(tensors, rank, capacity);
        const kept = before(tensors, cuts);
        expect(kept.size).toBe(wanted.size);
        expect([...wanted].every((element) => kept.has(element))).toBe(true);
        expect(readings).toBeLessThan(capacity > total ? 2 : 8);
      }
    });

    test("whatever window is tried first, the cuts are the same", async () => {
      const rank = Math.floor(total / 3);
      const { cuts, window } = await search(tensors, rank, 2 ** 30);
      const [high, low] = [order[rank >> 1]!, order[(rank + total) >> 1]!];
      for (const start of [
        {
          first: firstPlace(cuts.length > 0 ? (tensors.some(({ work }) => work === "F64") ? "F64" : "F32") : "F32"),
          last: high,
        },
        { first: low, last: LAST_PLACE },
        { first: high, last: low },
        window,
      ]) {
        expect((await search(tensors, rank, 1500, start)).cuts).toEqual(cuts);
      }
    });
  },
);

test("room for very few of the elements, and a first window that misses: each that is looked at is narrower", async () => {
  const next = random(5);
  const tensors = [tensor(Float32Array.from({ length: 150_000 }, next), 0), tensor(Float32Array.of(0.5, 2), 1)];
  const order = sorted(tensors);
  for (const rank of [0, 1000, 75_000, 150_000]) {
    for (const place of [order[0]!, order[75_000]!, order[150_001]!]) {
      const { cuts, readings } = await search(tensors, rank, 512, { first: place, last: place });
      expect(before(tensors, cuts).size).toBe(rank + 1);
      expect(readings).toBeLessThan(12);
    }
  }
});

test("a tie that moves between keys of other tensors does not move a tensor's cut", async () => {
  const split = tensor(
    Float32Array.from({ length: 1000 }, () => 0.5),
    0,
  );
  const without = tensor(
    Float32Array.from({ length: 1000 }, (_, index) => (index % 2 === 0 ? 1 : 0.25)),
    1,
  );
  const cuts = await Promise.all([700, 701].map(async (rank) => (await search([split, without], rank, 2 ** 30)).cuts));
  expect(cuts[0]![1]).toEqual(cuts[1]![1]);
  expect(cuts[0]![0]).not.toEqual(cuts[1]![0]);
});

test("places of one width are found in the other", () => {
  const bits = (value: number) => keyOf(value, true);
  expect(asLast({ key: bits(0.1), tie: 5n }, "F64", "F32")).toEqual({ key: keyOf(Math.fround(0.1), false), tie: 0n });
  expect(asFirst({ key: bits(0.1), tie: 5n }, "F64", "F32")).toEqual({
    key: keyOf(Math.fround(0.1), false) - 1n,
    tie: MASK,
  });
  expect(asLast({ key: bits(0.5), tie: 5n }, "F64", "F32")).toEqual({ key: keyOf(0.5, false), tie: 5n });
  expect(asFirst({ key: bits(1e300), tie: 5n }, "F64", "F32")).toEqual({ key: 0x7f7f_ffffn, tie: MASK });
  expect(asLast({ key: bits(1e300), tie: 5n }, "F64", "F32")).toEqual({ key: 0x7f80_0000n, tie: 0n });
  expect(asLast({ key: keyOf(0.25, false), tie: 5n }, "F32", "F64")).toEqual({ key: bits(0.25), tie: 5n });
  expect(asLast({ key: bits(Number.NaN), tie: 1n }, "F64", "F32")).toEqual({ key: 0x7fc0_0000n, tie: 1n });
});

test("which cuts a rule needs", () => {
  const rule = (density: number, dropTop = 0, atLeastOne = false) => ({ density, dropTop, atLeastOne });
  expect(wantedCuts(10, rule(0.25))).toEqual({ outer: { rank: 1 }, inner: "nothing" });
  expect(wantedCuts(10, rule(0.05))).toEqual({ outer: "nothing", inner: "nothing" });
  expect(wantedCuts(10, rule(0.05, 0, true))).toEqual({ outer: { rank: 0 }, inner: "nothing" });
  expect(wantedCuts(10, rule(0.5, 0.2))).toEqual({ outer: { rank: 6 }, inner: { rank: 1 } });
  expect(wantedCuts(10, rule(1, 0.3))).toEqual({ outer: "everything", inner: { rank: 2 } });
  expect(wantedCuts(10, rule(1))).toEqual({ outer: "everything", inner: "nothing" });
  expect(wantedCuts(0, rule(0.5, 0.1, true))).toEqual({ outer: "nothing", inner: "nothing" });
});

test("a small tensor that has all elements of a window", async () => {
  const next = random(9);
  const crowd = tensor(
    Float32Array.from({ length: 9000 }, () => 0.5 + next() / 1000),
    0,
  );
  const others = tensor(
    Float32Array.from({ length: 60_000 }, (_, index) => (index % 2 === 0 ? 1 + next() : next() / 4)),
    1,
  );
  const rank = 34_000;
  const { cuts } = await search([crowd, others], rank, 5000);
  expect(before([crowd, others], cuts).size).toBe(rank + 1);
});
