// What a checker owes a broken, huge or hostile recipe: it ends, does not throw, and says everything once.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { analyseText } from "./analyse-text.ts";
import { PRELUDE } from "./refused/case.ts";

const codesOf = (text: string) =>
  analyseText(text)
    .diagnostics.filter(({ severity }) => severity === "error")
    .map(({ code }) => code);

describe("many errors", () => {
  test("independent ones are reported in one run, in the order of the text", () => {
    const body = `model x = ""
mask k = magnitude(density: 2, per: rows)
merge y = maths + code
merge z onto llama using sum {
  maths weight "a" mask 3
  nothing weight 1
  at "*" { code weight 1 }
}
output "dist/a" = y { dtype big }
expect y { cosin }
`;
    expect(codesOf(`${PRELUDE}${body}`)).toEqual([
      "bad-path",
      "density-range",
      "unknown-word",
      "model-plus-model",
      "wrong-kind",
      "wrong-kind",
      "unknown-name",
      "not-an-entry",
      "unknown-word",
      "unknown-metric",
    ]);
  });

  test("what follows from an error is silent", () => {
    const body = `merge bad = maths + code
vector v = bad - llama
mask k = trim & missing
merge x onto bad using ties { v mask k }
merge y = linear(x, bad, weight: [1, 2])
output "dist/a" = y { tokenizer bad }
`;
    expect(codesOf(`${PRELUDE}${body}`)).toEqual(["model-plus-model", "unknown-name"]);
  });

  test("what seems to be missing on a broken line is not reported", () => {
    const body = `merge x onto llama using sum {
  maths weight weight weight )
  at "*mlp*" { maths weight 1 }
}
model lost = = "x"
output "dist/a" = linear(x, lost)
`;
    const codes = codesOf(`${PRELUDE}${body}`);
    expect(codes).toHaveLength(2);
    expect(codes.some((code) => ["not-an-entry", "empty-merge", "unknown-name"].includes(code))).toBe(false);
  });

  test("a thousand errors are not all printed", () => {
    const { diagnostics } = analyseText(
      PRELUDE + Array.from({ length: 1000 }, (_, i) => `merge x${i} = a${i}`).join("\n"),
    );
    expect(diagnostics.length).toBeLessThan(250);
    expect(diagnostics.at(-1)?.code).toBe("too-many-errors");
  });
});

describe("long chains of names", () => {
  const LENGTH = 10_000;
  const chain = (line: (name: string, before: string) => string, first: string) =>
    Array.from({ length: LENGTH }, (_, i) => line(`n${i}`, i === 0 ? first : `n${i - 1}`)).reverse();

  test("of merges", () => {
    const lines = chain((name, before) => `merge ${name} = ${before} + (maths - ${before})`, "llama");
    const { graph } = analyseText(`${PRELUDE}${lines.join("\n")}\noutput "out/x" = n${LENGTH - 1}\n`);
    expect(graph?.outputs[0]?.value.node.name).toBe(`n${LENGTH - 1}`);
  });

  test("of parameters", () => {
    const lines = chain((name, before) => `param ${name}: number = ${before} + 1`, "0");
    expect(analyseText(`theta 1\n${lines.join("\n")}\n`).graph?.parameters.get(`n${LENGTH - 1}`)).toBe(LENGTH);
  });

  test("of masks and strategies end in a sentence", () => {
    const masks = chain((name, before) => `mask ${name} = ${before} & magnitude(density: 0.5)`, "trim");
    expect(codesOf(`${PRELUDE}${masks.join("\n")}\n`)).toEqual(["nested-too-deeply"]);
    const strategies = chain((name, before) => `strategy ${name} = match("*": ${before}, else: linear)`, "linear");
    expect(codesOf(`theta 1\n${strategies.join("\n")}\n`)).toEqual(["nested-too-deeply"]);
  });

  test("of blocks and outputs are checked in a moment", () => {
    const count = 4000;
    const numbers = Array.from({ length: count }, (_, i) => i);
    const ats = numbers.map((i) => `at layers(${i}..${i + 1}) & "*${i}*" { m weight ${i} }`);
    const keeps = numbers.map((i) => `at "k${i}" | layers(${count - i}..${count}) keep llama`);
    const outputs = numbers.map((i) => `output "dist/${i}" = x`);
    const merge = `merge x onto llama using sum {\nm\n${[...ats, ...keeps].join("\n")}\n}`;
    const started = performance.now();
    analyseText(`${PRELUDE}${merge}\n${outputs.join("\n")}\n`);
    expect(performance.now() - started).toBeLessThan(30_000);
  });

  test("that are a cycle", () => {
    const lines = chain((name, before) => `merge ${name} = ${before}`, `n${LENGTH - 1}`);
    expect(codesOf(`theta 1\n${lines.join("\n")}\n`)).toEqual(["cycle"]);
  });

  test("a long file that is imported again and again ends in a sentence", () => {
    const files = { "/project/long.theta": `theta 1\n${"# comment\n".repeat(100_000)}mask k = "*"\n` };
    const imports = Array.from({ length: 100 }, (_, i) => `import "long.theta" as a${i}`);
    const { diagnostics } = analyseText(`theta 1\n${imports.join("\n")}\n`, { files });
    const codes = diagnostics.filter(({ severity }) => severity === "error").map(({ code }) => code);
    expect(codes).toEqual(new Array(92).fill("too-many-imports"));
  });

  test("imports that double at each level end in a sentence", () => {
    const files = Object.fromEntries(
      Array.from({ length: 30 }, (_, i) => [
        `/project/f${i}.theta`,
        `theta 1\nimport "f${i + 1}.theta" as a\nimport "f${i + 1}.theta" as b\n`,
      ]),
    );
    const { diagnostics } = analyseText(`theta 1\nimport "f0.theta" as a\n`, { files });
    expect(diagnostics.map(({ code }) => code)).toContain("too-many-imports");
  });
});

