// LiNeS: the factor of each layer, the size that alpha is measured by, and what is read again after a change. That the bits
// are those of the reference is for test/oracle.

import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { bf16, decodeFloats, f32, readSafetensors, type TestTensor } from "../../support/tensors.ts";
import { buildText, planText } from "./build-text.ts";
import { useWorkspace } from "./use-workspace.ts";

type Values = Readonly<Record<string, readonly number[]>>;

const SIZES: Readonly<Record<string, number>> = {
  "embed.weight": 600,
  "layers.0.w": 400,
  "layers.1.w": 400,
  "layers.2.w": 400,
  "norm.weight": 20,
};

function valuesOf(seed: number): Values {
  let state = seed;
  const next = (): number => Math.fround((state = (state * 1103515245 + 12345) % 2 ** 31) / 2 ** 31 - 0.5);
  return Object.fromEntries(Object.entries(SIZES).map(([name, size]) => [name, Array.from({ length: size }, next)]));
}

const tensorsOf = (values: Values): Record<string, TestTensor> =>
  Object.fromEntries(Object.entries(values).map(([name, list]) => [name, f32([list.length], list)]));

const zeros: Values = Object.fromEntries(
  Object.entries(SIZES).map(([name, size]) => [name, Array<number>(size).fill(0)]),
);
const [maths, code] = [valuesOf(1), valuesOf(2)];

const space = useWorkspace((space) => {
  space.write("base", tensorsOf(zeros));
  space.write("maths", tensorsOf(maths));
  space.write("code", tensorsOf(code));
});

const HEAD = `theta 1
base llama = "base"
model maths = "maths"
model code = "code"
vector m = maths - llama
vector c = code - llama
`;
const MULTI = `${HEAD}output "out" = llama + lines(ties(m, c), beta: 0.4, like: mean(m, c))\n`;

function read(): Values {
  const made = readSafetensors(space.path("out/model.safetensors"));
  return Object.fromEntries([...made].map(([name, { dtype, data }]) => [name, decodeFloats(dtype, data)]));
}

/** What every tensor of the output is of another model's, as a factor that its elements share. */
function factorsOf(made: Values, of: Values): Record<string, number> {
  return Object.fromEntries(
    Object.entries(made).map(([name, list]) => {
      const factors = list.flatMap((x, index) => (of[name]![index] === 0 ? [] : [x / of[name]![index]!]));
      expect(Math.max(...factors) - Math.min(...factors)).toBeLessThan(1e-6);
      return [name, Number((factors[0] ?? NaN).toFixed(6))];
    }),
  );
}

/** As the authors' code merges and scales, in float64. */
function reference(beta: number): Values {
  const merged: Record<string, number[]> = {};
  let [ownSize, summedSize] = [0, 0];
  for (const name of Object.keys(SIZES)) {
    merged[name] = maths[name]!.map((x, index) => {
      const y = code[name]![index]!;
      summedSize += Math.abs(x + y);
      const plus = x + y >= 0;
      const stays = [x, y].filter((one) => (plus ? one > 0 : one < 0));
      const mean = stays.reduce((sum, one) => sum + one, 0) / Math.max(stays.length, 1);
      ownSize += Math.abs(mean);
      return mean;
    });
  }
  const alpha = summedSize / ownSize / 2;
  return Object.fromEntries(
    Object.entries(merged).map(([name, list]) => {
      const layer = /layers\.(\d)/.exec(name)?.[1];
      const factor = alpha + (layer === undefined ? 0 : (beta * Number(layer)) / 2);
      return [name, list.map((x) => x * factor)];
    }),
  );
}

describe("lines", () => {
  test("rises from alpha by beta over the layers, and is alpha outside", async () => {
    await buildText(
      space.root,
      `${HEAD}merge s onto llama using lines(alpha: 0.25, beta: 0.5) { maths }\noutput "out" = s\n`,
    );
    expect(factorsOf(read(), maths)).toEqual({
      "embed.weight": 0.25,
      "layers.0.w": 0.25,
      "layers.1.w": 0.5,
      "layers.2.w": 0.75,
      "norm.weight": 0.25,
    });
  });

  test("is what a ramp says that does not rise outside the layers, bit for bit", async () => {
    await buildText(space.root, `${HEAD}output "out" = llama + lines(m, alpha: 0.3, beta: 0.7)\n`);
    const made = readFileSync(space.path("out/model.safetensors"));
    await buildText(space.root, `${HEAD}output "out" = llama + (0.3 + ramp(0, 0.7, outside: 0)) * m\n`);
    expect(readFileSync(space.path("out/model.safetensors")).equals(made)).toBe(true);
  });

  test("measures alpha by the sizes of what was merged, as the paper does", async () => {
    await buildText(space.root, MULTI);
    const made = read();
    for (const [name, list] of Object.entries(reference(0.4))) {
      const off = Math.max(...list.map((x, index) => Math.abs(x - made[name]![index]!)));
      expect(off, name).toBeLessThan(1e-6);
    }
  });

  test("has a ratio of 1 where a vector is zero", async () => {
    await buildText(space.root, `${HEAD}output "out" = llama + lines(m, beta: 0.5, like: 0 * c)\n`);
    expect(factorsOf(read(), maths)["layers.1.w"]).toBe(1.25);
    await buildText(space.root, `${HEAD}output "out" = llama + lines(0 * m, beta: 0.5, like: c)\n`);
    expect(Object.values(read()).every((list) => list.every((x) => x === 0))).toBe(true);
  });
});

