// The table of METHODS.md for those who come from mergekit: it has all twenty methods, and every row is a recipe.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { METHODS } from "../../compiler/methods/method-table.ts";
import { compileText, diagnosticText, TENSORS } from "../support/compile-text.ts";

const MERGEKIT = [
  ...[
    "arcee_fusion",
    "breadcrumbs",
    "breadcrumbs_ties",
    "dare_linear",
    "dare_ties",
    "della",
    "della_linear",
    "karcher",
  ],
  ...["linear", "model_stock", "multislerp", "nearswap", "nuslerp", "passthrough", "ram", "ramplus_tl", "sce", "slerp"],
  ...["task_arithmetic", "ties"],
];

/** The rows `| name | merge | mask | … |` of the first table of the section. */
function rows(): ReadonlyMap<string, { readonly using: string; readonly mask: string }> {
  const text = readFileSync(join(import.meta.dirname, "../../METHODS.md"), "utf8");
  const section = text.slice(text.indexOf("\n## Coming from mergekit\n"));
  const found = new Map<string, { readonly using: string; readonly mask: string }>();
  for (const line of section.slice(0, section.indexOf("\n###")).split("\n")) {
    const [, name, using, mask] = /^\| `(\w+)` *\| `([^|]*using [^`]+)` *\| (?:`([^`]+)`)? *\|/.exec(line) ?? [];
    if (name !== undefined && using !== undefined) found.set(name, { using, mask: mask ?? "" });
  }
  return found;
}

test("the table has mergekit's methods, each once", () => {
  expect([...rows().keys()].sort()).toEqual(MERGEKIT);
});

const MODEL = { tensors: TENSORS };

test.each([...rows()])("the row of %s is a recipe", (_, { using, mask }) => {
  const method = METHODS.get(/using (\w+)/.exec(using)![1]!)!;
  const entries = ["maths", "code", "chat"].slice(0, method.inputs?.max ?? 3);
  const text = `theta 1
base  llama = "llama"
${entries.map((name) => `model ${name} = "${name}"`).join("\n")}
merge m ${using} {
  ${mask === "" ? "" : `each mask ${mask}\n  `}${entries.join("\n  ")}
}
output "out" = m
`;
  const { diagnostics } = compileText(text, {
    models: { llama: MODEL, maths: MODEL, code: MODEL, chat: MODEL },
  });
  const errors = diagnostics.filter(({ severity }) => severity === "error");
  expect(
    errors.filter(({ code }) => code !== "not-served"),
    diagnosticText(errors),
  ).toEqual([]);
});
