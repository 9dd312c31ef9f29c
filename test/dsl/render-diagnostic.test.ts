// How diagnostics look, as text and as JSON.

import { expect, test } from "vitest";
import type { Diagnostic } from "../../dsl/diagnostic.ts";
import { ANSI_PALETTE } from "../../dsl/palette.ts";
import { diagnosticToJson, renderDiagnostic } from "../../dsl/render-diagnostic.ts";
import type { Source } from "../../dsl/source.ts";
import { sourceOf } from "./read-cases.ts";

const text = `theta 1
base llama = "models/llama-3.2-1b"
mask crumbs = breadcrumbs(density: 1.4, drop_top: 0.006)
`;

function spanOf(source: Source, part: string): NonNullable<Diagnostic["span"]> {
  const start = source.text.indexOf(part);
  return { source, start, end: start + part.length };
}

function at(source: Source, part: string): Diagnostic {
  return { code: "unused", severity: "error", message: "something is wrong", span: spanOf(source, part) };
}

test("everything a diagnostic may have", () => {
  const source = sourceOf(text);
  const diagnostic: Diagnostic = {
    code: "density-range",
    severity: "error",
    message: "density must be above 0 and at most 1, not 1.4",
    span: spanOf(source, "1.4"),
    facts: ["llama   [8192, 2048] bf16", "maths   [8192, 2304] bf16"],
    notes: [
      { message: "density is the share of each task vector that survives the mask" },
      { message: "declared here", span: spanOf(source, "llama") },
    ],
    help: "write 0.14",
    edit: { span: spanOf(source, "1.4"), text: "0.14" },
  };
  expect(`\n${renderDiagnostic(diagnostic)}\n`).toBe(`
merge.theta:3:36: error[density-range]: density must be above 0 and at most 1, not 1.4
    3 | mask crumbs = breadcrumbs(density: 1.4, drop_top: 0.006)
      |                                    ^^^
   llama   [8192, 2048] bf16
   maths   [8192, 2304] bf16
   note: density is the share of each task vector that survives the mask
   note: merge.theta:2:6: declared here
    2 | base llama = "models/llama-3.2-1b"
      |      ^^^^^
   help: write 0.14
`);
  expect(diagnosticToJson(diagnostic)).toEqual({
    code: "density-range",
    severity: "error",
    message: "density must be above 0 and at most 1, not 1.4",
    path: "merge.theta",
    span: { path: "merge.theta", start: { line: 3, column: 36 }, end: { line: 3, column: 39 } },
    facts: ["llama   [8192, 2048] bf16", "maths   [8192, 2304] bf16"],
    notes: [
      { message: "density is the share of each task vector that survives the mask" },
      {
        message: "declared here",
        span: { path: "merge.theta", start: { line: 2, column: 6 }, end: { line: 2, column: 11 } },
      },
    ],
    help: "write 0.14",
    edit: {
      span: { path: "merge.theta", start: { line: 3, column: 36 }, end: { line: 3, column: 39 } },
      text: "0.14",
    },
  });
});

test("without a span, and without a recipe", () => {
  const bare: Diagnostic = { code: "cycle", severity: "warning", message: "m" };
  expect(renderDiagnostic(bare)).toBe("warning[cycle]: m");
  expect(renderDiagnostic({ ...bare, source: sourceOf("") })).toBe("merge.theta: warning[cycle]: m");
});

test("tabs, wide characters, combining marks and a byte order mark", () => {
  expect(renderDiagnostic(at(sourceOf("\tX"), "X"))).toMatch(/:1:2: .*\n {4}1 \| {3}X\n {6}\| {3}\^$/);
  expect(renderDiagnostic(at(sourceOf('"模型" X'), "X"))).toMatch(/:1:6: .*\n.*\n {6}\| {8}\^$/);
  expect(renderDiagnostic(at(sourceOf("e\u0301 X"), "X"))).toMatch(/:1:4: .*\n.*\n {6}\| {3}\^$/);
  expect(renderDiagnostic(at(sourceOf("𝒳 X"), "X"))).toMatch(/:1:3: /);
  expect(renderDiagnostic(at(sourceOf("\ufeffX"), "X"))).toMatch(/:1:1: .*\n {4}1 \| X\n {6}\| \^$/);
});

test("control characters show what they are, in the line, the message and the path", () => {
  const source = { ...sourceOf('"\u001b[31m\u202e" X'), path: "a\nb.theta" };
  const rendered = renderDiagnostic({ ...at(source, "X"), message: "no \u0007 bell" });
  expect(rendered).toBe(
    [
      "a\\nb.theta:1:10: error[unused]: no \\x07 bell",
      '    1 | "\\x1b[31m\\u202e" X',
      "      |                  ^",
    ].join("\n"),
  );
});

test("long lines are trimmed around the place, long spans to the line", () => {
  const source = sourceOf(`${"a".repeat(5000)}X${"b".repeat(5000)}`);
  const [head, code, carets] = renderDiagnostic(at(source, "X")).split("\n");
  expect(head).toContain(":1:5001:");
  expect(code).toBe(`    1 | …${"a".repeat(40)}X${"b".repeat(69)}…`);
  expect(carets).toBe(`      | ${" ".repeat(41)}^`);

  const block = at(sourceOf("merge x {\r\n  a\r\n}"), "merge x {\r\n  a\r\n}");
  expect(renderDiagnostic(block).split("\n").slice(1)).toEqual(["    1 | merge x {", "      | ^^^^^^^^^"]);
});

test("the end of a line and of a file get one caret", () => {
  const source = sourceOf("ab\ncd");
  const end = { code: "cycle", severity: "error", message: "m" } as const;
  expect(renderDiagnostic({ ...end, span: { source, start: 2, end: 2 } })).toMatch(
    /:1:3: .*\n {4}1 \| ab\n {6}\| {3}\^$/,
  );
  expect(renderDiagnostic({ ...end, span: { source, start: 5, end: 5 } })).toMatch(
    /:2:3: .*\n {4}2 \| cd\n {6}\| {3}\^$/,
  );
});

test("colours are only around the parts", () => {
  const plain = renderDiagnostic(at(sourceOf(text), "1.4"));
  const coloured = renderDiagnostic(at(sourceOf(text), "1.4"), ANSI_PALETTE);
  expect(coloured).not.toBe(plain);
  expect(coloured.replaceAll(/\u001b\[\d+m/g, "")).toBe(plain);
});

test("what quotes a very long name is cut off, between characters", () => {
  const said = `${"a".repeat(998)}😀${"b".repeat(1_000_000)}`;
  const diagnostic = {
    code: "cycle",
    severity: "error",
    message: said,
    help: said,
    notes: [{ message: said }],
  } as const;
  const cut = `${"a".repeat(998)}…`;
  expect(renderDiagnostic(diagnostic)).toBe(`error[cycle]: ${cut}\n   note: ${cut}\n   help: ${cut}`);
  expect(diagnosticToJson(diagnostic)).toMatchObject({ message: cut, help: cut, notes: [{ message: cut }] });
});
