// Thresholds over all tensors of a vector: found once, kept by tensor, and cut off by their value.

import { readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { listBuildIds, readBuildRecord } from "../../../runtime/history/build-record.ts";
import { storePaths } from "../../../runtime/store/store-paths.ts";
import { decodeFloats, f32, f64, type TestTensor } from "../../support/tensors.ts";
import { buildText, planText } from "./build-text.ts";
import { useWorkspace } from "./use-workspace.ts";

type Values = Readonly<Record<string, readonly number[]>>;

const SHAPES: Readonly<Record<string, readonly number[]>> = {
  "embed.weight": [30, 20],
  "layers.0.w": [25, 16],
  "layers.1.w": [25, 16],
  "norm.weight": [20],
  scale: [],
};

function elements(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** Without equal magnitudes. */
function valuesOf(seed: number): Values {
  let state = seed;
  const next = (): number => (state = (state * 1103515245 + 12345) % 2 ** 31) / 2 ** 31 - 0.5;
  return Object.fromEntries(
    Object.entries(SHAPES).map(([name, shape]) => [name, Array.from({ length: elements(shape) }, next)]),
  );
}

function tensorsOf(values: Values): Record<string, TestTensor> {
  return Object.fromEntries(Object.entries(values).map(([name, list]) => [name, f32(SHAPES[name]!, list)]));
}

const zeros = Object.fromEntries(
  Object.entries(SHAPES).map(([name, shape]) => [name, Array<number>(elements(shape)).fill(0)]),
);
const [maths, code] = [valuesOf(1), valuesOf(2)];

const space = useWorkspace((space) => {
  space.write("base", tensorsOf(zeros));
  space.write("maths", tensorsOf(maths));
  space.write("code", tensorsOf(code));
});

const MODELS = `theta 1
base llama = "base"
model maths = "maths"
model code = "code"
`;
const TIES = `${MODELS}mask trim = magnitude(density: 0.2, per: model)
merge m onto llama using ties {
  each mask trim
  maths weight 0.5
  code
}
output "dist/m" = m
`;

function read(output: string): Values {
  const bytes = readFileSync(space.path(output, "model.safetensors"));
  const length = Number(bytes.readBigUInt64LE(0));
  const header = JSON.parse(bytes.toString("utf8", 8, 8 + length)) as Record<
    string,
    { readonly dtype: string; readonly data_offsets: readonly [number, number] }
  >;
  return Object.fromEntries(
    Object.entries(header)
      .filter(([name]) => name !== "__metadata__")
      .map(
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

/** Magnitudes of `values` that are in the output and those that are not, scalars left out. */
function keptAndDropped(values: Values, made: Values): readonly [readonly number[], readonly number[]] {
  const kept: number[] = [];
  const dropped: number[] = [];
  for (const [name, list] of Object.entries(values)) {
    if (SHAPES[name]!.length === 0) continue;
    list.forEach((value, index) => (made[name]![index] === 0 ? dropped : kept).push(Math.abs(value)));
  }
  return [kept, dropped];
}

describe("the mask", () => {
  const vector = (mask: string): string => `${MODELS}output "dist/v" = (maths - llama) & ${mask} {\n  dtype f32\n}\n`;

  test("keeps the largest elements of the whole vector", async () => {
    await buildText(space.root, vector("magnitude(density: 0.2, per: model)"));
    const [kept, dropped] = keptAndDropped(maths, read("dist/v"));
    expect(kept.length).toBe(Math.trunc((kept.length + dropped.length) * 0.2));
    expect(Math.min(...kept)).toBeGreaterThan(Math.max(...dropped));
    expect(read("dist/v")["scale"]).toEqual(decodeFloats("F32", f32([], maths["scale"]!).data));
  });

  test("of breadcrumbs drops the largest, too", async () => {
    await buildText(space.root, vector("breadcrumbs(density: 0.3, drop_top: 0.1, per: model)"));
    const [kept, dropped] = keptAndDropped(maths, read("dist/v"));
    const total = kept.length + dropped.length;
    expect(kept.length).toBe(Math.trunc(total * 0.3));
    expect(dropped.filter((value) => value > Math.max(...kept)).length).toBe(Math.trunc(total * 0.1));
  });

  test("counts tensors of the vector that it does not reach", async () => {
    const text = `${MODELS}mask trim = match("embed*": magnitude(density: 0.9), else: magnitude(density: 0.2, per: model))
output "dist/v" = (maths - llama) & trim {\n  dtype f32\n}\n`;
    await buildText(space.root, vector("magnitude(density: 0.2, per: model)"));
    const before = read("dist/v");
    await buildText(space.root, text);
    for (const name of ["layers.0.w", "layers.1.w", "norm.weight"]) expect(read("dist/v")[name]).toEqual(before[name]);
  });

  test("is found in little room, where windows that differ in float64 are one in float32", async () => {
    const many = 200_000;
    const close = Array.from({ length: many }, (_, index) => 1 + ((index * 7919) % many) * 2 ** -50);
    space.write("near", { a: f64([many], Array<number>(many).fill(0)), b: f32([3], [0, 0, 0]) });
    space.write("far", { a: f64([many], close), b: f32([3], [0.5, 1.5, 1]) });
    const text = `theta 1
base llama = "near"
model maths = "far"
${["v", "w", "x", "y"].map((name, at) => `output "dist/${name}" = (maths - llama) & magnitude(density: 0.${3 + at}, per: model) {\n  dtype f64\n}\n`).join("")}`;
    // With so many threads there is room for the fewest elements.
    await buildText(space.root, text, { engine: { threads: 1024, memory: 64 << 20, chunk: 1 << 20 } });
    const { a, b } = read("dist/v");
    expect(b).toEqual([0, 1.5, 0]);
    const least = 1 + (many - (Math.trunc((many + 3) * 0.3) - 1)) * 2 ** -50;
    expect(a!.findIndex((value, index) => value !== (close[index]! >= least ? close[index] : 0))).toBe(-1);
  });

  test("that keeps nothing warns of each tensor, and reads none for it", async () => {
    const { diagnostics, bytes } = await buildText(space.root, vector("magnitude(density: 0.0001, per: model)"));
    expect(diagnostics.map(({ code }) => code)).toEqual(["empty-mask", "empty-mask", "empty-mask", "empty-mask"]);
    const stored = Object.values(SHAPES).reduce((sum, shape) => sum + 4 * elements(shape), 0);
    expect(bytes.read).toBe(2 * stored);
  });

  test("at least keeps one, of all", async () => {
    const { diagnostics } = await buildText(
      space.root,
      vector("magnitude(density: 0.0001, per: model, at_least_one: true)"),
    );
    expect(diagnostics).toEqual([]);
    expect(keptAndDropped(maths, read("dist/v"))[0]).toHaveLength(1);
  });
});

describe("what runs again", () => {
  test("nothing, when nothing changed", async () => {
    expect((await buildText(space.root, TIES)).statistics).toEqual({ run: 2, reused: 0 });
    const again = await buildText(space.root, TIES);
    expect(again).toMatchObject({ ran: [], statistics: { run: 0, reused: 2 }, bytes: { read: 0, hashed: 0 } });
  });

  test("nothing, under other names in another order", async () => {
    await buildText(space.root, TIES);
    const lines = TIES.replaceAll("maths", "sums").replace('"sums"', '"maths"').replaceAll("trim", "cut").split("\n");
    const [version, llama, sums, code, mask, ...rest] = lines;
    const again = await buildText(space.root, [version, mask, code, sums, llama, ...rest].join("\n"));
    expect(again).toMatchObject({ ran: [], statistics: { run: 0, reused: 2 } });
  });

  test("nothing, with the index gone; without the statistics only they", async () => {
    await buildText(space.root, TIES);
    rmSync(space.path(".theta/index.sqlite"));
    expect(await buildText(space.root, TIES)).toMatchObject({ ran: [], statistics: { run: 0, reused: 2 } });
    rmSync(space.path(".theta/statistics"), { recursive: true });
    expect(await buildText(space.root, TIES)).toMatchObject({ ran: [], statistics: { run: 2, reused: 0 } });
  });

  test("one tensor of one vector, where the cut stays", async () => {
    await buildText(space.root, TIES);
    // Two elements far above the cut change places.
    const list = [...maths["layers.0.w"]!];
    const [a, b] = list.map((_, index) => index).sort((x, y) => Math.abs(list[y]!) - Math.abs(list[x]!));
    [list[a!], list[b!]] = [list[b!]!, list[a!]!];
    space.write("maths", tensorsOf({ ...maths, "layers.0.w": list }));
    const plan = await planText(space.root, TIES);
    expect(plan.outputs[0]!.statistics.map(({ state }) => state)).toEqual(["unknown", "hit"]);
    expect(plan.counts).toMatchObject({ run: 0, unknown: 5 });
    const again = await buildText(space.root, TIES);
    expect(again).toMatchObject({ ran: ["dist/m:layers.0.w"], statistics: { run: 1, reused: 1 } });
    const { read, hashed } = again.bytes;
    const ofFile = Object.values(SHAPES).reduce((sum, shape) => sum + 4 * elements(shape), 0);
    const ofTensor = 4 * elements(SHAPES["layers.0.w"]!);
    // The file is hashed, and the output while it is written. The statistic reads the tensor of base and fine-tune, the action
    // that of all three.
    expect({ read: read - ofFile, hashed: hashed - ofFile }).toEqual({ read: 5 * ofTensor, hashed: ofFile });
  });

  test("every tensor that another cut reaches", async () => {
    await buildText(space.root, TIES);
    space.write("maths", tensorsOf({ ...maths, "layers.0.w": maths["layers.0.w"]!.map((value) => value * 3) }));
    const again = await buildText(space.root, TIES);
    expect(again.statistics).toEqual({ run: 1, reused: 1 });
    expect(again.ran).toContain("dist/m:embed.weight");
    expect(again.ran).not.toContain("dist/m:scale");
    const paths = storePaths(space.path(".theta"));
    const { tensors } = readBuildRecord(paths, listBuildIds(paths).toSorted().at(-1)!)!.outputs[0]!;
    const reasons = Object.fromEntries(tensors.map(({ name, reason }) => [name, reason]));
    expect(reasons).toMatchObject({ "embed.weight": "derived", "layers.0.w": "input-changed", scale: "up-to-date" });
    const made = read("dist/m");
    rmSync(space.path(".theta"), { recursive: true });
    rmSync(space.path("dist"), { recursive: true });
    await buildText(space.root, TIES);
    expect(made).toEqual(read("dist/m"));
  });

  test("a file of the statistics that was damaged is made again", async () => {
    await buildText(space.root, TIES);
    const folder = space.path(".theta/statistics");
    for (const name of readdirSync(folder)) {
      const bytes = readFileSync(join(folder, name));
      bytes[bytes.length >> 1]! ^= 1;
      writeFileSync(join(folder, name), bytes);
    }
    expect(await buildText(space.root, TIES)).toMatchObject({ ran: [], statistics: { run: 2, reused: 0 } });
    expect(await buildText(space.root, TIES)).toMatchObject({ ran: [], statistics: { run: 0, reused: 2 } });
  });

  test("two outputs share a statistic", async () => {
    const text = `${TIES}output "dist/sum" = llama + ((maths - llama) & trim) {\n  dtype bf16\n}\n`;
    expect((await buildText(space.root, text)).statistics).toEqual({ run: 2, reused: 1 });
  });

  test("a vector masked twice has the second threshold found of what the first leaves", async () => {
    const text = `${MODELS}mask half = magnitude(density: 0.5, per: model)
mask top = breadcrumbs(density: 1, drop_top: 0.1, per: model)
output "dist/v" = ((maths - llama) & half) & top {\n  dtype f32\n}\n`;
    const { statistics } = await buildText(space.root, text);
    expect(statistics).toEqual({ run: 2, reused: 0 });
    const [kept, dropped] = keptAndDropped(maths, read("dist/v"));
    const total = kept.length + dropped.length;
    expect(kept.length).toBe(Math.trunc(total * 0.5) - Math.trunc(total * 0.1));
  });
});

describe("a plan", () => {
  test("does not know what hangs on a threshold that is not known", async () => {
    const plan = await planText(space.root, TIES);
    expect(plan.counts).toMatchObject({ run: 5, unknown: 0 });
    expect(plan.outputs[0]!.statistics).toEqual([
      { kind: "cut", vector: "maths - llama", tensors: 4, bytes: 11360, state: "miss", reason: "no-record" },
      { kind: "cut", vector: "code - llama", tensors: 4, bytes: 11360, state: "miss", reason: "no-record" },
    ]);
    await buildText(space.root, TIES);
    expect((await planText(space.root, TIES)).counts).toMatchObject({ up_to_date: 5, unknown: 0 });
    const denser = TIES.replace("0.2", "0.3");
    expect((await planText(space.root, denser)).outputs[0]!.statistics.map(({ state }) => state)).toEqual([
      "miss",
      "miss",
    ]);
  });
});
