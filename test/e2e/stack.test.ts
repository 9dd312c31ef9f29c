// Layers of real fine-tunes on top of each other, and a scaled model: bytes, config.json, what runs again.

import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { TestTensor } from "../support/tensors.ts";
import { readOutput } from "./read-output.ts";
import { refusal } from "./refusal.ts";
import { build, theta } from "./theta-process.ts";

const MODELS = fileURLToPath(new URL("../../examples/tiny-llama/data", import.meta.url));
const DECLARATIONS = `theta 1
base  llama  = "data/base"
model python = "data/python"
model c      = "data/c"
`;

let project: string;
beforeAll(() => {
  project = mkdtempSync(join(tmpdir(), "theta-stack-"));
  symlinkSync(MODELS, join(project, "data"));
});
afterAll(() => rmSync(project, { recursive: true, force: true }));

function write(statements: string): void {
  writeFileSync(join(project, "merge.theta"), `${DECLARATIONS}${statements}\n`);
}

function input(name: string): Map<string, TestTensor> {
  return readOutput(join(MODELS, name));
}

function expectSame(actual: TestTensor | undefined, expected: TestTensor | undefined): void {
  expect(actual?.dtype).toBe(expected?.dtype);
  expect(actual?.shape).toEqual(expected?.shape);
  expect(Buffer.from(actual!.data).equals(expected!.data)).toBe(true);
}

test("a stack of slices holds their payloads, renumbered, and says how many layers there are", () => {
  write(`merge mix onto llama using sum(scale: 0.5) {
  python
  c
}
merge tall = stack(slice(python, 0..3), slice(c, -2..), slice(mix, 1..2), slice(python, 1..2))
output "out/mix" = mix
output "out/tall" = tall`);
  const summary = build(project);
  expect(summary).toMatchObject({ status: "done" });
  const tall = readOutput(join(project, "out/tall"));
  const models = { python: input("python"), c: input("c"), mix: readOutput(join(project, "out/mix")) };
  const origins = [
    ["python", 0],
    ["python", 1],
    ["python", 2],
    ["c", 2],
    ["c", 3],
    ["mix", 1],
    ["python", 1],
  ] as const;
  const inLayers = (name: string) => /^model\.layers\.(\d+)\.(.*)$/.exec(name);
  let checked = 0;
  for (const [name, tensor] of tall) {
    const match = inLayers(name);
    if (match === null) continue;
    const [model, layer] = origins[Number(match[1])]!;
    expectSame(tensor, models[model].get(`model.layers.${layer}.${match[2]}`));
    checked++;
  }
  expect(checked).toBe(origins.length * 9);
  for (const name of ["model.embed_tokens.weight", "model.norm.weight", "lm_head.weight"]) {
    expectSame(tall.get(name), models.python.get(name));
  }
  expect(tall.size).toBe(checked + 3);
  const config = (path: string) => readFileSync(join(path, "config.json"), "utf8");
  expect(config(join(project, "out/tall"))).toBe(
    config(join(MODELS, "python")).replace('"num_hidden_layers": 4', '"num_hidden_layers": 7'),
  );
  expect(readFileSync(join(project, "out/tall/README.md"), "utf8")).toContain("`stack`");
});

test("nothing of it runs again, nor is read, when layers are put together in another way", () => {
  const statements = (order: string) => `merge tall = stack(${order})\noutput "out/again" = tall`;
  write(statements("slice(python, 0..2), slice(c, 2..4)"));
  build(project);
  expect(build(project)).toMatchObject({ actions: { run: 0 }, bytes: { read: 0 } });
  write(statements("slice(python, 0..2), slice(c, 3..4), slice(c, 2..3), slice(python, 1..2)"));
  expect(build(project)).toMatchObject({ status: "done", actions: { run: 0 } });
  const again = readOutput(join(project, "out/again"));
  expectSame(again.get("model.layers.2.mlp.up_proj.weight"), input("c").get("model.layers.3.mlp.up_proj.weight"));
  expectSame(again.get("model.layers.4.mlp.up_proj.weight"), input("python").get("model.layers.1.mlp.up_proj.weight"));
});

test("scale multiplies every element once, in float32, and leaves alone what it does not name", () => {
  write(`output "out/scaled" = scale(python, by: match("*.o_proj.weight": 0.3, layers(3..): -0.0, else: 1))`);
  expect(build(project)).toMatchObject({ status: "done" });
  const scaled = readOutput(join(project, "out/scaled"));
  const python = input("python");
  expectSame(scaled.get("lm_head.weight"), python.get("lm_head.weight"));
  const name = "model.layers.1.self_attn.o_proj.weight";
  expectSame(scaled.get(name), times(python.get(name)!, 0.3));
  const nothing = "model.layers.3.mlp.up_proj.weight";
  expectSame(scaled.get(nothing), times(python.get(nothing)!, 0));
});

/** Of bfloat16: widened, one product in float32, rounded to nearest even. */
function times(tensor: TestTensor, by: number): TestTensor {
  const bits = new Uint16Array(Uint8Array.from(tensor.data).buffer);
  const word = new Uint32Array(1);
  const number = new Float32Array(word.buffer);
  const product = bits.map((one) => {
    word[0] = one << 16;
    number[0] = number[0]! * Math.fround(by);
    return (word[0] + 0x7fff + ((word[0] >>> 16) & 1)) >>> 16;
  });
  return { ...tensor, data: new Uint8Array(product.buffer) };
}

test("layers that there are not are refused before anything is read", () => {
  write(`output "out/none" = stack(slice(python, 0..9), c)`);
  const run = theta(project, ["build"]);
  expect(refusal(run, 65)).toBe("no-such-layer");
  expect(run.stderr).toContain("slice 0..9 goes beyond model.layers of python, which has 4 layers");
});
