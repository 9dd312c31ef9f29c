// The table "Rules at the edges" of METHODS.md, row by row, for every method that a row concerns. What is seen of headers alone
// (shapes, names, ties) is in test/compiler/back; opposite directions are in angles.test.ts, bits in test/oracle.

import { mkdtempSync, readdirSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { METHODS } from "../../../compiler/methods/method-table.ts";
import {
  bf16,
  decodeFloats,
  encodeFloats,
  f16,
  f32,
  f64,
  makeModelDirectory,
  raw,
  type TestTensor,
  type TestTensors,
} from "../../support/tensors.ts";
import { digests, readOutput } from "../../e2e/read-output.ts";
import { buildText, type Built } from "./build-text.ts";
import { EVERY, LAYER, masks, nameOf, ofModels, ON_MODELS, ON_VECTORS, onto } from "./every-method.ts";

let root: string;
beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), "theta-edges-")));
});
afterEach(() => rmSync(root, { recursive: true }));

/** Builds these merges over the models that were written; merge i becomes `dist/i`. */
function built(
  merges: readonly string[],
  settings = "",
  allowed: Readonly<Record<string, string>> = {},
): Promise<Built> {
  const declared = readdirSync(root, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !/^(?:dist|\.theta)$/.test(entry.name))
    .map(({ name }) => `${name === "base" ? "base" : "model"} ${name} = "${name}"${allowed[name] ?? ""}\n`);
  const outputs = merges.map((merge, i) => `merge m${i} ${merge}\noutput "dist/${i}" = m${i}${settings}\n`);
  return buildText(root, `theta 1\n${declared.join("")}${outputs.join("")}`);
}

function write(models: Readonly<Record<string, TestTensors>>): void {
  for (const [name, tensors] of Object.entries(models)) makeModelDirectory(join(root, name), { ...tensors, ...LAYER });
}

const output = (index: number): Map<string, TestTensor> => readOutput(join(root, `dist/${index}`));
const valuesOf = (index: number, name = "w"): number[] => {
  const { dtype, data } = output(index).get(name)!;
  return decodeFloats(dtype, data);
};
const codes = ({ diagnostics }: Built): string[] => [...new Set(diagnostics.map(({ code }) => code))];

/** Every merge must have left the base as it is, to the last bit. */
function expectBase(merges: readonly string[]): void {
  const base = digests(join(root, "base"));
  for (const [i, merge] of merges.entries()) expect(digests(join(root, `dist/${i}`)), merge).toEqual(base);
}

/** With zeros of both signs, denormals, and elements of one size. */
const BASE = {
  w: bf16([3, 4], [0.5, -0, 3e-39, 1, -1, 1, -2, 0, -3e-39, 0.001, 7, -0.25]),
  "conv.weight": f32([2, 1, 2, 2], [1, -0, 1e-45, 4, -1, 2, -3, 0]),
  one: f16([1], [-0]),
  scalar: f32([], [-0]),
  none: f64([2, 0], []),
};
const CHANGED = {
  w: bf16([3, 4], [0.75, 0, 4e-39, 2, 1, -1, -2, 3, -3e-39, 0.002, 8, 0.25]),
  "conv.weight": f32([2, 1, 2, 2], [2, 1, 1e-44, -4, 1, 2, -3, 0.5]),
  one: f16([1], [3]),
  scalar: f32([], [2]),
  none: f64([2, 0], []),
};

test("every method that is served is tried below", () => {
  const served = [...METHODS.values()].filter(({ maps, notServed }) => notServed === undefined && maps !== "function");
  const onVectors = served.filter(({ maps }) => maps === "vectors" || maps === "either").map(({ name }) => name);
  const onModels = served.filter(({ maps }) => maps === "models" || maps === "either").map(({ name }) => name);
  expect(new Set(Object.keys(ON_VECTORS).map(nameOf))).toEqual(new Set(onVectors));
  expect(new Set(ON_MODELS)).toEqual(new Set(onModels));
});

