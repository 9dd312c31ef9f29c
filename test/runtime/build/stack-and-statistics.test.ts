// Stacks of models that statistics of all tensors of a vector are part of: also of the layers that a stack leaves out.

import { readFileSync, rmSync } from "node:fs";
import { expect, test } from "vitest";
import { f32, f64, type TestTensor } from "../../support/tensors.ts";
import { buildText, planText } from "./build-text.ts";
import { useWorkspace } from "./use-workspace.ts";

const LAYERS = 4;

function model(seed: number, scale = 1, wide = false): Record<string, TestTensor> {
  let state = seed;
  const next = (): number => Math.fround(scale * ((state = (state * 1103515245 + 12345) % 2 ** 31) / 2 ** 31 - 0.5));
  const tensor = (size: number): TestTensor => (wide ? f64 : f32)([size], Array.from({ length: size }, next));
  return {
    "embed.weight": tensor(300),
    ...Object.fromEntries(Array.from({ length: LAYERS }, (_, i) => [`layers.${i}.w`, tensor(400)])),
    "norm.weight": tensor(20),
  };
}

const space = useWorkspace((space) => {
  space.write("base", model(1));
  space.write("maths", model(2));
  space.write("code", model(3, 0.5));
  space.write("wide", model(4, 1, true));
});

const HEAD = `theta 1
base llama = "base"
model maths = "maths"
model code = "code"
mask trim = magnitude(density: 0.2, per: model)
`;
const TRIMMED = "merge trimmed onto llama using ties {\n  each mask trim\n  maths\n  code\n}\n";
const bytesOf = (output: string): Buffer => readFileSync(space.path(output, "model.safetensors"));

/** What a stack of `name` gives is what a stack of the same model gives that was written before. */
async function expectAsWritten(declared: string, name: string, stacked: string): Promise<void> {
  const built = await buildText(space.root, `${HEAD}${declared}output "out/direct" = ${stacked}\n`);
  expect(built).toMatchObject({ status: "done", diagnostics: [] });
  const direct = bytesOf("out/direct");
  rmSync(space.path(".theta"), { recursive: true });
  await buildText(space.root, `${HEAD}${declared}output "out/written" = ${name}\n`);
  const head = HEAD.replace(/^mask.*\n/m, "").replace(/^base llama.*\n/m, "");
  const used = [...head.matchAll(/^model (\w+).*\n/gm)].filter(([, model]) => !stacked.includes(model!));
  const needed = used.reduce((text, [line]) => text.replace(line, ""), head);
  await buildText(space.root, `${needed}model ${name} = "out/written"\noutput "out/indirect" = ${stacked}\n`);
  expect(bytesOf("out/indirect").equals(direct)).toBe(true);
}

test.each([
  "stack(slice(trimmed, 1..3))",
  "stack(slice(trimmed, 0..3), slice(trimmed, 1..4))",
  "stack(slice(trimmed, 2..4), slice(code, 0..2))",
  "linear(stack(slice(trimmed, 0..2)), stack(slice(trimmed, 2..4)))",
])("%s has the thresholds and the ranks of the whole model", async (stacked) => {
  await expectAsWritten(TRIMMED, "trimmed", stacked);
  rmSync(space.path(".theta"), { recursive: true });
  rmSync(space.path("out"), { recursive: true });
  const ranked = "mask ranks = della(density: 0.5, per: model, seed: 7)\n";
  await expectAsWritten(ranked + TRIMMED.replace("mask trim", "mask ranks"), "trimmed", stacked);
});

test.each(["stack(slice(lined, 1..3))", "stack(slice(lined, 3..4), slice(lined, 0..1))"])(
  "%s is measured over the whole model",
  async (stacked) => {
    await expectAsWritten(
      "merge lined = llama + lines(maths - llama, beta: 0.5, like: (code - llama) & trim)\n",
      "lined",
      stacked,
    );
  },
);

test("a vector of stacks has the tensors of the stack", async () => {
  const stacks = "merge low = stack(slice(llama, 0..2))\nmerge high = stack(slice(maths, 2..4))\n";
  const head = HEAD.replace(/^model code.*\n/m, "");
  await buildText(space.root, `${head}${stacks}output "out/direct" = low + ((high - low) & trim)\n`);
  const direct = bytesOf("out/direct");
  await buildText(
    space.root,
    `${head.replace(/^mask.*\n/m, "")}${stacks}output "out/low" = low\noutput "out/high" = high\n`,
  );
  await buildText(
    space.root,
    'theta 1\nmodel low = "out/low"\nmodel high = "out/high"\nmask trim = magnitude(density: 0.2, per: model)\noutput "out/indirect" = low + ((high - low) & trim)\n',
  );
  expect(bytesOf("out/indirect").equals(direct)).toBe(true);
});

test("one layer in two work types has no one threshold", async () => {
  const text = `${HEAD}model wide = "wide"\n${TRIMMED}merge both = linear(stack(slice(trimmed, 0..1), slice(trimmed, 0..1)), stack(slice(llama, 0..1), slice(wide, 1..2)))\noutput "out" = both\n`;
  await expect(buildText(space.root, text)).rejects.toThrow("layers.0.w takes part in the work types f32 and f64");
});

test("nothing runs again, and one layer that the stack left out is enough to look again", async () => {
  const text = `${HEAD}${TRIMMED}output "out" = stack(slice(trimmed, 0..2))\n`;
  expect(await buildText(space.root, text)).toMatchObject({ statistics: { run: 2, reused: 0 } });
  expect((await planText(space.root, text)).counts).toMatchObject({ run: 0, unknown: 0 });
  expect(await buildText(space.root, text)).toMatchObject({ ran: [], statistics: { run: 0, reused: 2 } });
  const changed = model(2);
  space.write("maths", { ...changed, "layers.3.w": f32([400], new Array<number>(400).fill(9)) });
  const again = await buildText(space.root, text);
  expect(again.statistics).toEqual({ run: 1, reused: 1 });
  expect(again.ran).toContain("out:layers.0.w");
});
