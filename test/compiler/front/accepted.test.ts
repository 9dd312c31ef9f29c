// What accepted recipes mean: two recipes that mean the same give the same graph, places and declared names aside.

import { describe, expect, test } from "vitest";
import type { RecipeGraph } from "../../../compiler/recipe-graph.ts";
import { analyseText, type Given, rendered, flag, parameterFile } from "./analyse-text.ts";
import { PRELUDE } from "./refused/case.ts";

function graphOf(body: string, given: Given = {}): RecipeGraph {
  const { graph, diagnostics } = analyseText(`${PRELUDE}\n${body}\n`, given);
  expect(rendered(diagnostics.filter(({ severity }) => severity === "error"))).toBe("");
  return graph!;
}

/** The value of the only output, as data without places and without what people call things. */
function meaningOf(body: string, given: Given = {}): unknown {
  const { outputs } = graphOf(`${body}\noutput "out/it" = it`, given);
  return plain(outputs[0]!.value);
}

function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (value instanceof Map) return Object.fromEntries([...value].map(([key, member]) => [key, plain(member)]));
  if (typeof value !== "object" || value === null) return value;
  const members = Object.entries(value).filter(([key]) => !["span", "name", "display", "at"].includes(key));
  return Object.fromEntries(members.map(([key, member]) => [key, plain(member)]));
}

