// Gates of a build: each metric against its definition in plain float64, what happens to an output that does not meet one,
// and what is read when.

import { existsSync, mkdtempSync, readFileSync, readdirSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Sqlite from "libsql";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { predicateText } from "../../../compiler/predicates.ts";
import { gateJson } from "../../../runtime/cli/report/gate-json.ts";
import {
  decodeFloats,
  encodeFloats,
  f16,
  f32,
  makeModelDirectory,
  raw,
  readSafetensors,
  type TestTensor,
  type TestTensors,
} from "../../support/tensors.ts";
import { diagnosticText } from "../../support/compile-text.ts";
import { buildText, planText, type Built } from "./build-text.ts";

let directory = "";
beforeEach(() => {
  directory = realpathSync(mkdtempSync(join(tmpdir(), "theta-gates-")));
});
afterEach(() => rmSync(directory, { recursive: true }));

const HEAD = 'theta 1\nbase llama = "llama"\nmodel maths = "maths"\n';

function models(all: Readonly<Record<string, TestTensors>>): void {
  for (const [name, tensors] of Object.entries(all)) makeModelDirectory(join(directory, name), tensors);
}

function run(body: string): Promise<Built> {
  return buildText(directory, `${HEAD}${body}\n`);
}

/** By the gate's text. */
function values({ gates }: Built): ReadonlyMap<string, number> {
  return new Map(gates.map(({ predicate, value }) => [predicateText(predicate), value]));
}

function random(count: number, seed: number): number[] {
  let state = seed;
  return Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  });
}

function tensor(dtype: string, shape: readonly number[], seed: number): TestTensor {
  const count = shape.reduce((product, size) => product * size, 1);
  return { dtype, shape, data: encodeFloats(dtype, random(count, seed)) };
}

function numbersOf(tensors: Iterable<TestTensor>): number[] {
  return [...tensors].flatMap(({ dtype, data }) => decodeFloats(dtype, data));
}

const dot = (a: readonly number[], b: readonly number[]): number => a.reduce((sum, x, i) => sum + x * b[i]!, 0);
const norm = (a: readonly number[]): number => Math.sqrt(dot(a, a));
const minus = (a: readonly number[], b: readonly number[]): number[] => a.map((x, i) => x - b[i]!);

function changedShare(a: readonly TestTensor[], b: readonly TestTensor[]): number {
  let changed = 0;
  let elements = 0;
  for (const [index, { data, dtype }] of a.entries()) {
    const size = { F64: 8, F32: 4 }[dtype] ?? 2;
    for (let at = 0; at < data.length; at += size, elements++) {
      changed += Buffer.from(data.subarray(at, at + size)).equals(b[index]!.data.subarray(at, at + size)) ? 0 : 1;
    }
  }
  return changed / elements;
}

/** In the order of their names. */
function outputTensors(path: string): TestTensor[] {
  const tensors = [...readSafetensors(join(directory, path, "model.safetensors"))];
  return tensors.sort(([a], [b]) => (a < b ? -1 : 1)).map(([, one]) => one);
}

const EVERY_METRIC =
  "finite\n  norm > 0\n  cosine(llama) > 0\n  distance(llama) > 0\n  changed(llama) > 0\n" +
  "  each cosine(llama) > -1\n  each distance(llama) >= 0\n  each norm >= 0\n  each changed(llama) >= 0";