test("of a vector that is 0, what a mask drops is +0, and what it keeps has its sign", async () => {
  const zero = bf16([8], [0, 0, 0, 0, 0, 0, 0, 0]);
  write({ base: { w: zero }, one: { w: bf16([8], [-1, -2, -3, -4, -5, -6, -7, -8]) } });
  const outputs = ["", " & magnitude(density: 0.5)", ' & !"w"'].map(
    (mask, i) => `vector v${i} = (0 * (one - base))${mask}\noutput "dist/${i}" = v${i}\n`,
  );
  await buildText(root, `theta 1\nbase base = "base"\nmodel one = "one"\n${outputs.join("")}`);
  const negative = outputs.map((_, i) => valuesOf(i).filter((value) => Object.is(value, -0)).length);
  expect(negative).toEqual([8, 4, 0]);
});

describe("τ all zero, weight 0, empty mask: the bits of the base", () => {
  test("τ all zero", async () => {
    write({ base: BASE, one: BASE, two: BASE });
    const merges = Object.keys(ON_VECTORS).map((method) => onto(method));
    expect(await built(merges)).toMatchObject({ status: "done", diagnostics: [] });
    expectBase(merges);
  });

  test("weight 0, where no operation runs", async () => {
    write({ base: BASE, one: CHANGED, two: CHANGED });
    const merges = ["sum", "ties", "ties(elect: unweighted, divide: count)", "consensus", "pcb"].map((method) =>
      onto(method, "  weight 0"),
    );
    expect(await built(merges)).toMatchObject({ status: "done", diagnostics: [] });
    expectBase(merges);
  });

  test.each(['tensors("nothing")', ...masks(1e-12)])("empty mask %s", async (mask) => {
    const nothing = { nothing: f32([1], [1]) };
    const without = (tensors: TestTensors) =>
      // What has no dimension is not masked.
      Object.fromEntries(Object.entries({ ...tensors, ...nothing }).filter(([name]) => name !== "scalar"));
    write({ base: without(BASE), one: without(CHANGED), two: without(CHANGED) });
    const merges = Object.keys(ON_VECTORS).map((method) => onto(method, `  mask ${mask}`));
    const result = await built(merges);
    expect(result.status).toBe("done");
    expect(codes(result)).toEqual(mask.startsWith("tensors") ? [] : ["empty-mask"]);
    expectBase(merges);
  });
});

describe("NaN or infinity in an input", () => {
  const with_ = (value: number) => ({ w: f32([2, 3], [1, 2, -3, 4, value, 6]) });

  test.each(EVERY)("is an error of %s, with tensor, model, place and number", async (_, merge) => {
    write({ base: with_(5), one: with_(NaN), two: with_(-Infinity) });
    const result = await built([merge]);
    expect(result.status).toBe("failed");
    const [first] = result.diagnostics;
    expect(first).toMatchObject({ code: "nan-in-input", message: "w of one holds NaN" });
    expect(first!.facts?.[0]).toBe("NaN       1 element, the first at [1, 1]");
  });

  test("is +0 under nan zero, in every method", async () => {
    write({ base: with_(5), one: with_(NaN), two: with_(-Infinity) });
    const merges = EVERY.map(([, merge]) => merge);
    const zero = { one: " { nan zero }", two: " { nan zero }" };
    expect((await built(merges, "", zero)).status).toBe("done");
    const found = merges.map((_, i) => digests(join(root, `dist/${i}`)));
    write({ one: with_(0), two: with_(0) });
    expect((await built(merges)).status).toBe("done");
    expect(merges.map((_, i) => digests(join(root, `dist/${i}`)))).toEqual(found);
  });

  test("is computed with under nan propagate: NaN where it stands, and nowhere else where elements are on their own", async () => {
    write({ base: with_(5), one: with_(NaN), two: with_(4) });
    const methods = ["sum", "mean", "ties(elect: none, divide: none)", "nearswap"];
    const merges = [...methods.map((method) => onto(method)), ...["linear", "scale"].map((method) => ofModels(method))];
    expect((await built(merges, "", { one: " { nan propagate }" })).status).toBe("done");
    for (const [i, merge] of merges.entries()) {
      const expected = merge.includes("elect: none") ? [] : [4];
      const nan = [...valuesOf(i).entries()].filter(([, value]) => Number.isNaN(value)).map(([at]) => at);
      expect(nan, merge).toEqual(expected);
    }
  });
});

test("an infinity that is let through is not taken for a vector that does not vary", async () => {
  write({ base: { w: f32([5], [0, 0, 0, 0, 0]) }, one: { w: f32([5], [1, Infinity, 2, -Infinity, 3]) } });
  const settings = " {\n  overflow inf\n}";
  await built(["onto base using sce(select: 0.5) {\n  one\n}"], settings, { one: " { nan propagate }" });
  // Half of the two that vary.
  expect(valuesOf(0).filter((value) => Number.isNaN(value)).length).toBe(1);
});

