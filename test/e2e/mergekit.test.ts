// Where mergekit goes wrong, or leaves open what comes out: each case with what theta makes of it. METHODS.md, "Coming from
// mergekit", says how its defined results are had.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  bf16,
  decodeFloats,
  f16,
  f32,
  makeModelDirectory,
  type TestTensor,
  type TestTensors,
} from "../support/tensors.ts";
import { readOutput } from "./read-output.ts";
import { refusal } from "./refusal.ts";
import { useSession } from "./theta-session.ts";

const run = useSession();

let project: string;
beforeEach(() => {
  project = mkdtempSync(join(tmpdir(), "theta-mergekit-"));
});
afterEach(() => rmSync(project, { recursive: true, force: true }));

const DECLARATIONS = `theta 1
base  llama = "llama"
model maths = "maths"
model code  = "code"
`;

function models(tensors: Readonly<Record<"llama" | "maths" | "code", TestTensors>>): void {
  for (const [name, own] of Object.entries(tensors)) makeModelDirectory(join(project, name), own);
}

/** One tensor `w` in each. */
function single(llama: TestTensor, maths: TestTensor, code: TestTensor): void {
  models({ llama: { w: llama }, maths: { w: maths }, code: { w: code } });
}

async function theta(statements: string, declarations = DECLARATIONS) {
  writeFileSync(join(project, "merge.theta"), `${declarations}${statements}\n`);
  return run(project, ["build"]);
}

async function build(statements: string, declarations = DECLARATIONS): Promise<Map<string, TestTensor>> {
  const done = await theta(statements, declarations);
  expect(done.code, done.stderr).toBe(0);
  return readOutput(join(project, "out"));
}

function numbers(tensor: TestTensor | undefined): number[] {
  return decodeFloats(tensor!.dtype, tensor!.data);
}

describe("linear", () => {
  test("of equal models is the model, whatever the weights", async () => {
    const values = Array.from({ length: 512 }, (_, index) => Math.sin(index) * 2 ** (index % 20));
    single(bf16([512], values), bf16([512], values), bf16([512], values));
    const out = await build('output "out" = linear(maths, code, weight: [0.3, 0.7])');
    expect(Buffer.from(out.get("w")!.data).equals(bf16([512], values).data)).toBe(true);
  });

  test("has no mean where the weights sum to 0", async () => {
    single(f32([1], [0]), f32([1], [1]), f32([1], [2]));
    const refused = await theta('output "out" = linear(maths, code, weight: [1, -1])');
    expect(refused.code).toBe(65);
    expect(refused.stderr).toContain("error[weights-sum-to-zero]");
    const sum = await build('output "out" = linear(maths, code, weight: [1, -1], normalize: false)');
    expect(numbers(sum.get("w"))).toEqual([-1]);
  });
});

describe("slerp", () => {
  test("of a zero tensor and another is half of it in the middle", async () => {
    single(f32([2], [0, 0]), f32([2], [0, 0]), f32([2], [2, 4]));
    const out = await build('output "out" = slerp(maths, code, t: 0.5)');
    expect(numbers(out.get("w"))).toEqual([1, 2]);
  });

  test("needs no base among its models, and takes payloads over at both ends", async () => {
    single(bf16([3], [9, 9, 9]), bf16([3], [1, 2, -3]), bf16([3], [-4, 0.5, 6]));
    expect(numbers((await build('output "out" = slerp(maths, code, t: 0)')).get("w"))).toEqual([1, 2, -3]);
    expect(numbers((await build('output "out" = slerp(maths, code, t: 1)')).get("w"))).toEqual([-4, 0.5, 6]);
  });
});

describe("nuslerp", () => {
  test("is linear at angles where mergekit's is not yet, to one part in 5,000", async () => {
    const angle = Math.acos(0.99951);
    single(f32([2], [0, 0]), f32([2], [1, 0]), f32([2], [Math.cos(angle), Math.sin(angle)]));
    const out = numbers((await build('output "out" = nuslerp(maths, code, weight: [0.7, 0.3])')).get("w"));
    expect(out[1]! / Math.sin(angle)).toBeCloseTo(0.3, 6);
    const itsOwn = Math.sin(0.3 * angle) / Math.sin(angle);
    expect(Math.abs(itsOwn / 0.3 - 1)).toBeGreaterThan(1 / 10_000);
    expect(Math.abs(itsOwn / 0.3 - 1)).toBeLessThan(1 / 5000);
  });

  test("of a zero tensor and another is half of it in the middle", async () => {
    single(f32([2], [0, 0]), f32([2], [0, 0]), f32([2], [2, 4]));
    expect(numbers((await build('output "out" = nuslerp(maths, code)')).get("w"))).toEqual([1, 2]);
  });
});

