// What README.md shows is what theta prints: the commands of its `text` blocks are run in order on a copy of the example.

import { mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { copyExample } from "../e2e/example-copy.ts";
import { FAILURES } from "../../runtime/failure.ts";
import { theta } from "../e2e/theta-process.ts";

interface Shown {
  readonly command: string;
  readonly output: string;
}

const readme = readFileSync(new URL("../../README.md", import.meta.url), "utf8");
const blocks = [...readme.matchAll(/^```text\n([^]*?)^```$/gm)].map(([, text]) => text!);
const shown = blocks.flatMap((text) =>
  text.split(/^\$ /m).flatMap((part): Shown[] => {
    const end = part.indexOf("\n");
    return part === "" ? [] : [{ command: part.slice(0, end), output: part.slice(end + 1).trimEnd() }];
  }),
);

// The example lies where it does in a checkout.
const copy = copyExample("tiny-llama");
const checkout = dirname(copy);
mkdirSync(join(checkout, "examples"));
renameSync(copy, join(checkout, "examples", "tiny-llama"));
afterAll(() => rmSync(checkout, { recursive: true, force: true }));

/** Seconds and times differ from run to run, and buffers with the number of threads. */
function comparable(text: string): string {
  const timeless = text.replace(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC/g, "… UTC");
  return timeless.replace(/in \d+\.\d+ s/, "in … s").replace(/at most [\d.]+ MiB/, "at most … MiB");
}

test("commands are found", () => {
  expect(shown.length).toBeGreaterThanOrEqual(4);
});

test.each(shown)("$command", ({ command, output }) => {
  const [npx, program, ...args] = command.split(" ");
  expect([npx, program]).toEqual(["npx", "theta"]);
  const { stdout, stderr } = theta(checkout, args);
  expect(comparable((stdout + stderr).trimEnd())).toBe(comparable(output));
});

test("the table of failures is the one in the code", () => {
  const byExit = new Map<number, string[]>();
  for (const [code, exits] of Object.entries(FAILURES)) {
    for (const exit of exits) byExit.set(exit, [...(byExit.get(exit) ?? []), code]);
  }
  const rows = [...byExit].map(
    ([exit, codes]) =>
      [
        exit,
        codes
          .sort()
          .map((code) => `\`${code}\``)
          .join(", "),
      ] as const,
  );
  const [table = ""] = /\| exit code \| failures \|\n[^]*?\n\n/.exec(readme) ?? [];
  const told = [...table.matchAll(/^\| (\d+) +\| (.*?) *\|$/gm)].map(([, exit, codes]) => [Number(exit), codes!]);
  expect(told).toEqual(rows.sort(([a], [b]) => a - b));
});