test("no recipe makes the checker throw", () => {
  const expressions = fc.letrec<{ e: string }>((tie) => ({
    e: fc.oneof(
      { depthSize: "small" },
      fc.constantFrom(
        "llama",
        "maths",
        "m",
        "c",
        "trim",
        "runs",
        "lib",
        "lib.x",
        "ties",
        "sum",
        "linear",
        "slerp",
        "layers",
        "w",
        "zz",
      ),
      fc.constantFrom("0.5", "0", "5GB", "true", '"*mlp*"', '"hf://a/b"', "[]", "[1, 2]", "bf16", "row"),
      fc.tuple(tie("e"), fc.constantFrom("+", "-", "*", "/", "&", "|"), tie("e")).map((t) => `(${t.join(" ")})`),
      fc.tuple(fc.constantFrom("-", "!"), tie("e")).map((t) => t.join("")),
      fc
        .tuple(
          fc.constantFrom(
            "match",
            "ramp",
            "rebase",
            "ties",
            "sum",
            "linear",
            "slerp",
            "magnitude",
            "breadcrumbs",
            "tensors",
            "layers",
            "sce",
            "soft",
            "moe",
          ),
          fc.array(
            fc.tuple(
              fc.constantFrom(
                "",
                "",
                "density: ",
                "t: ",
                "weight: ",
                "per: ",
                "else: ",
                '"*": ',
                "over: ",
                "trim: ",
                "0..4: ",
                "scale: ",
                "stream: ",
              ),
              fc.oneof(tie("e"), fc.constantFrom("0..4", "-2..", "m..c")),
            ),
            { maxLength: 3 },
          ),
        )
        .map(([callee, args]) => `${callee}(${args.map((pair) => pair.join("")).join(", ")})`),
    ),
  })).e;
  const clause = fc.tuple(fc.constantFrom("weight", "mask", "density", "t"), expressions).map((t) => t.join(" "));
  const item = fc.oneof(
    fc.tuple(expressions, fc.array(clause, { maxLength: 2 })).map(([e, clauses]) => [e, ...clauses].join(" ")),
    fc.array(clause, { maxLength: 2 }).map((clauses) => `each ${clauses.join(" ")}`),
    fc.tuple(expressions, expressions).map(([s, e]) => `at ${s} keep ${e}`),
    fc.tuple(expressions, expressions, clause).map(([s, e, k]) => `at ${s} { ${e} ${k} }`),
  );
  const statement = fc.oneof(
    fc
      .tuple(
        fc.constantFrom("merge", "vector", "mask", "strategy", "model", "models"),
        fc.constantFrom("a", "b", "w", "soft", "ties"),
        expressions,
      )
      .map(([word, name, e]) => `${word} ${name} = ${e}`),
    fc
      .tuple(fc.constantFrom("number", "list(number)", "dtype", "string", "size(max: w)"), expressions)
      .map(([kind, e]) => `param w: ${kind} = ${e}`),
    fc
      .tuple(expressions, expressions, fc.array(item, { maxLength: 4 }))
      .map(([base, using, items]) => `merge b onto ${base} using ${using} {\n${items.join("\n")}\n}`),
    fc
      .tuple(expressions, fc.array(item, { maxLength: 4 }))
      .map(([using, items]) => `merge a using ${using} {\n${items.join("\n")}\n}`),
    fc
      .tuple(expressions, expressions, expressions)
      .map(([p, e, d]) => `output ${p} = ${e} {\n dtype ${d}\n tokenizer ${e}\n}`),
    fc.tuple(expressions, expressions).map(([e, x]) => `expect ${e} {\n finite\n each ${x} > ${x}\n}`),
    fc.tuple(expressions, expressions).map(([e, x]) => `vector a = ${e} on ${x}`),
    fc.tuple(expressions, expressions).map(([e, x]) => `adapter a = ${e} on ${x} { missing base }`),
    fc.tuple(expressions).map(([e]) => `import "lib.theta" as lib(density: ${e})`),
  );
  const files = { "/project/lib.theta": `theta 1\nparam density: number = 0.2\nmask x = magnitude(density: density)` };
  fc.assert(
    fc.property(fc.array(statement, { minLength: 1, maxLength: 6 }), (statements) => {
      const { graph, diagnostics } = analyseText(`${PRELUDE}${statements.join("\n")}\n`, { files });
      const hasError = diagnostics.some(({ severity }) => severity === "error");
      expect(graph === undefined).toBe(hasError);
    }),
    { numRuns: 400 },
  );
});