test("the output says the method, and what alpha is measured by though no tensor comes of it", async () => {
  const said = async (merge: string) => {
    await buildText(space.root, `${HEAD}output "out" = llama + ${merge}\n`);
    const { inputs } = JSON.parse(readFileSync(space.path("out/theta.json"), "utf8")) as {
      readonly inputs: readonly { readonly source: string }[];
    };
    const card = readFileSync(space.path("out/README.md"), "utf8");
    return [card.includes("using `lines`"), ...inputs.map(({ source }) => source)];
  };
  expect(await said("lines(m, beta: 0.5)")).toEqual([true, "base", "maths"]);
  expect(await said("lines(m, beta: 0.5, like: c)")).toEqual([true, "base", "maths", "code"]);
  expect(await said("0.5 * m")).toEqual([false, "base", "maths"]);
});

describe("at the edges", () => {
  const flat = (text: string): Values => ({
    ...maths,
    "layers.0.w": maths["layers.0.w"]!.map((x, i) => (i === 7 ? Number(text) : x)),
  });

  test.each(["NaN", "Infinity"])(
    "%s in what alpha is measured by is an error, and computed with where that is asked for",
    async (text) => {
      space.write("code", tensorsOf(flat(text)));
      const lines = `${HEAD}output "out" = llama + lines(m, beta: 0.5, like: c)\n`;
      await expect(buildText(space.root, lines)).rejects.toThrow(
        `layers.0.w of code holds ${text === "NaN" ? "NaN" : "infinity"}`,
      );
      await buildText(space.root, lines.replace('"code"', '"code" { nan propagate }'));
      expect(factorsOf(read(), maths)["layers.1.w"]).toBe(1.25);
      await buildText(space.root, lines.replace('"code"', '"code" { nan zero }'));
      expect(factorsOf(read(), maths)["layers.1.w"]).not.toBe(1.25);
    },
  );

  test("equal models are the base, bit for bit; other dtypes, scalars and empty tensors take part", async () => {
    const model = {
      "layers.0.w": bf16([2, 2], [1, -0, 3e-39, -4]),
      "layers.1.w": f32([3], [0.1, -0, 7]),
      scale: f32([], [-0]),
      nothing: f32([0, 4], []),
    };
    for (const name of ["base", "maths", "code"]) space.write(name, model);
    await buildText(space.root, `${HEAD}output "out" = llama + lines(m, beta: 0.5, like: c)\n`);
    for (const [name, { data }] of readSafetensors(space.path("out/model.safetensors"))) {
      expect(Buffer.from(data).equals(Buffer.from(model[name as keyof typeof model].data)), name).toBe(true);
    }
    space.write("maths", { ...model, scale: f32([], [2]), "layers.0.w": bf16([2, 2], [3, 0, 0, -4]) });
    space.write("code", { ...model, scale: f32([], [-8]) });
    await buildText(space.root, `${HEAD}output "out" = llama + lines(m, beta: 0.5, like: c)\n`);
    // The sizes are 8 and 2 + 2.
    expect(read()["scale"]).toEqual([4]);
    expect(read()["layers.0.w"]![0]).toBe(5);
  });

  test("one layer alone is the first", async () => {
    for (const name of ["base", "maths"]) space.write(name, { "layers.0.w": f32([1], [name === "base" ? 0 : 1]) });
    await buildText(
      space.root,
      `${HEAD.replace(/.*code.*\n/, "").replace(/.*code.*\n/, "")}output "out" = lines(m, alpha: 0.25, beta: 1)\n`,
    );
    expect(read()["layers.0.w"]).toEqual([0.25]);
  });
});

describe("the sizes", () => {
  test("are found once, and serve another alpha and beta", async () => {
    expect(await buildText(space.root, MULTI)).toMatchObject({ statistics: { run: 2, reused: 0 } });
    expect(await buildText(space.root, MULTI)).toMatchObject({ ran: [], statistics: { run: 0, reused: 2 } });
    const steeper = await buildText(space.root, MULTI.replace("beta: 0.4", "beta: 0.5"));
    // Where the depth adds nothing the factor is the same.
    expect([...steeper.ran].sort()).toEqual(["out:layers.1.w", "out:layers.2.w"]);
    expect(steeper.statistics).toEqual({ run: 0, reused: 2 });
  });

  test("read one tensor again when one has changed, and all actions run where the ratio did", async () => {
    await buildText(space.root, MULTI);
    const changed = { ...maths, "layers.0.w": maths["layers.0.w"]!.map((x) => 2 * x) };
    space.write("maths", tensorsOf(changed));
    expect((await planText(space.root, MULTI)).outputs[0]!.statistics).toMatchObject([
      { kind: "size", vector: "ties of m, c", state: "unknown" },
      { kind: "size", vector: "mean of m, c", state: "unknown" },
    ]);
    const again = await buildText(space.root, MULTI);
    expect(again).toMatchObject({ statistics: { run: 2, reused: 0 } });
    expect(again.ran).toHaveLength(5);
    const elements = Object.values(SIZES).reduce((sum, size) => sum + size, 0);
    // The changed file is hashed; both sizes are looked at in one reading of the tensor in three models; all actions run.
    expect(again.bytes.read).toBe(4 * (elements + 3 * SIZES["layers.0.w"]! + 3 * elements));
  });

  test("whose ratio stays leaves the other tensors alone", async () => {
    const text = `${HEAD}output "out" = llama + lines(m, beta: 0.4, like: c)\n`;
    await buildText(space.root, text);
    // The same size in another order of two elements a block apart would round differently: signs change nothing.
    space.write("maths", tensorsOf({ ...maths, "layers.0.w": maths["layers.0.w"]!.map((x) => -x) }));
    expect(await buildText(space.root, text)).toMatchObject({
      ran: ["out:layers.0.w"],
      statistics: { run: 1, reused: 1 },
    });
  });
});