describe.each(["F64", "F32", "F16", "BF16"])("%s", (dtype) => {
  test("metrics are those of their definitions, on the rounded tensors", async () => {
    const shapes: readonly (readonly [string, readonly number[]])[] = [
      ["a", [300, 17]],
      ["b", [4097]],
      ["c", []],
      ["d", [0]],
      ["e", [1]],
    ];
    const [llama, maths] = [1, 2].map((seed) =>
      Object.fromEntries(shapes.map(([name, shape], index) => [name, tensor(dtype, shape, 10 * seed + index)])),
    );
    models({ llama: llama!, maths: maths! });
    const built = await run(
      `merge half = linear(llama, maths, weight: [0.9, 0.1])\noutput "out" = half\nexpect half {\n  ${EVERY_METRIC}\n}`,
    );
    expect(built.diagnostics).toEqual([]);
    const made = outputTensors("out");
    const base = Object.values(llama!);
    const [a, b] = [numbersOf(made), numbersOf(base)];
    const found = values(built);
    const near = (gate: string, value: number) => {
      expect(Math.abs(found.get(gate)! - value), gate).toBeLessThanOrEqual(1e-13 * Math.abs(value));
    };
    expect(found.get("finite")).toBe(0);
    near("norm > 0", norm(a));
    near("cosine(llama) > 0", dot(a, b) / (norm(a) * norm(b)));
    near("distance(llama) > 0", norm(minus(a, b)));
    expect(found.get("changed(llama) > 0")).toBe(changedShare(made, base));
    const each = (value: (a: number[], b: number[]) => number): number[] =>
      made.map((one, index) => value(numbersOf([one]), numbersOf([base[index]!]))).filter((x) => !Number.isNaN(x));
    near("each cosine(llama) > -1", Math.min(...each((x, y) => dot(x, y) / (norm(x) * norm(y)))));
    near("each distance(llama) >= 0", Math.max(0, Math.min(...each((x, y) => norm(minus(x, y))))));
    expect(found.get("each norm >= 0")).toBe(0);
  });
});

test("another dtype: cosine and distance take X as it lies there, changed(X) as keep X would write it", async () => {
  const values32 = [1, 1 + 2 ** -20, -3, 0.1].map(Math.fround);
  models({ llama: { w: f32([4], values32) }, maths: { w: f32([4], values32) } });
  const built = await run(
    'output "out" = maths {\n  dtype bf16\n}\nexpect maths {\n  changed(llama) <= 0\n  distance(llama) > 0\n}',
  );
  expect(built.status).toBe("done");
  const rounded = numbersOf(outputTensors("out"));
  expect(values(built).get("distance(llama) > 0")).toBeCloseTo(norm(minus(rounded, values32)), 15);
});

test("a merge that is no output, in its work type", async () => {
  const [base, other] = [random(5000, 1), random(5000, 2)].map((list) => list.map(Math.fround));
  models({ llama: { w: f32([5000], base!) }, maths: { w: f32([5000], other!) } });
  const built = await run(
    'merge less = llama + 0.5 * (maths - llama)\noutput "out" = maths {\n  dtype bf16\n}\n' +
      "expect maths {\n  cosine(less) > 0\n  distance(less) > 0\n  changed(less) > 0\n}",
  );
  const made = numbersOf(outputTensors("out"));
  const less = base!.map((x, i) => Math.fround(x + Math.fround(0.5 * Math.fround(other![i]! - x))));
  const found = values(built);
  expect(found.get("cosine(less) > 0")).toBeCloseTo(dot(made, less) / (norm(made) * norm(less)), 13);
  expect(found.get("distance(less) > 0")).toBeCloseTo(norm(minus(made, less)), 10);
  const rounded = decodeFloats("BF16", encodeFloats("BF16", less));
  expect(found.get("changed(less) > 0")).toBe(made.filter((x, i) => x !== rounded[i]).length / 5000);
  expect(readdirSync(join(directory, ".theta/partial"))).toEqual([]);
  // Nothing of it is read or made again.
  const again = await run(
    'merge less = llama + 0.5 * (maths - llama)\noutput "out" = maths {\n  dtype bf16\n}\nexpect maths {\n  cosine(less) > 0.99\n}',
  );
  expect(again).toMatchObject({ status: "failed", bytes: { read: 0, written: 0, copied: 0, hashed: 0 } });
});