describe("two forms of one meaning", () => {
  test.each([
    [
      "block and expression onto a base",
      `merge it onto llama using sum(scale: 0.5) {\n  maths weight 0.6\n  c\n}`,
      `merge it = llama + sum(maths - llama, c, weight: [0.6, 1], scale: 0.5)`,
    ],
    [
      "block and expression of models",
      `merge it using linear {\n  maths weight 0.5\n  code weight 0.25\n}`,
      `merge it = linear(maths, code, weight: [0.5, 0.25])`,
    ],
    [
      "one weight for all and a list",
      `merge it = llama + sum(m, c, weight: 0.5)`,
      `merge it = llama + sum(m, c, weight: [0.5, 0.5])`,
    ],
    ["an entry's mask and &", `merge it onto llama using sum { maths mask trim }`, `merge it = llama + sum(m & trim)`],
    [
      "clauses in a line and one a line",
      `merge it onto llama using sum { maths weight 2 mask trim }`,
      `merge it onto llama using sum {\n  maths {\n    mask trim\n    weight 2\n  }\n}`,
    ],
    [
      "an entry as it stands and with another layout, comments and spellings where at speaks of it",
      `merge it onto llama using sum {\n  m & match("*a b*": magnitude(density: 0.2, per: row), else: layers(0..4)) weight 2\n  at "*mlp*" {\n    m & match("*a b*": magnitude(density: 0.2, per: row), else: layers(0..4)) weight 1\n  }\n}`,
      `merge it onto llama using sum {\n  m & match("*a b*": magnitude(density: 0.2, per: row), else: layers(0..4)) weight 2\n  at "*mlp*" {\n    (m) & match(  # both\n"*a b*":magnitude(density: (2e-1), # a fifth\n per: row,), else: layers(0..4),) weight 1\n  }\n}`,
    ],
    ["a bare method and a call", `merge it onto llama using sum { m }`, `merge it onto llama using sum() { m }`],
    [
      "a declared strategy and its definition",
      `strategy half = sum(scale: 0.5)\nmerge it onto llama using half { m }`,
      `merge it onto llama using sum(scale: 0.5) { m }`,
    ],
    [
      "a declared strategy called and its definition called",
      `strategy half = sum(scale: 0.5)\nmerge it = llama + half(m, c, weight: [1, 2])`,
      `merge it = llama + sum(m, c, weight: [1, 2], scale: 0.5)`,
    ],
    ["a list and its members", `merge it using linear { runs }`, `merge it = linear(runs)`],
    [
      "each and every entry",
      `merge it onto llama using sum {\n  each weight 0.5\n  m\n  c weight 2\n}`,
      `merge it onto llama using sum {\n  m weight 0.5\n  c weight 2\n}`,
    ],
    [
      "at and match",
      `merge it onto llama using sum {\n  m weight 2\n  at "*mlp*", "*norm*" { m weight 1 }\n  at layers(0..4) { m weight 3 }\n}`,
      `merge it onto llama using sum { m weight match("*mlp*" | "*norm*": 1, layers(0..4): 3, else: 2) }`,
    ],
    [
      "keep and match of models",
      `merge it onto llama using sum {\n  m\n  at "*mlp*" keep llama\n  at "*norm*" keep code\n}`,
      `merge it = match("*mlp*": llama, "*norm*": code, else: llama + sum(m))`,
    ],
    [
      "statements in another order",
      `merge it = linear(x, maths)\nmerge x = llama + m`,
      `merge x = llama + m\nmerge it = linear(x, maths)`,
    ],
    ["a vector and its definition", `merge it = llama - 0.5 * m`, `merge it = llama - 0.5 * (maths - llama)`],
    [
      "a selector and its definition",
      `mask mlp = tensors("*mlp*", "*ffn*") & !layers(0..2)\nmerge it = slerp(maths, code, t: match(mlp: 1, else: 0))`,
      `merge it = slerp(maths, code, t: match(("*mlp*" | "*ffn*") & !layers(0..2): 1, else: 0))`,
    ],
    [
      "a string parameter as a selector and its value",
      `param part: string = "*mlp*"\nmerge it = slerp(maths, code, t: match(part & !"*1*": 1, else: 0))`,
      `merge it = slerp(maths, code, t: match("*mlp*" & !"*1*": 1, else: 0))`,
    ],
    [
      "a parameter and its value",
      `param a: number = 1\nparam b: number = a / 2 + 0.25\nmerge it = slerp(maths, code, t: b)`,
      `merge it = slerp(maths, code, t: 0.75)`,
    ],
    [
      "a varying strategy of models and a choice",
      `merge it using match("*mlp*": linear, else: slerp(t: 0.5)) {\n  maths\n  code\n}`,
      `merge it = match("*mlp*": linear(maths, code), else: slerp(maths, code, t: 0.5))`,
    ],
  ])("%s", (_, one, other) => {
    expect(meaningOf(one)).toEqual(meaningOf(other));
  });

  test("an entry's position is the stream of its mask, members of a list singly", () => {
    const { value } = graphOf(`merge it onto llama using sum {\n  each mask trim\n  runs\n  c\n}\noutput "out/it" = it`)
      .outputs[0]!;
    expect(value).toMatchObject({
      node: { vector: { inputs: [{ stream: 0 }, { stream: 1 }, { stream: 2, vector: { name: "c" } }] } },
    });
  });

  test("a mask stated by at only leaves the other tensors whole", () => {
    const { value } = graphOf(
      `merge it onto llama using sum {\n  m\n  at "*mlp*" { m mask trim }\n}\noutput "out/it" = it`,
    ).outputs[0]!;
    expect(plain(value)).toMatchObject({
      node: {
        vector: {
          inputs: [
            {
              mask: {
                kind: "match",
                arms: [{ value: { value: { method: "magnitude" } } }],
                otherwise: { value: { kind: "selector", selector: { globs: [{ glob: "*" }] } } },
              },
            },
          ],
        },
      },
    });
  });

  test("a name used twice is one node", () => {
    const { outputs } = graphOf(`merge a = llama + m\noutput "out/a" = a\noutput "out/b" = linear(a, a)`);
    const [a, b] = outputs.map(({ value }) => value.node);
    expect(b).toMatchObject({ kind: "model-method" });
    if (b?.kind !== "model-method") return;
    expect(b.inputs[0]).toBe(a);
    expect(b.inputs[1]).toBe(a);
  });
});