describe("multislerp", () => {
  test("of mergekit goes no further than the mean direction, since its tangents add up to 0: max_iter 0", async () => {
    single(f32([2], [0, 0]), f32([2], [3, 0]), f32([2], [0, 4]));
    const rounded = async (statements: string) =>
      numbers((await build(statements)).get("w")).map((x) => Number(x.toFixed(5)));
    const models = (steps: string) => `output "out" = multislerp(maths, code, weight: [1, 3]${steps})`;
    // (1/4, 3/4), as long as 1/4 × 3 + 3/4 × 4.
    expect(await rounded(models(", max_iter: 0"))).toEqual([1.18585, 3.55756]);
    expect(await rounded(models(""))).not.toEqual([1.18585, 3.55756]);
    const vectors = 'merge m onto llama using multislerp(max_iter: 0) {\n  maths\n  code weight 3\n}\noutput "out" = m';
    expect(await rounded(vectors)).toEqual([1.18585, 3.55756]);
  });
});

describe("task arithmetic and ties", () => {
  test("elect by weighted sums, count 0 as plus, and divide by the weights that agree", async () => {
    single(f32([4], [0, 0, 0, 0]), f32([4], [1, 0, 2, -1]), f32([4], [3, 4, -2, -0.5]));
    const ties = (strategy: string, weights = "1, 1") =>
      build(`output "out" = llama + ${strategy}(maths - llama, code - llama, weight: [${weights}])`);
    expect(numbers((await ties("ties")).get("w"))).toEqual([2, 4, 2, -0.75]);
    expect(numbers((await ties("ties", "1, 2")).get("w"))).toEqual([7 / 3, 4, -2, -2 / 3].map(Math.fround));
    expect(numbers((await ties("mean", "1, 2")).get("w"))).toEqual([7 / 3, 8 / 3, -2 / 3, -2 / 3].map(Math.fround));
    expect(numbers((await ties("sum", "1, 2")).get("w"))).toEqual([7, 8, -2, -2]);
  });

  test("take a fine-tune of float32 as it is, where mergekit rounds it to the base's bfloat16", async () => {
    single(bf16([1], [1]), f32([1], [1 + 2 ** -12]), f32([1], [1 + 2 ** -12]));
    const merge = "merge m onto llama using sum {\n  maths weight 16\n  code weight 16\n}";
    expect(numbers((await build(`${merge}\noutput "out" = m`)).get("w"))).toEqual([1 + 2 ** -7]);
  });

  test("of weights that sum to 0 are refused with a mean, and divide by 1 with an election", async () => {
    single(f32([1], [0]), f32([1], [3]), f32([1], [-2]));
    const three = (using: string) =>
      `output "out" = llama + ${using}(maths - llama, code - llama, maths - llama, weight: [0.4, -0.7, 0.3])`;
    const refused = await theta(three("mean"));
    expect([refused.code, refused.stderr]).toEqual([65, expect.stringContaining("error[weights-sum-to-zero]")]);
    expect(numbers((await build(three("ties"))).get("w"))[0]).toBeCloseTo(0.4 * 3 + 0.7 * 2 + 0.3 * 3, 5);
  });

  test("keep small changes of a bfloat16 model that sums in bfloat16 would lose", async () => {
    const eight = Array.from({ length: 8 }, (_, index) => `m${index}`);
    makeModelDirectory(join(project, "llama"), { w: bf16([1], [256]) });
    for (const name of eight) makeModelDirectory(join(project, name), { w: bf16([1], [258]) });
    const declarations = `theta 1\nbase llama = "llama"\n${eight.map((name) => `model ${name} = "${name}"`).join("\n")}\n`;
    const entries = eight.map((name) => `${name} weight 0.25`).join("\n");
    const out = await build(`merge m onto llama using sum {\n${entries}\n}\noutput "out" = m`, declarations);
    expect(numbers(out.get("w"))).toEqual([260]);
  });

  test("refuse another shape instead of leaving the model out", async () => {
    single(f32([2, 2], [0, 0, 0, 0]), f32([2, 2], [1, 1, 1, 1]), f32([3, 2], [1, 1, 1, 1, 1, 1]));
    const merge = 'merge m onto llama using sum {\n  maths\n  code\n}\noutput "out" = m';
    expect(refusal(await theta(merge), 65)).toBe("shape-mismatch");
  });
});

