import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { bf16, decodeFloats, encodeFloats, f16, f32, f64, raw, readSafetensors, writeSafetensors } from "./tensors.ts";

test("floats become the bits that IEEE 754 says", () => {
  expect([...bf16([4], [1, -0, 256.5, 3.4e38]).data]).toEqual([0x80, 0x3f, 0, 0x80, 0x80, 0x43, 0x80, 0x7f]);
  expect([...f16([4], [1, 65504, 65520, 2 ** -24]).data]).toEqual([0, 0x3c, 0xff, 0x7b, 0, 0x7c, 1, 0]);
  expect(decodeFloats("F16", encodeFloats("F16", [2 ** -25, 3 * 2 ** -25, -2049, NaN]))).toEqual([
    0,
    2 ** -23,
    -2048,
    NaN,
  ]);
});

test("every bit pattern of both half formats survives", () => {
  const all = Uint16Array.from({ length: 65536 }, (_, bits) => bits);
  for (const dtype of ["F16", "BF16"]) {
    const values = decodeFloats(dtype, new Uint8Array(all.buffer));
    const again = new Uint16Array(encodeFloats(dtype, values).buffer);
    expect([...all].filter((bits) => again[bits] !== bits && !Number.isNaN(values[bits]))).toEqual([]);
  }
});

test("a file reads as it was written", () => {
  const directory = mkdtempSync(join(tmpdir(), "theta-"));
  const tensors = { b: f32([2], [1, 2]), a: f64([], [3]), u: raw("U8", [3], [1, 2, 3]) };
  writeSafetensors(join(directory, "deep/model.safetensors"), tensors);
  const read = readSafetensors(join(directory, "deep/model.safetensors"));
  expect([...read.keys()]).toEqual(["b", "a", "u"]);
  expect(decodeFloats("F64", read.get("a")!.data)).toEqual([3]);
  rmSync(directory, { recursive: true });
});