describe("trunc(g · density) = 0", () => {
  const zeros = { w: f32([2, 2, 3], new Array<number>(12).fill(0)) };
  const steps = { w: f32([2, 2, 3], [1, 2, 3, 4, 5, 6, -7, 8, 9, 10, 11, -12]) };
  const groups = { tensor: 1, row: 2, last: 4 } as const;

  test.each(["magnitude(density: 0.01", "breadcrumbs(density: 0.01, drop_top: 0"])(
    "the rule is followed and a warning names the tensor; at_least_one keeps one: %s)",
    async (mask) => {
      write({ base: zeros, one: steps });
      const merges = Object.keys(groups).flatMap((per) =>
        ["false", "true"].map(
          (least) => `onto base using sum {\n  one  mask ${mask}, per: ${per}, at_least_one: ${least})\n}`,
        ),
      );
      const { status, diagnostics } = await built(merges);
      expect(status).toBe("done");
      expect(diagnostics.map(({ code }) => code)).toEqual(new Array(3).fill("empty-mask"));
      for (const { message } of diagnostics)
        expect(message).toMatch(/^a mask keeps nothing in .* of w of "dist\/[024]"/);
      const kept = merges.map((_, i) => valuesOf(i).filter((value) => value !== 0).length);
      expect(kept).toEqual(Object.values(groups).flatMap((count) => [0, count]));
    },
  );
});

describe("density ≥ 1", () => {
  test("is no mask, and rescales nothing", async () => {
    write({ base: BASE, one: CHANGED, two: BASE });
    const merges = ["", ...masks(1).map((mask) => `  mask ${mask}`)].map((clause) => onto("sum", clause));
    expect(await built(merges)).toMatchObject({ status: "done", diagnostics: [] });
    const found = merges.map((_, i) => digests(join(root, `dist/${i}`)));
    for (const one of found) expect(one).toEqual(found[0]);
  });

  test("of breadcrumbs still drops the top", async () => {
    write({ base: { w: f32([5], [0, 0, 0, 0, 0]) }, one: { w: f32([5], [1, -5, 3, 4, 2]) } });
    await built(["onto base using sum {\n  one  mask breadcrumbs(density: 1, drop_top: 0.4)\n}"]);
    expect(valuesOf(0)).toEqual([1, 0, 3, 0, 2]);
  });
});

test("integer or boolean tensor: the base's, equal ones are no error, others are one unless int base", async () => {
  const model = (byte: number) => ({
    w: f32([1], [byte]),
    ids: raw("I32", [1], [byte, 0, 0, 0]),
    on: raw("BOOL", [1], [1]),
  });
  write({ base: model(1), one: model(1), two: model(2) });
  expect((await built([onto("sum", "", ["one", "one"])])).status).toBe("done");
  const refused = await built([onto("sum")]);
  expect(refused).toMatchObject({ status: "failed" });
  expect(codes(refused)).toEqual(["integers-differ"]);
  expect((await built([onto("sum")], "", { two: " { int base }" })).status).toBe("done");
  expect([...output(0).get("ids")!.data]).toEqual([1, 0, 0, 0]);
});