describe("a base", () => {
  test("that a merge of models cannot use is named, where mergekit's linear ends in a TypeError", async () => {
    single(f32([1], [0]), f32([1], [1]), f32([1], [2]));
    const merge = (using: string) => `merge m onto llama using ${using} {\n  maths\n  code\n}\noutput "out" = m`;
    expect(refusal(await theta(merge("linear")), 65)).toBe("base-not-used");
    expect(refusal(await theta(merge("karcher")), 65)).toBe("base-not-used");
  });
});

describe("divisors", () => {
  test("of negative weights that all but cancel count as none, where mergekit divides by what is left", async () => {
    single(f32([2], [0, 0]), f32([2], [3, 1]), f32([2], [-2, 1]));
    const ties = (weight: string) =>
      build(`output "out" = llama + ties(maths - llama, code - llama, weight: [1, ${weight}])`);
    // Both weighted elements are positive where the second vector's is negative.
    expect(numbers((await ties("-0.9999999999999999")).get("w"))[0]).toBe(5);
    expect(numbers((await ties("-0.5")).get("w"))[0]).toBe(8);
  });

  test("of nuslerp's weights that sum to 0 are refused, where mergekit goes half the way", async () => {
    single(f32([1], [0]), f32([1], [1]), f32([1], [2]));
    const refused = await theta('output "out" = nuslerp(maths, code, weight: [1, -1])');
    expect(refused.code).toBe(65);
    expect(refused.stderr).toContain("error[weights-sum-to-zero]");
  });
});

describe("small changes", () => {
  test("are rescaled as large ones, where mergekit leaves sums below 1e-7 alone", async () => {
    const small = [4e-9, -1e-9, 2e-9, 3e-9];
    single(f32([4], [0, 0, 0, 0]), f32([4], small), f32([4], small));
    const out = await build('output "out" = llama + ((maths - llama) & magnitude(density: 0.5, rescale: l1))');
    const [first, second, third, last] = numbers(out.get("w"));
    expect([second, third]).toEqual([0, 0]);
    expect(first! / 4e-9).toBeCloseTo(10 / 7, 6);
    expect(last! / 3e-9).toBeCloseTo(10 / 7, 6);
  });

  test("are taken over whole by nearswap, where mergekit measures by 1e-6 at least", async () => {
    single(f32([3], [0, 0, 0]), f32([3], [5e-8, -2e-7, 0]), f32([3], [0, 0, 0]));
    const out = await build('merge m onto llama using nearswap(t: 1e-7) {\n  maths\n}\noutput "out" = m');
    expect(numbers(out.get("w")).map((x) => Number(x.toPrecision(6)))).toEqual([5e-8, -1e-7, 0]);
  });
});

describe("three models", () => {
  test.each(["multislerp", "ram", "ram_plus", "sce", "consensus"])(
    "are merged by %s in the order of the entries, whatever the order of their statements",
    async (using) => {
      const wave = (step: number) => Array.from({ length: 999 }, (_, i) => Math.sin(i * step) * 2 ** (i % 12));
      models({
        llama: { w: f32([999], wave(0.3)) },
        maths: { w: f32([999], wave(0.7)) },
        code: { w: f32([999], wave(1.1)) },
      });
      makeModelDirectory(join(project, "chat"), { w: f32([999], wave(1.7)) });
      const declared = [...DECLARATIONS.trim().split("\n"), 'model chat = "chat"'];
      const merge = `merge m onto llama using ${using} {\n  maths\n  code\n  chat\n}\noutput "out" = m`;
      const first = (await build(merge, `${declared.join("\n")}\n`)).get("w")!.data;
      rmSync(join(project, ".theta"), { recursive: true });
      const [version, ...others] = declared;
      const again = (await build(merge, `${[version, ...others.reverse()].join("\n")}\n`)).get("w")!.data;
      expect(Buffer.from(again).equals(first)).toBe(true);
    },
  );
});

