import * as fc from "fast-check";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readSafetensorsHeader } from "../../../runtime/checkpoint/safetensors-header.ts";
import { layoutFile } from "../../../runtime/checkpoint/safetensors-writer.ts";

/** Written by the official Rust writer, version 0.8.0, through its Python package. */
const OFFICIAL = ["official-names.safetensors", "official-dtypes.safetensors"];

test.for(OFFICIAL)("%s: the same tensors give the same bytes", (name) => {
  const path = join(import.meta.dirname, name);
  const official = readFileSync(path);
  const tensors = [...readSafetensorsHeader({ path, display: name }, new Map()).tensors.values()];
  const { header, size } = layoutFile(tensors.reverse());
  expect(Buffer.from(header).toString("latin1")).toBe(official.toString("latin1", 0, header.length));
  expect(size).toBe(official.length);
});

test("what is written reads back at the offsets that were promised", () => {
  const directory = mkdtempSync(join(tmpdir(), "theta-writer-"));
  const path = join(directory, "model.safetensors");
  const tensor = fc.record({
    name: fc.string({ unit: "binary" }).filter((name) => name !== "__metadata__"),
    dtype: fc.constantFrom("F64", "F32", "BF16", "F16", "I64", "U8", "BOOL", "F8_E4M3"),
    shape: fc.array(fc.nat(5), { maxLength: 3 }),
  });
  fc.assert(
    fc.property(fc.uniqueArray(tensor, { selector: ({ name }) => name, maxLength: 12 }), (tensors) => {
      const { header, tensors: placed, size } = layoutFile(tensors);
      expect(header.length % 8).toBe(0);
      writeFileSync(path, Buffer.concat([header, Buffer.alloc(size - header.length)]));
      const { tensors: read } = readSafetensorsHeader({ path, display: "file" }, new Map());
      expect(
        [...read.values()].map(({ name, dtype, shape, offset, bytes }) => ({ name, dtype, shape, offset, bytes })),
      ).toEqual([...placed].sort((a, b) => Buffer.compare(Buffer.from(a.name), Buffer.from(b.name))));
    }),
  );
  rmSync(directory, { recursive: true });
});

test("the payloads of a file with a tensor of 1 MiB begin with a page, those of whole pages first", () => {
  const norm = { name: "norm", dtype: "BF16" as const, shape: [2048] };
  const half = { name: "a.norm", dtype: "BF16" as const, shape: [3072] };
  const wide = { name: "a.scale", dtype: "F32" as const, shape: [3] };
  const large = { name: "weight", dtype: "BF16" as const, shape: [512, 1024] };
  const { header, tensors, size } = layoutFile([half, norm, wide, large]);
  expect(header.length).toBe(4096);
  expect(Buffer.from(header).readBigUInt64LE()).toBe(4088n);
  const behind = 8192 + (1 << 20);
  expect(tensors.map(({ name, offset }) => [name, offset])).toEqual([
    ["norm", 4096],
    ["weight", 8192],
    ["a.scale", behind],
    ["a.norm", behind + 12],
  ]);
  expect(size).toBe(behind + 12 + 6144);
  const json = Buffer.from(header).toString("latin1", 8);
  expect(json).toMatch(/^\{"__metadata__":.*\} +$/);
  const short = { ...large, shape: [512, 1023] };
  const few = layoutFile([half, norm, wide, short]);
  expect(few.header.length).toBeLessThan(4096);
  expect(few.header.length % 8).toBe(0);
  expect(few.tensors.map(({ name }) => name)).toEqual(["a.scale", "a.norm", "norm", "weight"]);
});

test("a header that fills its last page is not padded by another", () => {
  const large = (name: string) => layoutFile([{ name, dtype: "U8", shape: [1 << 20] }]).header.length;
  const one = JSON.stringify({
    __metadata__: { format: "pt" },
    "": { dtype: "U8", shape: [1 << 20], data_offsets: [0, 1 << 20] },
  }).length;
  expect(large("n".repeat(4096 - 8 - one))).toBe(4096);
  expect(large("n".repeat(4096 - 8 - one + 1))).toBe(8192);
});

test("without metadata there is no __metadata__", () => {
  expect(Buffer.from(layoutFile([], {}).header).toString("latin1")).toBe("\b\0\0\0\0\0\0\0{}      ");
});
