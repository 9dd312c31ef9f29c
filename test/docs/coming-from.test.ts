// The tables of METHODS.md for those who come from mergekit, PEFT and the Breadcrumbs code: they have what those offer, and
// every row is a recipe.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { METHODS } from "../../compiler/methods/method-table.ts";
import { NAMES_ELSEWHERE } from "../../compiler/methods/names-elsewhere.ts";
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

// Its other types merge the factors of adapters apart.
const PEFT = ["cat", "dare_linear_svd", "dare_ties_svd", "magnitude_prune_svd", "svd", "ties_svd"];
const BREADCRUMBS = [
  ...["TaskVector", "TaskVectorMiddleKeep", "TaskVectorRandomMask", "TaskVectorTopKKeep", "TaskVectorTopKZero"],
  "TiesMerge",
];

interface Row {
  readonly using: string;
  readonly mask: string;
}

/** The rows `| name | merge | mask | … |` of the first table of the section. */
function rows(source: string): ReadonlyMap<string, Row> {
  const text = readFileSync(join(import.meta.dirname, "../../METHODS.md"), "utf8");
  const section = text.slice(text.indexOf(`\n## Coming from ${source}\n`) + 1);
  const found = new Map<string, Row>();
  for (const line of section.slice(0, section.search(/\n##/)).split("\n")) {
    const [, name, using, mask] = /^\| `(\w+)` *\| `([^|]*using [^`]+)` *\| (?:`([^`]+)`)? *\|/.exec(line) ?? [];
    if (name !== undefined && using !== undefined) found.set(name, { using, mask: mask ?? "" });
  }
  return found;
}

const MODEL = { tensors: TENSORS };
const CHAT = { modules: { "model.layers.1.self_attn.q_proj": [8, 8] } } as const;

describe.each([
  ["mergekit", MERGEKIT, "model"],
  ["PEFT", PEFT, "adapter"],
  ["the Breadcrumbs code", BREADCRUMBS, "model"],
] as const)("coming from %s", (source, names, kind) => {
  const found = rows(source);

  test("the table has what it offers, each once", () => {
    expect([...found.keys()].sort()).toEqual(names);
  });

  test.each([...found])("the row of %s is a recipe", (_, { using, mask }) => {
    const method = METHODS.get(/using (\w+)/.exec(using)![1]!)!;
    const entries = ["maths", "code", "chat"].slice(0, method.inputs?.max ?? 3);
    const declared = entries.map((name) => `${kind} ${name} = "${name}"${kind === "adapter" ? " on llama" : ""}`);
    const text = `theta 1
base  llama = "llama"
${declared.join("\n")}
merge m ${using} {
  ${mask === "" ? "" : `each mask ${mask}\n  `}${entries.join("\n  ")}
}
output "out" = m
`;
    const others = { maths: MODEL, code: MODEL, chat: MODEL };
    const { diagnostics } = compileText(text, {
      models: { llama: MODEL, ...(kind === "model" && others) },
      adapters: kind === "adapter" ? { maths: CHAT, code: CHAT, chat: CHAT } : {},
    });
    const errors = diagnostics.filter(({ severity }) => severity === "error");
    expect(
      errors.filter(({ code }) => code !== "not-served"),
      diagnosticText(errors),
    ).toEqual([]);
  });
});

test("the help for a name of mergekit is its row of the table", () => {
  for (const [name, { using, mask }] of rows("mergekit")) {
    const help = NAMES_ELSEWHERE.get(name);
    if (help === undefined || name === "passthrough") continue;
    const method = /using (\w+)/.exec(using)![1]!;
    const isPlain = /\((?:scale: 1|r: 0\.1, alpha: 0\.2)\)$/.test(using);
    expect(help, name).toContain(isPlain ? `using ${method}` : /using .*/.exec(using)![0]);
    expect(help, name).toContain(mask);
  }
});

test("what mergekit calls otherwise has a help that names what is here", () => {
  const lacking = MERGEKIT.filter((name) => !METHODS.has(name));
  expect(lacking.filter((name) => !NAMES_ELSEWHERE.has(name))).toEqual([]);
  for (const [name, help] of NAMES_ELSEWHERE) {
    expect(METHODS.has(name), name).toBe(false);
    const named = help.match(/\w+/g)!.filter((word) => METHODS.has(word));
    expect(named, name).not.toEqual([]);
  }
});