test("tied names count once; integers only in changed(X)", async () => {
  const w = f32([2], [3, 4]);
  const config = { model_type: "llama", architectures: ["LlamaForCausalLM"], tie_word_embeddings: true };
  const ids = (last: number): TestTensor => raw("I32", [2], [1, 0, 0, 0, last, 0, 0, 0]);
  for (const [name, last] of [
    ["llama", 7],
    ["maths", 8],
  ] as const) {
    makeModelDirectory(
      join(directory, name),
      { "model.embed_tokens.weight": w, ids: ids(last), "model.norm.weight": f32([1], [12]) },
      { config },
    );
  }
  const built = await run(
    'output "out" = maths\nexpect maths {\n  norm > 1\n  changed(llama) < 1\n  cosine(llama) >= 1\n}',
  );
  expect([...values(built).values()]).toEqual([13, 1 / 5, 1]);
  expect(built.gates.map(({ tensors }) => tensors)).toEqual([2, 3, 2]);
});

describe("what is not finite", () => {
  test("fails finite, and leaves the other metrics without a value", async () => {
    models({
      llama: { a: f32([2], [1, 2]), b: f32([3], [1, 2, 3]) },
      maths: { a: f32([2], [1, 2]), b: f32([3], [NaN, Infinity, 3]) },
    });
    const built = await buildText(
      directory,
      'theta 1\nbase llama = "llama"\nmodel maths = "maths" {\n  nan propagate\n}\noutput "out" = maths\n' +
        "expect maths {\n  finite\n  norm > 0\n  cosine(llama) > -2\n  distance(llama) > 0\n  changed(llama) < 0.5\n}\n",
    );
    expect(built).toMatchObject({ status: "failed", published: [], outputs: [] });
    expect(existsSync(join(directory, "out"))).toBe(false);
    expect(built.gates.map(({ passed, value }) => [passed, value])).toEqual([
      [false, 2],
      [false, NaN],
      [false, NaN],
      [false, NaN],
      [true, 2 / 5],
    ]);
    expect(diagnosticText(built.diagnostics)).toMatchInlineSnapshot(`
      "merge.theta:8:3: error[gate-failed]: "out" is not finite: 2 elements are NaN or infinite in 1 of 2 tensors
         2  b
         note: "out" stays as it was; what was merged is kept in the store
      merge.theta:9:3: error[gate-failed]: norm of "out" has no value, so it is not above 0
         no value  b
         note: norm has no value where elements of the output are NaN or infinite: 2 are
      merge.theta:10:3: error[gate-failed]: cosine(llama) of "out" has no value, so it is not above -2
         no value  b
         note: cosine has no value where elements of the output are NaN or infinite: 2 are
      merge.theta:11:3: error[gate-failed]: distance(llama) of "out" has no value, so it is not above 0
         no value  b
         note: distance has no value where elements of the output are NaN or infinite: 2 are"
    `);
    expect(built.gates.slice(0, 2).map(gateJson)).toMatchObject([{ value: 2 }, { value: null }]);
  });

  test("under overflow inf", async () => {
    models({ llama: { w: f16([2], [60000, 1]) }, maths: { w: f16([2], [60000, 1]) } });
    const sum = await run(
      'merge twice = linear(llama, maths, weight: [1, 1], normalize: false)\noutput "out" = twice {\n  overflow inf\n}\n' +
        "expect twice {\n  finite\n}",
    );
    expect(sum.gates).toMatchObject([{ passed: false, value: 1, failing: 1 }]);
  });

  test("in what it is compared with", async () => {
    models({ llama: { w: f32([2], [1, Infinity]) }, maths: { w: f32([2], [1, 2]) } });
    const built = await run('output "out" = maths\nexpect maths {\n  norm > 1\n  cosine(llama) > 0\n}');
    expect(values(built)).toEqual(
      new Map([
        ["norm > 1", Math.sqrt(5)],
        ["cosine(llama) > 0", NaN],
      ]),
    );
    expect(diagnosticText(built.diagnostics)).toContain(
      "cosine(llama) has no value where elements of what it compares with are NaN or infinite: 1 are",
    );
  });
});