describe("F8_E4M3, F8_E5M2", () => {
  test.each([
    ["F8_E4M3", [0x38, 0x81, 0x7e, 0x3b], [0x39, 0x01, 0x80, 0x3c]],
    ["F8_E5M2", [0x3c, 0x81, 0x7b, 0x3d], [0x3d, 0x01, 0x80, 0x3e]],
  ])("are plain numbers: %s is widened exactly and rounded to the nearest even", async (dtype, one, two) => {
    // 1, the negative smallest denormal, the largest number; and the number behind the first, the denormal, −0.
    write({ base: { w: raw(dtype, [4], one) }, one: { w: raw(dtype, [4], two) } });
    await built(["= linear(base, one)", "= linear(base, base, one, one)"]);
    const expected = { F8_E4M3: [0x38, 0x00, 0x76, 0x3c], F8_E5M2: [0x3c, 0x00, 0x77, 0x3e] }[dtype]!;
    for (const i of [0, 1]) expect([...output(i).get("w")!.data]).toEqual(expected);
  });

  test("overflow: E4M3 has no infinity, so that it is its NaN; saturated it is the largest number", async () => {
    write({ base: { w: f32([2], [1e6, -1e6]) } });
    const settings = ["f8_e4m3", "f8_e5m2"].flatMap((dtype) =>
      ["inf", "saturate"].map(
        (overflow) => `output "${dtype}/${overflow}" = base {\n  dtype ${dtype}\n  overflow ${overflow}\n}\n`,
      ),
    );
    await buildText(root, `theta 1\nbase base = "base"\n${settings.join("")}`);
    const bits = (path: string) => [...readOutput(join(root, path)).get("w")!.data];
    expect(bits("f8_e4m3/inf")).toEqual([0x7f, 0x7f]);
    expect(bits("f8_e4m3/saturate")).toEqual([0x7e, 0xfe]);
    expect(bits("f8_e5m2/inf")).toEqual([0x7c, 0xfc]);
    expect(bits("f8_e5m2/saturate")).toEqual([0x7b, 0xfb]);
  });
});

test("mixed dtypes between models: each is widened, the output has the donor's", async () => {
  // In bfloat16 1 + 2^-9 would be 1, and the sum of both differences nothing.
  write({
    base: { w: bf16([1], [1]) },
    one: { w: f32([1], [1 + 2 ** -9]) },
    two: { w: f64([1], [1 + 2 ** -9 + 2 ** -40]) },
  });
  await built([onto("sum"), ofModels("linear", ["two", "one"])]);
  expect([output(0).get("w")!.dtype, valuesOf(0)]).toEqual(["BF16", [1 + 2 ** -7]]);
  expect([output(1).get("w")!.dtype, valuesOf(1)]).toEqual(["F64", [1 + 2 ** -9 + 2 ** -41]]);
});

test("missing tensor: under missing base it has τ = 0 and its weight counts, under missing skip it takes no part", async () => {
  const all = (a: number, b: number) => ({ a: f32([1], [a]), b: f32([1], [b]) });
  write({ base: all(1, 1), one: all(5, 5), two: { a: f32([1], [9]), extra: f32([1], [1]) } });
  const weighted = "onto base using mean {\n  one  weight 1\n  two  weight 3\n}";
  await built([weighted, ofModels("linear")], "", { two: " {\n  missing base\n  extra skip\n}" });
  expect([valuesOf(0, "a"), valuesOf(0, "b"), valuesOf(1, "b")]).toEqual([[8], [2], [5]]);
  await built([weighted], "", { two: " {\n  missing skip\n  extra skip\n}" });
  expect([valuesOf(0, "a"), valuesOf(0, "b")]).toEqual([[8], [5]]);
  expect([...output(0).keys()].sort()).toEqual(["a", "b", "h.0.scalar"]);
});

test("tied weights are merged once, and a selector that matches any of their names matches them", async () => {
  const model = (value: number): TestTensors => ({
    "model.embed_tokens.weight": f32([1], [value]),
    w: f32([1], [value]),
  });
  for (const [name, value] of [
    ["base", 1],
    ["one", 3],
  ] as const) {
    makeModelDirectory(join(root, name), model(value), { config: { model_type: "llama", tie_word_embeddings: true } });
  }
  await built(['onto base using sum {\n  one  mask "lm_head.*"\n}']);
  expect([...output(0).keys()]).toEqual(["model.embed_tokens.weight", "w"]);
  expect([valuesOf(0, "model.embed_tokens.weight"), valuesOf(0, "w")]).toEqual([[3], [1]]);
});

test.each([
  ["f8_e4m3", 300],
  ["f8_e5m2", 4e4],
  ["f16", 4e4],
  ["bf16", 3e38],
  ["f32", 3e38],
  ["f64", 1.5e308],
])("output overflow is counted in %s: an error, the largest finite number, or infinity", async (dtype, large) => {
  const wide = (values: number[]): TestTensors => ({ w: dtype === "f64" ? f64([2], values) : f32([2], values) });
  write({ base: wide([0, 0]), one: wide([1, -large]), two: wide([1, -large]) });
  const failed = await built([onto("sum")], ` { dtype ${dtype} }`);
  expect(failed.status).toBe("failed");
  expect(failed.diagnostics[0]!.message).toBe(
    `w of "dist/0" does not fit ${dtype}: 1 element overflow, the first at [1]`,
  );
  for (const [policy, isFinite] of [
    ["saturate", true],
    ["inf", false],
  ] as const) {
    expect((await built([onto("sum")], ` {\n  dtype ${dtype}\n  overflow ${policy}\n}`)).status).toBe("done");
    const { data } = output(0).get("w")!;
    if (dtype.startsWith("f8")) continue;
    const [, last] = decodeFloats(dtype.toUpperCase(), data);
    expect(Number.isFinite(last)).toBe(isFinite);
    expect(last).toBeLessThan(-large);
  }
});

