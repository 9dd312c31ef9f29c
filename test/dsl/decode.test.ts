// Bytes to text, and what is no text.

import { expect, test } from "vitest";
import { decodeSource } from "../../dsl/decode.ts";
import { parse } from "../../dsl/parse.ts";
import { renderDiagnostic } from "../../dsl/render-diagnostic.ts";

function decode(...parts: (string | readonly number[])[]): ReturnType<typeof decodeSource> {
  const bytes = Buffer.concat(parts.map((part) => (typeof part === "string" ? Buffer.from(part) : Buffer.from(part))));
  return decodeSource(bytes, "merge.theta", "/project");
}

test("UTF-8, with and without a byte order mark", () => {
  expect(decode('theta 1\nmodel a = "π"').source?.text).toBe('theta 1\nmodel a = "π"');
  const { source } = decode([0xef, 0xbb, 0xbf], "theta 1\n");
  expect(parse(source!).diagnostics).toEqual([]);
});

test("the place of the first bad byte", () => {
  const { source, diagnostics } = decode("theta 1\r\nmodel é = ", [0xe9, 0x22], '"x"\n', [0xff]);
  expect(source).toBeUndefined();
  expect(`\n${diagnostics.map((one) => renderDiagnostic(one)).join("\n")}\n`).toBe(`
merge.theta:2:11: error[not-utf8]: this file is not UTF-8: byte 20 is 0xe9
    2 | model é = \ufffd""x"
      |           ^
   help: save the recipe as UTF-8
`);
});

test.each([
  ["a lone continuation byte", [0x80]],
  ["an overlong slash", [0xc0, 0xaf]],
  ["a surrogate", [0xed, 0xa0, 0x80]],
  ["a truncated sequence", [0xe2, 0x82]],
  ["above U+10FFFF", [0xf4, 0x90, 0x80, 0x80]],
])("%s is refused", (_, bytes) => {
  const { source, diagnostics } = decode("ab", bytes);
  expect(source).toBeUndefined();
  expect(diagnostics.map(({ message }) => message)).toEqual([
    `this file is not UTF-8: byte 2 is 0x${bytes[0]!.toString(16)}`,
  ]);
});

test("UTF-16 is recognized", () => {
  expect(decode([0xff, 0xfe, 0x74, 0x00]).diagnostics[0]?.help).toContain("UTF-16");
});

test("a binary file is called one, without a frame of its bytes", () => {
  const { source, diagnostics } = decode([0x7f, 0x45, 0x4c, 0x46, 0, 0, 0x80, 0xff]);
  expect(source).toBeUndefined();
  expect(diagnostics.map((one) => renderDiagnostic(one))).toEqual([
    "merge.theta: error[not-utf8]: this is a binary file, not a recipe",
  ]);
});