describe("magnitude", () => {
  test("that keeps nothing follows the rule and says so, or keeps one", async () => {
    single(f32([4], [0, 0, 0, 0]), f32([4], [1, -5, 2, 3]), f32([4], [0, 0, 0, 0]));
    const merge = (mask: string) => `output "out" = llama + ((maths - llama) & ${mask})`;
    const declarations = DECLARATIONS.replace('model code  = "code"\n', "");
    const warned = await theta(merge("magnitude(density: 0.2)"), declarations);
    expect(warned.code).toBe(0);
    expect(warned.stderr).toContain("empty-mask");
    expect(numbers(readOutput(join(project, "out")).get("w"))).toEqual([0, 0, 0, 0]);
    for (const rescale of ["inv", "l1"]) {
      const { stderr } = await theta(merge(`magnitude(density: 0.2, rescale: ${rescale})`), declarations);
      expect(stderr).toContain("keeps nothing in a group");
    }
    const one = await build(merge("magnitude(density: 0.2, at_least_one: true)"), declarations);
    expect(numbers(one.get("w"))).toEqual([0, -5, 0, 0]);
  });

  test("restores a float16 tensor's sum beyond 65504 without overflow", async () => {
    const size = 300 * 300;
    const ones = new Array<number>(size).fill(1);
    const zeros = new Array<number>(size).fill(0);
    single(f16([300, 300], zeros), f16([300, 300], ones), f16([300, 300], ones));
    const out = await build('output "out" = llama + ((maths - llama) & magnitude(density: 0.5, rescale: l1))');
    const kept = numbers(out.get("w"));
    expect(kept.filter((value) => value === 2)).toHaveLength(size / 2);
    expect(kept.filter((value) => value === 0)).toHaveLength(size / 2);
  });

  test("keeps the same ones of equal magnitudes on any number of threads, and not the first", async () => {
    const ones = new Array<number>(8192).fill(1);
    single(bf16([64, 128], new Array<number>(8192).fill(0)), bf16([64, 128], ones), bf16([64, 128], ones));
    const statements = 'output "out" = llama + ((maths - llama) & magnitude(density: 0.25))';
    const once = (await build(statements)).get("w")!;
    const again = await run(project, ["build", "--threads", "1", "--store", "other"]);
    expect(again.code, again.stderr).toBe(0);
    expect(Buffer.from(readOutput(join(project, "out")).get("w")!.data).equals(once.data)).toBe(true);
    const kept = numbers(once);
    expect(kept.filter((value) => value === 1)).toHaveLength(2048);
    const inFirstQuarter = kept.slice(0, 2048).filter((value) => value === 1).length;
    expect(inFirstQuarter).toBeGreaterThan(400);
    expect(inFirstQuarter).toBeLessThan(624);
  });
});

describe("breadcrumbs", () => {
  test("keep what they should where no element, or less than one, is dropped from the top", async () => {
    single(f32([4], [0, 0, 0, 0]), f32([4], [1, -2, 3, -4]), f32([4], [0, 0, 0, 0]));
    const crumbs = (top: string) =>
      build(`output "out" = llama + ((maths - llama) & breadcrumbs(density: 0.5, drop_top: ${top}, per: tensor))`);
    expect(numbers((await crumbs("0")).get("w"))).toEqual([0, 0, 3, -4]);
    expect(numbers((await crumbs("0.01")).get("w"))).toEqual([0, 0, 3, -4]);
    expect(numbers((await crumbs("0.25")).get("w"))).toEqual([0, -2, 3, 0]);
  });

  test("of density and top above 1 keep what is left; drop_top: 1 - density is mergekit's", async () => {
    single(f32([4], [0, 0, 0, 0]), f32([4], [1, -2, 3, -4]), f32([4], [0, 0, 0, 0]));
    const crumbs = (top: string) =>
      build(`output "out" = llama + ((maths - llama) & breadcrumbs(density: 0.75, drop_top: ${top}, per: tensor))`);
    expect(numbers((await crumbs("0.5")).get("w"))).toEqual([1, -2, 0, 0]);
    expect(numbers((await crumbs("1 - 0.75")).get("w"))).toEqual([1, -2, 3, 0]);
  });
});