describe("finite inputs whose difference the work type cannot hold", () => {
  const largest = 2 ** 128 - 2 ** 104;
  const model = (first: number, third: number): TestTensors => ({ w: f32([2, 2], [first, 1, third, 3]) });
  // Nothing is selected, tall or in the fusion where a comparison is with NaN; angles need no difference.
  const FINITE = [
    "sce(select: 0.5)",
    "consensus",
    "arcee_fusion",
    "multislerp of models",
    "karcher of models",
    "scale of models",
  ];

  beforeEach(() => write({ base: model(-largest, 2), one: model(largest, 2.25), two: model(-largest, 2.5) }));

  test.each(EVERY)("are an overflow of %s, with its first place, or all of it is finite", async (method, merge) => {
    write({ two: model(merge.startsWith("onto") ? largest : -largest, 2.25) });
    const { status, diagnostics } = await built([merge]);
    if (FINITE.includes(method)) {
      expect(status).toBe("done");
      expect(valuesOf(0).every(Number.isFinite)).toBe(true);
      return;
    }
    expect(status).toBe("failed");
    expect(diagnostics[0]!.message).toMatch(
      /^w of "dist\/0" does not fit f32: \d elements? overflow, the first at \[0, 0\]$/,
    );
    expect((await built([merge], " { overflow saturate }")).status).toBe("done");
    expect(valuesOf(0).some((value) => Math.abs(value) === Infinity)).toBe(false);
  });

  test("are not looked at where the recipe says that nothing of them is taken", async () => {
    const merges = ["sum(scale: 0)", "mean(scale: 0)", "ties(scale: 0)", "magmax(scale: 0)", "nearswap(t: 0)"].map(
      (method) => `onto base using ${method} {\n  one\n}`,
    );
    expect((await built([...merges, onto("sum", "  weight 0")])).status).toBe("done");
    expectBase([...merges, "weight 0"]);
  });

  test("of one vector alone vary: as many NaN are selected as there are others", async () => {
    write({ base: { w: f32([2], [-largest, -largest]) }, one: { w: f32([2], [largest, largest]) } });
    const one = "onto base using sce(select: 0.5) {\n  one\n}";
    expect(codes(await built([one]))).toEqual(["overflow"]);
    await built([one], " { overflow inf }");
    expect(valuesOf(0).filter(Number.isNaN)).toHaveLength(1);
  });
});

test("0 elements, odd sizes, unaligned offsets, rows of one element: every method, every mask", async () => {
  const model = (step: number): TestTensors => ({
    odd: raw("U8", [3], [1, 2, 3]),
    "no.rows": f32([0, 3], []),
    "no.columns": bf16([3, 0], []),
    "one.each": f32(
      [5, 1],
      [1, 2, 3, 4, 5].map((value) => value + step),
    ),
    seven: {
      dtype: "BF16",
      shape: [7],
      data: encodeFloats(
        "BF16",
        [1, 2, 3, 4, 5, 6, 7].map((value) => value * (1 + step)),
      ),
    },
  });
  write({ base: model(0), one: model(0.5), two: model(-0.25) });
  const masked = masks(0.75).map((mask) => onto("ties", `  mask ${mask}`));
  const merges = [...EVERY.map(([, merge]) => merge), ...masked];
  const result = await built(merges);
  expect(result.status).toBe("done");
  for (const [i] of merges.entries()) {
    expect([...output(i)].map(([name, { data }]) => [name, data.length]).sort()).toEqual([
      ["h.0.scalar", 4],
      ["no.columns", 0],
      ["no.rows", 0],
      ["odd", 3],
      ["one.each", 20],
      ["seven", 14],
    ]);
  }
});