describe("parameters", () => {
  const weight = `param w: number(min: 0) = 1\nmerge it = slerp(maths, code, t: w)`;

  test("-p beats the recipe", () => {
    const given: Given = { parameters: flag("w=1 / 4") };
    expect(meaningOf(weight, given)).toEqual(meaningOf(`merge it = slerp(maths, code, t: 0.25)`));
    expect(graphOf(weight, given).parameters).toEqual(new Map([["w", 0.25]]));
  });

  test("-p may use other parameters", () => {
    const given: Given = { parameters: flag("w=v * 2") };
    expect(graphOf(`param v: number = 0.1\n${weight}`, given).parameters.get("w")).toBe(0.2);
  });

  test("values of every kind out of a file", () => {
    const body = `param i: integer\nparam b: boolean\nparam s: string\nparam z: size\nparam y: size\nparam d: dtype\nparam l: list(number)`;
    const values: Record<string, unknown> = { i: 3, b: true, s: "x", z: "5GB", y: 12, d: "bf16", l: [1, 2] };
    expect(Object.fromEntries(graphOf(body, { parameters: parameterFile(values) }).parameters)).toEqual({
      ...values,
      z: 5e9,
    });
  });

  test("a string out of -p is taken verbatim, its path relative to the working directory", () => {
    const body = `param path: string = "models/x"\nmodel x = path\noutput "out/x" = x`;
    const pathOf = (given: Given) => graphOf(body, given).outputs[0]!.value.node;
    expect(pathOf({})).toMatchObject({ path: "/project/models/x", display: "models/x" });
    expect(pathOf({ parameters: flag('path=a "b" \\n') })).toMatchObject({
      path: '/project/a "b" \\n',
    });
    expect(pathOf({ parameters: parameterFile({ path: "y" }) })).toMatchObject({
      path: "/project/p/y",
    });
  });

  test("a list of numbers as weights", () => {
    expect(meaningOf(`param ws: list(number, min: 0) = [0.5, 2]\nmerge it = linear(maths, code, weight: ws)`)).toEqual(
      meaningOf(`merge it = linear(maths, code, weight: [0.5, 2])`),
    );
  });

  test("a dtype and a size in an output", () => {
    const body = `param d: dtype = f16\nparam s: size(max: 1TB) = 2GiB\noutput "out/x" = maths {\n  dtype d\n  shard s\n}`;
    expect(graphOf(body).outputs[0]).toMatchObject({ dtype: { kind: "constant", value: "f16" }, shard: 2 ** 31 });
  });
});

describe("imports", () => {
  const files = {
    "/project/lib/common.theta": `theta 1
param density: number = 0.2
param kind: dtype = f32
base shared = "../models/shared"
mask crumbs = breadcrumbs(density: density, drop_top: 0.01)
model _local = "local"
output "ignored" = shared
expect shared { finite }
`,
  };

  test("values, arguments, and paths relative to the imported file", () => {
    const body = `param d: number = 0.4\nimport "lib/common.theta" as lib(density: d / 2, kind: bf16)\nmerge it = lib.shared + ((maths - lib.shared) & lib.crumbs)`;
    expect(meaningOf(body, { files })).toEqual(
      meaningOf(
        `base shared = "models/shared"\nmerge it = shared + ((maths - shared) & breadcrumbs(density: 0.2, drop_top: 0.01))`,
      ),
    );
  });

  test("outputs and expectations of an import are not built, and its unused names do not warn", () => {
    const { graph, diagnostics } = analyseText(
      `theta 1\nimport "lib/common.theta" as lib\noutput "out/x" = lib.shared\n`,
      { files },
    );
    expect(diagnostics).toEqual([]);
    expect(graph?.outputs).toHaveLength(1);
    expect(graph?.expectations).toEqual([]);
  });
});

test("a list is recorded as it was resolved", () => {
  const sources = { "/project/more/*/final": ["/project/more/a/final", "/project/more/b/final"] };
  const { lists } = graphOf(`models more = "more/*/final"\nmerge x = linear(more)`, { sources });
  expect(lists.get("more")).toEqual(["more/a/final", "more/b/final"]);
});

test("gates", () => {
  const { expectations } = graphOf(
    `output "out/x" = maths\nexpect maths {\n  finite\n  each cosine(llama) > 0.5\n  norm <= 1 + 1\n}`,
  );
  expect(expectations[0]?.predicates).toMatchObject([
    { metric: "finite", each: false },
    { metric: "cosine", each: true, comparison: { operator: ">", bound: 0.5 }, against: { name: "llama" } },
    { metric: "norm", each: false, subject: "norm", comparison: { operator: "<=", bound: 2 } },
  ]);
});
