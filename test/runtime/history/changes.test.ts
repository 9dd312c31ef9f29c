// Two actions of one tensor, compared in the recipe's words.

import { expect, test } from "vitest";
import { changesBetween, type Change } from "../../../runtime/history/changes.ts";
import { describeAction } from "../../../runtime/history/described-action.ts";
import { actionsOf } from "../../support/compile-text.ts";
import type { MemorySources } from "../../support/memory-host.ts";

const TENSORS = { w: "F32 [4, 8]" };
const SOURCES: MemorySources = {
  models: {
    llama: { tensors: TENSORS },
    maths: { tensors: TENSORS },
    code: { tensors: TENSORS },
    chat: { tensors: TENSORS },
  },
};

/** What changes in `w` from one recipe to the other; payloads have one digest a model. */
function changes(before: string, now: string, moved: Readonly<Record<string, string>> = {}): readonly string[] {
  const describe = (text: string, digests: Readonly<Record<string, string>>) => {
    const recipe = `theta 1
base llama = "llama"
model maths = "maths"
model code = "code"
model chat = "chat"
${text}
output "out" = it
`;
    const action = actionsOf(recipe, SOURCES).get("w")!;
    return describeAction(action, ({ file }) => digests[file.split("/").at(-2)!] ?? `of ${file}`);
  };
  return changesBetween(describe(before, {}), describe(now, moved)).map(words);
}

function words(change: Change): string {
  switch (change.kind) {
    case "input":
    case "input-added":
    case "input-removed":
      return `${change.kind} ${change.role}`;
    case "order":
      return `order ${change.to.join(" ")}`;
    case "operations":
      return `operations -${change.removed.join(",")} +${change.added.join(",")}`;
    case "revision":
      return `revision ${change.operation}`;
    case "dtype":
      return `dtype ${change.from} ${change.to}`;
    case "parameter":
      return `${change.name}: ${JSON.stringify(change.from)} ${JSON.stringify(change.to)}`;
  }
}

const merge = (terms: string, strategy = "ties"): string => `merge it onto llama using ${strategy} {\n ${terms}\n}`;
const TWO = "maths weight 0.6\n code weight 0.4";

test.each<readonly [what: string, before: string, now: string, expected: readonly string[]]>([
  ["nothing", merge(TWO), merge(TWO), []],
  ["a weight", merge(TWO), merge("maths weight 0.6\n code weight 0.5"), ["weight of code: 0.4 0.5"]],
  [
    "a parameter of the strategy, and of a mask",
    merge("each mask magnitude(density: 0.2)\n maths"),
    merge("each mask magnitude(density: 0.3)\n maths", "ties(scale: 2)"),
    ["density of magnitude of maths: 0.2 0.3", "scale of ties: 1 2"],
  ],
  [
    "terms that change places keep their weights",
    merge(TWO),
    merge("code weight 0.4\n maths weight 0.6"),
    ["order llama code maths"],
  ],
  ["a term more", merge(TWO), merge(`${TWO}\n chat`), ["input-added chat"]],
  ["a term less, another weight", merge(TWO), merge("maths"), ["input-removed code", "weight of maths: 0.6 1"]],
  ["another strategy", merge(TWO), merge(TWO, "sum"), ["operations -ties +sum"]],
  ["a mask more", merge("maths"), merge("maths mask magnitude(density: 0.5)"), ["operations - +magnitude,select"]],
])("%s", (_, before, now, expected) => {
  expect(changes(before, now)).toEqual(expected);
});

test("a payload, and a weight beside it", () => {
  expect(changes(merge(TWO), merge("maths weight 0.7\n code weight 0.4"), { maths: "sha256:other" })).toEqual([
    "input maths",
    "weight of maths: 0.6 0.7",
  ]);
});
