import {
  mkdtempSync,
  openSync,
  rmSync,
  closeSync,
  ftruncateSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { TensorInfo } from "../../../compiler/checkpoint.ts";
import { orProblem } from "../../../runtime/checkpoint/problem.ts";
import { readSafetensorsHeader } from "../../../runtime/checkpoint/safetensors-header.ts";
import { type OpenedFiles } from "../../../runtime/checkpoint/source-file.ts";
import { f32, raw, safetensorsBytes, safetensorsBytesOf } from "../../support/tensors.ts";

let space: string;
beforeAll(() => void (space = mkdtempSync(join(tmpdir(), "theta-header-"))));
afterAll(() => rmSync(space, { recursive: true }));

function read(path: string, opened: OpenedFiles = new Map()): ReadonlyMap<string, TensorInfo> {
  return readSafetensorsHeader({ path, display: "file" }, opened).tensors;
}

function readBytes(bytes: Uint8Array): ReadonlyMap<string, TensorInfo> {
  const path = join(space, "model.safetensors");
  writeFileSync(path, bytes);
  return read(path);
}

test("reads a file of the official writer with every dtype that it has", () => {
  const tensors = read(join(import.meta.dirname, "official-dtypes.safetensors"));
  const listed = [...tensors.values()].map(
    ({ name, dtype, shape, bytes }) => `${name} ${dtype} [${shape.join()}] ${bytes}`,
  );
  expect(listed).toMatchInlineSnapshot(`
    [
      "bf BF16 [3] 6",
      "bool BOOL [1] 1",
      "c64 C64 [1] 8",
      "e8 F8_E8M0 [1] 1",
      "f16 F16 [1] 2",
      "f32 F32 [1] 4",
      "f4 F4 [1,4] 2",
      "f64 F64 [1] 8",
      "f8 F8_E4M3 [3] 3",
      "f8b F8_E5M2 [1] 1",
      "fnuz F8_E4M3FNUZ [1] 1",
      "fnuz5 F8_E5M2FNUZ [1] 1",
      "i16 I16 [1] 2",
      "i32 I32 [1] 4",
      "i64 I64 [1] 8",
      "i8 I8 [1] 1",
      "u16 U16 [1] 2",
      "u32 U32 [1] 4",
      "u64 U64 [1] 8",
      "u8 U8 [1] 1",
    ]
  `);
});

test("reads odd names of the official writer, sorted by bytes", () => {
  const tensors = read(join(import.meta.dirname, "official-names.safetensors"));
  expect([...tensors.keys()]).toEqual([
    'B.up\u00e9 "q"\\\n\u0001',
    "a.weight",
    "b",
    "empty",
    "mask",
    "z.weight",
    "\ufffd",
    "\u{1f600}",
  ]);
  expect(tensors.get("b")).toMatchObject({ shape: [], bytes: 8, dtype: "I64" });
  expect(tensors.get("empty")).toMatchObject({ shape: [0, 5], bytes: 0 });
});

test("offsets count from the start of the file", () => {
  const bytes = safetensorsBytes({ b: raw("U8", [3], [1, 2, 3]), a: f32([1], [5]) });
  const tensors = readBytes(bytes);
  const { offset, bytes: size } = tensors.get("b")!;
  expect([...bytes.subarray(offset, offset + size)]).toEqual([1, 2, 3]);
  expect(tensors.get("a")!.offset).toBe(bytes.length - 4);
});

test("takes white space around the header, names of every kind and empty tensors in any place", () => {
  const empty = '{"dtype":"F4","shape":[7,0],"data_offsets":[4,4]}';
  const header = ` \n\t{ "__proto__" : {"dtype":"F32","shape":[],"data_offsets":[0,4]}, "" : ${empty}, "e": ${empty} }  \r\n`;
  expect([...readBytes(safetensorsBytesOf(header, new Uint8Array(4))).keys()]).toEqual(["", "__proto__", "e"]);
  expect(readBytes(safetensorsBytesOf("{}")).size).toBe(0);
});

test("reads no payload, however large it is", () => {
  const path = join(space, "large.safetensors");
  const size = 2 ** 40;
  const file = openSync(path, "w");
  const header = safetensorsBytesOf(`{"a":{"dtype":"U8","shape":[${size}],"data_offsets":[0,${size}]}}`);
  writeSync(file, header);
  ftruncateSync(file, header.length + size);
  closeSync(file);
  expect(read(path).get("a")!.bytes).toBe(size);
});

test("remembers what it opened, links followed", () => {
  writeFileSync(join(space, "blob"), safetensorsBytes({ a: f32([1], [5]) }));
  symlinkSync("blob", join(space, "link.safetensors"));
  const opened: OpenedFiles = new Map();
  read(join(space, "link.safetensors"), opened);
  read(join(space, "blob"), opened);
  const [link, blob] = [...opened.values()];
  expect(link).toEqual(blob);
  expect(typeof link!.inode).toBe("bigint");
});

test("refuses a socket", async () => {
  const path = join(space, "socket");
  const server = createServer();
  await new Promise<void>((done) => server.listen(path, done));
  expect(orProblem(() => read(path))).toMatchObject({ message: "file is a socket; only regular files are read" });
  await new Promise((done) => server.close(done));
});

test("a header of 20 MB takes a second or so, a bomb of that size no longer", () => {
  const count = 170_000;
  const entries = Array.from({ length: count }, (_, at) => {
    return `"model.layers.${at}.mlp.experts.up_proj.weight":{"dtype":"BF16","shape":[1,2],"data_offsets":[${at * 4},${at * 4 + 4}]}`;
  });
  const start = performance.now();
  expect(readBytes(safetensorsBytesOf(`{${entries.join(",")}}`, new Uint8Array(count * 4))).size).toBe(count);
  expect(performance.now() - start).toBeLessThan(20_000);
  for (const bomb of [`{"${"\\n".repeat(10e6)}":1}`, `{"a":{"shape":[${"1,".repeat(10e6)}1]}}`, " ".repeat(20e6)]) {
    const before = performance.now();
    expect(() => readBytes(safetensorsBytesOf(bomb))).toThrow();
    expect(performance.now() - before).toBeLessThan(20_000);
  }
});

test("names that state one place, dtype and shape are tied to the smallest of them", () => {
  const place = '{"dtype":"F32","shape":[2],"data_offsets":[0,8]}';
  const json = Buffer.from(
    `{"lm_head":${place},"embed":${place},"other":{"dtype":"F32","shape":[1],"data_offsets":[8,12]}}`,
  );
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  const path = join(space, "tied.safetensors");
  writeFileSync(path, Buffer.concat([length, json, Buffer.alloc(12)]));
  const { tensors, tied } = readSafetensorsHeader({ path, display: "file" }, new Map());
  expect([...tensors.keys()]).toEqual(["embed", "other"]);
  expect([...tied]).toEqual([["lm_head", "embed"]]);
});
