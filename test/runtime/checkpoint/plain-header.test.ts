// A header that is read in the short way must be one that the strict reader reads alike.

import * as fc from "fast-check";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { readPlainHeader } from "../../../runtime/checkpoint/plain-header.ts";
import { readSafetensorsHeader } from "../../../runtime/checkpoint/safetensors-header.ts";

const MOST = 64;
const F32 = (begin: number): string => `{"dtype":"F32","shape":[1],"data_offsets":[${begin},${begin + 4}]}`;

const space = mkdtempSync(join(tmpdir(), "theta-plain-"));
afterAll(() => rmSync(space, { recursive: true }));

test("reads what writers write", () => {
  const metadata = '"__metadata__":{"format":"pt"}';
  const tensors = `"b":${F32(0)},"a":{"data_offsets":[4,4],"shape":[],"dtype":"odd"},"__proto__":${F32(4)},"ü":${F32(8)}`;
  for (const text of [`{${metadata},${tensors}}`, `{${tensors},${metadata}}   `]) {
    expect(readPlainHeader(text, MOST)).toEqual([
      { name: "b", dtype: "F32", shape: [1], begin: 0, end: 4 },
      { name: "a", dtype: "odd", shape: [], begin: 4, end: 4 },
      { name: "__proto__", dtype: "F32", shape: [1], begin: 4, end: 8 },
      { name: "ü", dtype: "F32", shape: [1], begin: 8, end: 12 },
    ]);
  }
  expect(readPlainHeader("{}", MOST)).toEqual([]);
});

const entry = (fields: string): string => `{"a":{${fields}}}`;

describe("leaves to the strict reader", () => {
  const texts: readonly (readonly [string, string])[] = [
    ["a name twice", `{"a":${F32(0)},"a":${F32(0)}}`],
    ["a field twice", entry('"dtype":"F32","dtype":"F32","shape":[1],"data_offsets":[0,4]')],
    ["metadata twice", `{"__metadata__":{},"__metadata__":{}}`],
    ["metadata that is no text", `{"__metadata__":{"a":1}}`],
    ["metadata that is no object", `{"__metadata__":[]}`],
    ["white space", `{ "a":${F32(0)}}`],
    ["an end of the line", `{"a":${F32(0)}}\n`],
    ["a blank that is none of JSON's", `{"a":${F32(0)}}\u00a0`],
    ["a mark of the byte order", `\ufeff{"a":${F32(0)}}`],
    ["escapes", `{"\\u0061":${F32(0)}}`],
    ["half of a surrogate pair", `{"\\ud800":${F32(0)}}`],
    ["numbers for names, out of order", `{"2":${F32(0)},"1":${F32(4)}}`],
    ["another field", entry('"dtype":"F32","shape":[1],"data_offsets":[0,4],"more":1')],
    ["the field __proto__", entry('"dtype":"F32","shape":[1],"data_offsets":[0,4],"__proto__":1')],
    ["fields that are inherited", entry('"__proto__":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}')],
    ["a missing field", entry('"dtype":"F32","shape":[1]')],
    ["a dtype that is no text", entry('"dtype":4,"shape":[1],"data_offsets":[0,4]')],
    ["a shape that is an object", entry('"dtype":"F32","shape":{"0":1},"data_offsets":[0,4]')],
    ["three offsets", entry('"dtype":"F32","shape":[1],"data_offsets":[0,4,8]')],
    ["too many dimensions", entry(`"dtype":"F32","shape":[${Array(65).fill(1).join()}],"data_offsets":[0,4]`)],
    ...["-1", "-0", "1.0", "1.5", "1e0", "01", "9007199254740993", "9007199254740992", "null", '"1"', "[1]"].map(
      (number) => [number, entry(`"dtype":"F32","shape":[${number}],"data_offsets":[0,4]`)] as const,
    ),
    ["no object", "[]"],
    ["null", "null"],
    ["nothing", ""],
    ["blanks alone", "    "],
    ["what goes on behind the end", `{"a":${F32(0)}}{}`],
    ["what is deep", "[".repeat(3_000_000)],
    ["what is deep in objects", '{"a":'.repeat(500_000) + "1" + "}".repeat(500_000)],
    ["what is long", `{"a":${F32(0)}}${" ".repeat(1 << 22)}`],
  ];
  test.each(texts)("%s", (_, text) => {
    expect(readPlainHeader(text, MOST)).toBeUndefined();
  });
});

test("whatever is changed in a header, both readers agree", () => {
  const path = join(space, "model.safetensors");
  const outcome = (text: string): unknown => {
    const header = Buffer.from(text);
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(header.length));
    writeFileSync(path, Buffer.concat([length, header, Buffer.alloc(12)]));
    try {
      const { tensors } = readSafetensorsHeader({ path, display: "file" }, new Map());
      return [...tensors.values()].map((tensor) => ({ ...tensor, offset: tensor.offset - 8 - header.length }));
    } catch (error) {
      return (error as Error).message.replace(/character \d+/g, "");
    }
  };
  const good = `{"__metadata__":{"format":"pt"},"a":${F32(0)},"b":${F32(4)},"c":${F32(8)}}`;
  expect(outcome(good)).toHaveLength(3);
  const pieces = fc.constantFrom(
    ...'{}[]":, \\0129-eE.ab'.split(""),
    '"a":',
    `"a":${F32(0)},`,
    "[[",
    "null",
    "__proto__",
  );
  fc.assert(
    fc.property(fc.nat(good.length), fc.nat(3), pieces, (at, removed, piece) => {
      const changed = good.slice(0, at) + piece + good.slice(at + removed);
      // A blank before it keeps it from being plain, and changes nothing else.
      expect(outcome(changed)).toEqual(outcome(` ${changed}`));
    }),
    { numRuns: 300 },
  );
});