test("sums that leave float64 have no cosine, and small ones lose nothing", async () => {
  const f64 = (values: readonly number[]): TestTensor => ({
    dtype: "F64",
    shape: [2],
    data: encodeFloats("F64", values),
  });
  models({ llama: { w: f64([3e-170, 4e-170]) }, maths: { w: f64([3e200, 4e200]) } });
  const large = await run('output "out" = maths\nexpect maths {\n  cosine(maths) > 0\n  norm < 1\n}');
  expect([...values(large).values()]).toEqual([NaN, Infinity]);
  expect(diagnosticText(large.diagnostics)).toContain("cosine has no value where sums of squares leave float64");
  const small = await run(
    'output "out" = llama\nexpect llama {\n  cosine(llama) >= 1\n  cosine(llama + 2 * (maths - llama)) < 2\n}',
  );
  expect(values(small).get("cosine(llama) >= 1")).toBe(1);
});

test("vectors of zeros: two of them are equal, one has no direction", async () => {
  models({
    llama: { a: f32([2], [0, 0]), b: f32([2], [0, 1]) },
    maths: { a: f32([2], [0, 0]), b: f32([2], [0, 0]) },
  });
  const built = await run('output "out" = maths\nexpect maths {\n  each cosine(llama) > -2\n}');
  expect(built.gates).toMatchObject([{ passed: false, tensors: 2, failing: 1, worst: [{ tensor: "b", value: NaN }] }]);
  expect(diagnosticText(built.diagnostics)).toContain("a vector of zeros has no direction");
});

