// Ranks over all tensors of a vector, for della masks `per: model`: which probabilities follow from them, what runs again, and
// the same bits however the work is cut. test/oracle compares values; here a model is large enough for parts and blocks.

import { readFileSync, readdirSync, rmSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { listBuildIds, readBuildRecord } from "../../../runtime/history/build-record.ts";
import { storePaths } from "../../../runtime/store/store-paths.ts";
import { bf16, decodeFloats, f32, f64, type TestTensor } from "../../support/tensors.ts";
import { buildText, planText } from "./build-text.ts";
import { useWorkspace } from "./use-workspace.ts";

const SHAPES: Readonly<Record<string, readonly number[]>> = {
  "embed.weight": [300, 400],
  "layers.0.w": [160, 500],
  "layers.1.w": [65, 1024],
  "norm.weight": [20],
  none: [0, 3],
  one: [1],
  scale: [],
};

function numbers(seed: number, count: number): number[] {
  let state = seed;
  const next = (): number => (state = (state * 1103515245 + 12345) % 2 ** 31) / 2 ** 31 - 0.5;
  return Array.from({ length: count }, next);
}

/** As of fine-tunes in bfloat16: few sizes, each of many elements. */
function model(seed: number, kind: (name: string) => typeof f32 = () => bf16): Record<string, TestTensor> {
  const named = Object.entries(SHAPES).map(([name, shape], index) => {
    const count = shape.reduce((product, size) => product * size, 1);
    return [name, kind(name)(shape, numbers(seed * 100 + index, count))] as const;
  });
  return Object.fromEntries(named);
}

const space = useWorkspace((space) => {
  space.write("base", model(1));
  space.write("maths", model(2));
  space.write("code", model(3));
  space.write(
    "zeros",
    model(
      4,
      () => (shape, list) =>
        bf16(
          shape,
          list.map(() => 0),
        ),
    ),
  );
  space.write(
    "wide",
    model(5, (name) => (name === "norm.weight" ? f64 : f32)),
  );
});

const MODELS = `theta 1
base llama = "base"
model maths = "maths"
model code = "code"
`;
const RANKS = "mask ranks = della(density: 0.5, epsilon: 0.3, per: model, seed: 7)\n";
const TIES = `${MODELS}${RANKS}merge m onto llama using ties {
  each mask ranks
  maths weight 0.5
  code
}
output "dist/m" = m
`;
const published = (output = "dist/m"): Buffer => readFileSync(space.path(output, "model.safetensors"));
/** What is left of files without names. */
const left = (): readonly string[] => readdirSync(space.path(".theta/partial"));

function read(output: string): ReadonlyMap<string, readonly number[]> {
  const bytes = published(output);
  const length = Number(bytes.readBigUInt64LE(0));
  const header = JSON.parse(bytes.toString("utf8", 8, 8 + length)) as Record<
    string,
    { readonly dtype: string; readonly data_offsets: readonly [number, number] }
  >;
  delete header["__metadata__"];
  return new Map(
    Object.entries(header).map(
      ([
        name,
        {
          dtype,
          data_offsets: [begin, end],
        },
      ]) => [name, decodeFloats(dtype, bytes.subarray(8 + length + begin, 8 + length + end))],
    ),
  );
}

describe("what is kept", () => {
  test("rises from density - epsilon to density + epsilon over the sizes of the whole vector", async () => {
    const text = `theta 1\nbase zeros = "zeros"\nmodel wide = "wide"
mask ranks = della(density: 0.5, epsilon: 0.4, per: model, seed: 7, rescale: none)
output "dist/v" = (wide - zeros) & ranks {\n  dtype f64\n}\n`;
    await buildText(space.root, text);
    const made = read("dist/v");
    const all = [...made].flatMap(([name, list]) => {
      const whole = decodeFloats(
        name === "norm.weight" ? "F64" : "F32",
        model(5, (one) => (one === "norm.weight" ? f64 : f32))[name]!.data,
      );
      return SHAPES[name]!.length === 0
        ? []
        : whole.map((value, index) => ({ size: Math.abs(value), kept: list[index] !== 0 }));
    });
    all.sort((a, b) => a.size - b.size);
    for (let tenth = 0; tenth < 10; tenth++) {
      const part = all.slice((tenth * all.length) / 10, ((tenth + 1) * all.length) / 10);
      const share = part.filter(({ kept }) => kept).length / part.length;
      expect(Math.abs(share - (0.1 + 0.8 * ((tenth + 0.5) / 10)))).toBeLessThan(0.02);
    }
    expect(made.get("scale")).toEqual(decodeFloats("F32", model(5, () => f32)["scale"]!.data));
  });

  test("is divided by its probability", async () => {
    const vector = (rescale: string): string =>
      `${MODELS}output "dist/${rescale}" = (maths - llama) & della(density: 0.5, epsilon: 0.3, per: model, seed: 7, rescale: ${rescale}) {\n  dtype f32\n}\n`;
    await buildText(space.root, vector("none"));
    await buildText(space.root, vector("inv"));
    const [plain, divided] = [read("dist/none"), read("dist/inv")];
    for (const [name, list] of divided) {
      const before = plain.get(name)!;
      if (SHAPES[name]!.length === 0) expect(list).toEqual(before);
      else
        for (const [index, value] of list.entries()) {
          if (before[index] === 0) expect(value).toBe(0);
          else {
            const probability = before[index]! / value;
            if (!(probability > 0.2 - 1e-6 && probability < 0.8 + 1e-6))
              expect(probability).toBe("between 0.2 and 0.8");
          }
        }
    }
  });
});

test.each([
  { threads: 1, memory: 5 * 2 ** 20, chunk: 2 ** 13 },
  { threads: 1, memory: 7 * 2 ** 20, chunk: 2 ** 16 },
  { threads: 3, memory: 2 ** 28, chunk: 2 ** 14 },
])("the bits are the same with $threads threads, $memory bytes, chunks of $chunk", async (engine) => {
  await buildText(space.root, TIES, { store: space.path("whole") });
  const whole = published();
  rmSync(space.path("dist"), { recursive: true });
  await buildText(space.root, TIES, { engine });
  expect(published().equals(whole)).toBe(true);
  expect(left()).toEqual([]);
});

test("a plan tells of the file of thresholds, and of what has no room in memory", async () => {
  const planned = async (memory: number, text = TIES): Promise<number> =>
    (await planText(space.root, text, { hash: false }, { engine: { threads: 1, memory, chunk: 2 ** 13 } })).scratch;
  const shapes = Object.values(SHAPES).filter((shape) => shape.length > 0);
  const elements = shapes.reduce((sum, shape) => sum + shape.reduce((product, size) => product * size, 1), 0);
  expect(await planned(2 ** 28)).toBe(2 * 4 * elements);
  // Outputs share the ranks of a vector.
  const twice = `${TIES}merge n onto llama using sum {\n  each mask ranks\n  maths\n  code\n}\noutput "dist/n" = n\n`;
  expect(await planned(2 ** 28, twice)).toBe(2 * 4 * elements);
  // What a gate compares with is ranked, too.
  const gated = `${MODELS}${RANKS}merge g = llama + ((maths - llama) & ranks)\nmerge m = linear(llama, code)\nexpect m {\n  cosine(g) > 0\n}\noutput "dist/m" = m\n`;
  expect(await planned(2 ** 28, gated)).toBe(4 * elements);
  expect(await planned(5 * 2 ** 20)).toBeGreaterThan(2 * 5 * elements);
  await buildText(space.root, TIES);
  expect(await planned(5 * 2 ** 20)).toBe(0);
});

test("a plan refuses what the memory does not suffice for, as the build does", async () => {
  const engine = { threads: 1, memory: 2 ** 20, chunk: 2 ** 13 };
  const refused = { exitCode: 71, message: expect.stringMatching(/^the ranks of .* bytes of buffers, /) as string };
  await expect(planText(space.root, TIES, { hash: false }, { engine })).rejects.toMatchObject(refused);
  await expect(buildText(space.root, TIES, { engine })).rejects.toMatchObject(refused);
});

describe("what runs again", () => {
  test("nothing, when nothing changed, and by a plan", async () => {
    expect((await planText(space.root, TIES)).outputs[0]!.statistics).toMatchObject([
      { kind: "ranks", vector: "maths - llama", tensors: 5, state: "miss", reason: "no-record" },
      { kind: "ranks", vector: "code - llama", tensors: 5, state: "miss", reason: "no-record" },
    ]);
    expect((await buildText(space.root, TIES)).statistics).toEqual({ run: 2, reused: 0 });
    const plan = await planText(space.root, TIES);
    expect(plan.outputs[0]!.statistics.map(({ state }) => state)).toEqual(["hit", "hit"]);
    expect(plan.bytes).toMatchObject({ read: 0, hash: 0, write: 0 });
    const again = await buildText(space.root, TIES);
    expect(again).toMatchObject({ ran: [], statistics: { run: 0, reused: 2 }, bytes: { read: 0, hashed: 0 } });
  });

  test("what the store holds is not ranked for", async () => {
    await buildText(space.root, TIES);
    const first = published();
    rmSync(space.path("dist"), { recursive: true });
    expect(await buildText(space.root, TIES)).toMatchObject({ ran: [], statistics: { run: 0, reused: 2 } });
    expect(published().equals(first)).toBe(true);
  });

  test("every tensor that is masked, when one of its vector changes, and no other vector is in its key", async () => {
    const text = `${MODELS}${RANKS}output "dist/m" = llama + ((maths - llama) & ranks)\noutput "dist/c" = llama + ((code - llama) & ranks)\n`;
    await buildText(space.root, text);
    const changed = model(2);
    space.write("maths", { ...changed, "norm.weight": bf16([20], numbers(99, 20)) });
    const plan = await planText(space.root, text, { hash: true });
    expect(plan.outputs.map(({ statistics }) => statistics.map(({ state }) => state))).toEqual([["miss"], ["hit"]]);
    const again = await buildText(space.root, text);
    expect(again).toMatchObject({ statistics: { run: 1, reused: 1 } });
    expect([...again.ran].sort()).toEqual(
      ["embed.weight", "layers.0.w", "layers.1.w", "norm.weight", "one"].map((name) => `dist/m:${name}`),
    );
    const paths = storePaths(space.path(".theta"));
    const { tensors } = readBuildRecord(paths, listBuildIds(paths).toSorted().at(-1)!)!.outputs[0]!;
    const reasons = Object.fromEntries(tensors.map(({ name, reason }) => [name, reason]));
    expect(reasons).toMatchObject({ "embed.weight": "derived", "norm.weight": "input-changed", scale: "up-to-date" });
    const made = published();
    rmSync(space.path(".theta"), { recursive: true });
    rmSync(space.path("dist"), { recursive: true });
    await buildText(space.root, text);
    expect(published().equals(made)).toBe(true);
  });

  test("all of it under --force, which reads again and finds the same", async () => {
    await buildText(space.root, TIES);
    const first = published();
    expect((await buildText(space.root, TIES, { force: true })).statistics).toEqual({ run: 2, reused: 0 });
    expect(published().equals(first)).toBe(true);
  });
});

test("outputs over one vector share its ranks, whatever their densities", async () => {
  const other =
    'output "dist/other" = llama + ((maths - llama) & della(density: 0.4, per: model, seed: 9, stream: 0))\n';
  expect((await buildText(space.root, TIES + other)).statistics).toEqual({ run: 2, reused: 1 });
  const both = published("dist/other");
  rmSync(space.path(".theta"), { recursive: true });
  await buildText(space.root, MODELS.replace(/model code.*\n/, "") + other);
  expect(published("dist/other").equals(both)).toBe(true);
});

test.each([
  ["a threshold", "magnitude(density: 0.5, per: model)"],
  ["ranks", "della(density: 0.6, per: model, seed: 3)"],
])("%s of what is masked by ranks", async (_, mask) => {
  const text = `${MODELS}${RANKS}output "dist/v" = ((maths - llama) & ranks) & ${mask} {\n  dtype f32\n}\n`;
  expect((await buildText(space.root, text)).statistics).toEqual({ run: 2, reused: 0 });
  const direct = read("dist/v");
  rmSync(space.path(".theta"), { recursive: true });
  // What the first mask leaves, as a stored vector: float32, as it is between masks.
  await buildText(space.root, `${MODELS}${RANKS}output "dist/left" = (maths - llama) & ranks\n`);
  const stored = 'theta 1\nbase llama = "base"\nvector left = "dist/left" on llama\n';
  await buildText(space.root, `${stored}output "dist/v" = left & ${mask} {\n  dtype f32\n}\n`);
  expect(read("dist/v")).toEqual(direct);
});

test("the output says what it was made with, and of what the ranks were taken", async () => {
  const text = `${MODELS}${RANKS}output "dist/m" = llama + ((maths - llama) & ranks & "norm*")\n`;
  await buildText(space.root, text);
  interface Facts {
    readonly inputs: readonly { readonly digest: string }[];
  }
  const facts = (): Facts => JSON.parse(readFileSync(space.path("dist/m/theta.json"), "utf8")) as Facts;
  const before = facts();
  expect(readFileSync(space.path("dist/m/README.md"), "utf8")).toContain("using `della`");
  // Of maths only the norm is read, and all of it is ranked.
  space.write("maths", { ...model(2), "layers.0.w": bf16(SHAPES["layers.0.w"]!, numbers(98, 80_000)) });
  await buildText(space.root, text);
  expect(facts().inputs).not.toEqual(before.inputs);
});

test("a gate compares with what is masked by ranks", async () => {
  const other = 'merge n = llama + ((code - llama) & ranks)\noutput "dist/n" = n\nexpect n {\n  cosine(m) > 0.1\n}\n';
  const text = TIES.replace('output "dist/m" = m\n', other);
  const built = await buildText(space.root, text);
  expect(built).toMatchObject({ status: "done" });
  expect(built.gates.map(({ passed }) => passed)).toEqual([true]);
  expect(left()).toEqual([]);
});

test("a mask that keeps nothing of the model warns of each tensor, and of one that it keeps something of elsewhere of none", async () => {
  const vector = (density: string): string =>
    `${MODELS}output "dist/v" = (maths - llama) & della(density: ${density}, per: model, seed: 1) {\n  dtype f32\n}\n`;
  const nothing = await buildText(space.root, vector("1e-9, epsilon: 9e-10"));
  expect(nothing.diagnostics.map(({ code }) => code)).toEqual(new Array(5).fill("empty-mask"));
  // Nothing of "one" is kept.
  expect((await buildText(space.root, vector("0.02, epsilon: 0.01"))).diagnostics).toEqual([]);
});
