// A plan says before the fact what a build does, also where thresholds over all tensors of a vector have to be found first,
// and where gates compare with payloads and with merges that nobody stores.

import { rmSync } from "node:fs";
import { expect, test } from "vitest";
import { f32, type TestTensor } from "../../support/tensors.ts";
import { buildText, planText } from "./build-text.ts";
import { useWorkspace } from "./use-workspace.ts";

const SHAPES: Readonly<Record<string, readonly number[]>> = {
  "embed.weight": [30, 20],
  "layers.0.w": [25, 16],
  "layers.1.w": [25, 16],
  "norm.weight": [20],
};

/** `odd`: added to the first element of that tensor. */
function model(seed: number, odd?: string): Record<string, TestTensor> {
  let state = seed;
  const next = (): number => (state = (state * 1103515245 + 12345) % 2 ** 31) / 2 ** 31 - 0.5;
  return Object.fromEntries(
    Object.entries(SHAPES).map(([name, shape]) => {
      const values = Array.from({ length: shape.reduce((product, size) => product * size, 1) }, next);
      if (name === odd) values[0]! += 1e-3;
      return [name, f32(shape, values)];
    }),
  );
}

const space = useWorkspace((space) => {
  space.write("base", model(1));
  space.write("maths", model(2));
  space.write("code", model(3));
  space.write("other", model(4));
});

interface Recipe {
  readonly mask?: string;
  readonly scale?: number;
  readonly outputs?: readonly string[];
  readonly gates?: readonly string[];
}

function text({
  mask = "magnitude(density: 0.2, per: model)",
  scale = 1,
  outputs = ["m"],
  gates = [],
}: Recipe): string {
  const lines = [
    'theta 1\nbase llama = "base"\nmodel other = "other"\nmodel maths = "maths"\nmodel code = "code"',
    "merge half = linear(maths, code)",
    `merge m onto llama using sum(scale: ${scale}) {\n  each mask ${mask}\n  maths\n  code\n}`,
    ...outputs.map((name) => `output "dist/${name}" = m${name === "wide" ? " {\n  dtype f64\n}" : ""}`),
    ...(gates.length > 0 ? [`expect m {\n  ${gates.join("\n  ")}\n}`] : []),
  ];
  return `${lines.join("\n")}\n`;
}

const TRIM: Recipe = {};
const CRUMBS: Recipe = { mask: "breadcrumbs(density: 0.5, drop_top: 0.1, per: model)" };
const GATED: Recipe = { gates: ["cosine(llama) > -1", "distance(half) < 1000", "finite", "changed(maths) > 0"] };
const GATED_ALONE: Recipe = { gates: ["norm > 0"] };

async function built(recipe: Recipe): Promise<void> {
  expect((await buildText(space.root, text(recipe))).status).toBe("done");
}

/** What is done before, then what is planned and built. */
const SITUATIONS: readonly (readonly [what: string, recipe: Recipe, before?: () => Promise<void>])[] = [
  ["a first build with thresholds", TRIM],
  ["a first build of two outputs that share them", { outputs: ["m", "n"] }],
  ["nothing to do", TRIM, () => built(TRIM)],
  ["another rule", CRUMBS, () => built(TRIM)],
  ["another scale: thresholds are known", { scale: 0.5 }, () => built(TRIM)],
  [
    "an earlier rule",
    TRIM,
    async () => {
      await built(TRIM);
      await built(CRUMBS);
    },
  ],
  [
    "an output that is gone",
    TRIM,
    async () => {
      await built(TRIM);
      rmSync(space.path("dist"), { recursive: true });
    },
  ],
  ["a first build with gates", GATED],
  ["a gate against a model that is not merged", { gates: ["changed(other) > 0"] }],
  ["gates on two outputs", { ...GATED, outputs: ["m", "wide"] }],
  ["nothing to measure", GATED, () => built(GATED)],
  ["gates that the recipe gains", GATED, () => built(TRIM)],
  ["gates of what is merged anew", { ...GATED, scale: 0.5 }, () => built(GATED)],
  ["a gate of a tensor alone", GATED_ALONE, () => built(TRIM)],
  [
    "an index that is gone, and with it what was measured",
    { ...GATED, mask: "magnitude(density: 0.2)" },
    async () => {
      await built({ ...GATED, mask: "magnitude(density: 0.2)" });
      await built({ ...GATED, mask: "magnitude(density: 0.2)", scale: 0.5 });
      rmSync(space.path("dist"), { recursive: true });
    },
  ],
];

const cases = SITUATIONS.map(([what, recipe, before = () => Promise.resolve()]) => ({ what, recipe, before }));

test.each(cases)("$what", async ({ recipe, before }) => {
  await before();
  const { counts, bytes } = await planText(space.root, text(recipe));
  const done = await buildText(space.root, text(recipe));
  const { unknown, ...actions } = counts;
  expect(unknown).toBe(0);
  expect(actions).toEqual(done.actions);
  expect({ read: bytes.hash + bytes.read, hashed: bytes.hashed, written: bytes.write, copied: bytes.copy }).toEqual(
    done.bytes,
  );
});

test("values that are gone leave it open what runs, and at most so much is read and written", async () => {
  await built(TRIM);
  rmSync(space.path(".theta/statistics"), { recursive: true });
  const { counts, bytes } = await planText(space.root, text(TRIM));
  expect(counts).toMatchObject({ run: 0, unknown: 4 });
  const done = await buildText(space.root, text(TRIM));
  expect(done.actions).toMatchObject({ run: 0, up_to_date: 4 });
  expect(done.bytes.read).toBeLessThanOrEqual(bytes.hash + bytes.read);
  expect(done.bytes.written).toBeLessThanOrEqual(bytes.write);
});