describe("an output and its gates", () => {
  const BODY = (weight: number, bound: number, gate = `cosine(llama) > ${bound}`): string =>
    `merge mix = linear(llama, maths, weight: [${1 - weight}, ${weight}])\n` +
    `output "dist/a" = mix\noutput "dist/wide" = mix {\n  dtype f64\n}\noutput "dist/other" = maths\nexpect mix {\n  ${gate}\n}`;

  function filesOf(path: string): ReadonlyMap<string, Buffer> {
    const names = readdirSync(join(directory, path));
    return new Map(names.map((name) => [name, readFileSync(join(directory, path, name))]));
  }

  beforeEach(() => {
    const [llama, maths] = [1, 2].map((seed) => ({
      a: tensor("F32", [40, 40], seed),
      b: tensor("F32", [70], seed + 5),
    }));
    models({ llama: llama!, maths: maths! });
  });

  test("that fails keeps its previous content byte for byte; others switch; loosening the bound runs and reads nothing", async () => {
    expect(await run(BODY(0.1, 0.9))).toMatchObject({ status: "done", diagnostics: [] });
    const before = [filesOf("dist/a"), filesOf("dist/wide")];
    rmSync(join(directory, "dist/other"), { recursive: true });
    const failed = await run(BODY(0.5, 0.9));
    expect(failed).toMatchObject({ status: "failed", exitCode: 1, published: ["dist/other"] });
    expect(failed.ran).toHaveLength(4);
    expect(failed.outputs.map(({ path }) => path)).toEqual(["dist/other"]);
    expect(failed.gates.map(({ output, passed }) => `${output} ${passed}`).sort()).toEqual([
      "dist/a false",
      "dist/wide false",
    ]);
    for (const [index, path] of ["dist/a", "dist/wide"].entries()) {
      const now = filesOf(path);
      expect([...now.keys()]).toEqual([...before[index]!.keys()]);
      for (const [name, bytes] of now) expect(bytes.equals(before[index]!.get(name)!), name).toBe(true);
    }
    const loose = await run(BODY(0.5, 0.1));
    expect(loose).toMatchObject({ status: "done", ran: [], bytes: { read: 0, hashed: 0, written: 0 } });
    expect(loose.published).toEqual(["dist/a", "dist/wide"]);
  });

  test("that is up to date is judged by a gate that the recipe gains, and stays when it fails", async () => {
    await run(BODY(0.1, 0.9));
    const before = filesOf("dist/a");
    const gained = await run(BODY(0.1, 0.9, "distance(maths) < 1e-3"));
    expect(gained).toMatchObject({ status: "failed", exitCode: 1, ran: [], published: [] });
    expect([...filesOf("dist/a")].every(([name, bytes]) => bytes.equals(before.get(name)!))).toBe(true);
    // Known from the same reading, and judged without another.
    expect(await run(BODY(0.1, 0.9, "cosine(maths) > -1"))).toMatchObject({ status: "done", bytes: { read: 0 } });
  });

  test("a null build reads nothing; a lost index costs a reading; a gate is told by --only's outputs alone", async () => {
    await run(BODY(0.1, 0.9));
    expect(await run(BODY(0.1, 0.9))).toMatchObject({ status: "done", bytes: { read: 0, hashed: 0 } });
    for (const name of readdirSync(join(directory, ".theta"))) {
      if (name.startsWith("index")) rmSync(join(directory, ".theta", name));
    }
    const again = await run(BODY(0.1, 0.9));
    expect(again).toMatchObject({ status: "done", ran: [], published: [] });
    expect(again.gates.map(({ passed }) => passed)).toEqual([true, true]);
  });

  test("plan says what gates read, whether they are known, and how those turn out", async () => {
    const planOf = async (body: string) => {
      const { bytes, outputs } = await planText(directory, `${HEAD}${body}\n`);
      return {
        bytes,
        states: outputs.map(({ state, gates }) => [state, ...gates.map((gate) => gate.state)].join(" ")),
      };
    };
    const first = await planOf(BODY(0.1, 0.9));
    const tensors = 6400 + 280;
    expect(first.states).toEqual(["build unknown", "build unknown", "build"]);
    // What is made is measured while it is written: only llama is read for it, once for each output.
    expect(first.bytes.measure).toBe(2 * tensors);
    expect((await run(BODY(0.1, 0.9))).bytes.read).toBe(first.bytes.read);
    expect(await planOf(BODY(0.1, 0.9))).toMatchObject({
      states: ["current holds", "current holds", "current"],
      bytes: { read: 0, measure: 0 },
    });
    expect((await planOf(BODY(0.1, 0.999999))).states).toEqual(["current fails", "current fails", "current"]);
    const gained = BODY(0.1, 0.9, "each distance(maths) < 1000");
    const planned = await planOf(gained);
    expect(planned.states).toEqual(["current unknown", "current unknown", "current"]);
    expect((await run(gained)).bytes).toMatchObject({ read: planned.bytes.read, written: 0 });
  });

  test("what was measured is kept tensor by tensor, and once more together: either will do", async () => {
    const body = BODY(0.1, 0.9).replace('output "dist/wide" = mix {\n  dtype f64\n}\n', "");
    const built = await run(body);
    for (const lost of ["IN (SELECT max(id) FROM measurement)", "NOT IN (SELECT max(id) FROM measurement)"]) {
      const index = new Sqlite(join(directory, ".theta/index.sqlite"));
      expect(index.prepare(`DELETE FROM measurement WHERE id ${lost}`).run().changes).toBeGreaterThan(0);
      index.close();
      const again = await run(body);
      expect(again).toMatchObject({ status: "done", bytes: { read: 0 } });
      expect(again.gates.map(gateJson)).toEqual(built.gates.map(gateJson));
    }
  });

  test("one changed tensor is measured, the others are known", async () => {
    await run(BODY(0.1, 0.9));
    makeModelDirectory(join(directory, "maths"), { a: tensor("F32", [40, 40], 2), b: tensor("F32", [70], 99) });
    const changed = await run(BODY(0.1, 0.9));
    expect(changed.status).toBe("done");
    // maths for its digests; b of llama and maths for f32 and f64, b of maths for dist/other; b of llama for both gates.
    expect(changed.bytes.read).toBe(6400 + 280 + 2 * (280 + 280) + 280 + 2 * 280);
  });

  test("the bits of a metric depend on neither threads nor chunks, nor on what it is measured with", async () => {
    const alone = await run(BODY(0.1, 0.9, "norm > 0"));
    rmSync(join(directory, ".theta"), { recursive: true });
    rmSync(join(directory, "dist"), { recursive: true });
    const together = await run(BODY(0.1, 0.9, "norm > 0\n  cosine(llama) > 0\n  distance(maths) > 0"));
    const norms = ({ gates }: Built) =>
      gates
        .filter(({ predicate }) => predicate.metric === "norm")
        .map(({ output, value }) => `${output} ${value}`)
        .sort();
    expect(norms(together)).toEqual(norms(alone));
  });
});
