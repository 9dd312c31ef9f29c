// Every recipe that must be refused without looking at a checkpoint: the code is fixed here, the wording by snapshot.

import { describe, expect, test } from "vitest";
import { analyseText, rendered } from "./analyse-text.ts";
import { PRELUDE, type RefusedCase } from "./refused/case.ts";
import { MERGES } from "./refused/merges.ts";
import { STACKS } from "./refused/stacks.ts";
import { NAMES } from "./refused/names.ts";
import { OPERATORS } from "./refused/operators.ts";
import { OUTPUTS } from "./refused/outputs.ts";
import { PARAMETERS } from "./refused/parameters.ts";
import { VALUES } from "./refused/values.ts";

const TABLES: Readonly<Record<string, Readonly<Record<string, RefusedCase>>>> = {
  names: NAMES,
  operators: OPERATORS,
  parameters: PARAMETERS,
  values: VALUES,
  merges: MERGES,
  stacks: STACKS,
  outputs: OUTPUTS,
};

describe.each(Object.keys(TABLES))("%s", (table) => {
  test.each(Object.entries(TABLES[table]!))("%s", (_, { code, body, ...given }) => {
    const { graph, diagnostics } = analyseText(`${PRELUDE}\n${body}\n`, given);
    const errors = diagnostics.filter(({ severity }) => severity === "error");
    expect.soft(rendered(errors)).toMatchSnapshot();
    expect.soft(errors.map((error) => error.code)).toEqual([code]);
    expect(graph).toBeUndefined();
  });
});

test("a hyphenated name is one mistake, told where it is declared, else where it is used", () => {
  const errors = (body: string) =>
    analyseText(`${PRELUDE}\n${body}\n`, {}).diagnostics.filter(({ severity }) => severity === "error");
  expect(errors('merge my-own-mix onto llama using sum { maths }\noutput "dist/a" = my-own-mix')).toMatchObject([
    { code: "hyphenated-name", help: "names have no hyphen; write my_own_mix" },
  ]);
  expect(errors('merge my_mix onto llama using sum { maths }\noutput "dist/a" = my-mix')).toMatchObject([
    { code: "hyphenated-name", help: "names have no hyphen; write my_mix" },
  ]);
  expect(errors('output "dist/a" = my-mix')).toMatchObject([{ help: "names have no hyphen" }]);
  expect(errors('output "dist/a" = arcee-fusion')).toMatchObject([
    { help: "names have no hyphen; write arcee_fusion" },
  ]);
  expect(errors('merge a onto llama using sum { maths-mix }\noutput "dist/a" = a')).toMatchObject([
    { code: "unknown-name" },
  ]);
});

test("a size in other letters is one mistake, not one more of its kind", () => {
  const { diagnostics } = analyseText(`${PRELUDE}\noutput "dist/a" = maths { shard 5gb }\n`, {});
  expect(diagnostics.map(({ code, severity }) => `${severity} ${code}`)).toContain("error broken-number");
  expect(diagnostics.map(({ code }) => code)).not.toContain("wrong-kind");
});