describe("embeddings of other sizes", () => {
  const name = "model.embed_tokens.weight";

  test("are cut only where the recipe says so, and then keep the base's rows", async () => {
    models({
      llama: { [name]: f32([3, 1], [1, 2, 3]) },
      maths: { [name]: f32([2, 1], [2, 4]) },
      code: { [name]: f32([4, 1], [2, 2, 5, 7]) },
    });
    const merge = 'merge m onto llama using sum {\n  maths\n  code\n}\noutput "out" = m';
    expect(refusal(await theta(merge), 65)).toBe("shape-mismatch");
    const common = DECLARATIONS.replace(/(model.*)/g, "$1 { resize common }");
    expect(numbers((await build(merge, common)).get(name))).toEqual([3, 4, 5]);
  });

  test("are cut for karcher, too, whose cut mergekit throws away", async () => {
    models({
      llama: { [name]: f32([2, 1], [3, 0]) },
      maths: { [name]: f32([3, 1], [3, 0, 7]) },
      code: { [name]: f32([1, 1], [3]) },
    });
    const merge = 'output "out" = karcher(llama, maths, code)';
    expect(refusal(await theta(merge), 65)).toBe("shape-mismatch");
    const common = DECLARATIONS.replace(/(model.*)/g, "$1 { resize common }");
    const [first, second] = numbers((await build(merge, common)).get(name));
    expect([first, second].map((x) => Number(x!.toFixed(6)))).toEqual([3, 0]);
  });
});

describe("what an output says of itself", () => {
  const config = (dtype: string) => ({ model_type: "llama", torch_dtype: dtype });

  test("is the dtype that it has, the base's or the one it is told", async () => {
    makeModelDirectory(join(project, "llama"), { w: bf16([2], [1, 2]) }, { config: config("bfloat16") });
    makeModelDirectory(join(project, "maths"), { w: f32([2], [1.5, 2]) }, { config: config("float32") });
    const declarations = DECLARATIONS.replace('model code  = "code"\n', "");
    const merge = "llama + (maths - llama)";
    const said = () =>
      (JSON.parse(readFileSync(join(project, "out/config.json"), "utf8")) as { torch_dtype: string }).torch_dtype;
    expect((await build(`output "out" = ${merge}`, declarations)).get("w")!.dtype).toBe("BF16");
    expect(said()).toBe("bfloat16");
    expect((await build(`output "out" = ${merge} {\n  dtype f32\n}`, declarations)).get("w")!.dtype).toBe("F32");
    expect(said()).toBe("float32");
  });

  test("is the first model's configuration and tokenizer, not that of a model by chance", async () => {
    for (const name of ["llama", "maths", "code"]) {
      const files = { "tokenizer.json": `{"of": "${name}"}` };
      makeModelDirectory(join(project, name), { w: f32([1], [1]) }, { files, config: { model_type: name } });
    }
    const declarations = DECLARATIONS.replace('base  llama = "llama"\n', "");
    const said = (file: string) => readFileSync(join(project, "out", file), "utf8");
    await build('output "out" = linear(code, maths)', declarations);
    expect([said("tokenizer.json"), said("config.json")]).toEqual([
      '{"of": "code"}',
      expect.stringContaining('"code"'),
    ]);
    await build('output "out" = linear(code, maths) {\n  tokenizer maths\n}', declarations);
    expect([said("tokenizer.json"), said("config.json")]).toEqual([
      '{"of": "maths"}',
      expect.stringContaining('"code"'),
    ]);
  });

  test("does not depend on the order of statements", async () => {
    single(f32([3], [1, 2, 3]), f32([3], [1.1, 2.2, 3.3]), f32([3], [0.1, 0.2, 0.7]));
    const statements = ["merge soup onto llama using sum(scale: 0.3) {\n  maths\n  code\n}", 'output "out" = soup'];
    const first = (await build(statements.join("\n"))).get("w")!.data;
    rmSync(join(project, ".theta"), { recursive: true });
    const again = (await build([...statements].reverse().join("\n"))).get("w")!.data;
    expect(Buffer.from(again).equals(first)).toBe(true);
  });
});
