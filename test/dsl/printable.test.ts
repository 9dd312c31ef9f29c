// What comes out of files never reaches a terminal as it is.

import { expect, test } from "vitest";
import { printable, printableJson } from "../../dsl/printable.ts";

const HOSTILE = "a\u001b[31m\u007f\u009b31m\u00ad\u200b\u202e\u2028\u2066\ufeff\u{e0041}\ud800b\n";

test("text shows what it holds", () => {
  expect(printable(HOSTILE)).toBe(String.raw`a\x1b[31m\x7f\x9b31m\xad\u200b\u202e\u2028\u2066\ufeff\u{e0041}\ud800b\n`);
  expect(printable('é 𝒳 "中" \u0301')).toBe('é 𝒳 "中" \u0301');
});

test("JSON says the same with everything seen", () => {
  for (const json of [JSON.stringify({ [HOSTILE]: HOSTILE }), JSON.stringify([HOSTILE], null, 2)]) {
    const shown = printableJson(json);
    expect(JSON.parse(shown)).toEqual(JSON.parse(json));
    expect(printable(shown.replaceAll("\n", ""))).toBe(shown.replaceAll("\n", ""));
  }
});
