import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Adapter } from "../../../compiler/checkpoint.ts";
import { readAdapter } from "../../../runtime/checkpoint/adapter.ts";
import { type TestTensors, f32, makeAdapterDirectory } from "../../support/tensors.ts";

let space: string;
beforeEach(() => void (space = mkdtempSync(join(tmpdir(), "theta-adapter-"))));
afterEach(() => rmSync(space, { recursive: true }));

const zeros = (...shape: number[]) => f32(shape, new Array<number>(shape.reduce((a, b) => a * b, 1)).fill(0));

function pair(module: string, rank: number, prefix = "base_model.model."): TestTensors {
  return { [`${prefix}${module}.lora_A.weight`]: zeros(rank, 4), [`${prefix}${module}.lora_B.weight`]: zeros(3, rank) };
}

function read(tensors: TestTensors, config: object): Adapter {
  const answer = readAdapter(makeAdapterDirectory(join(space, "a"), tensors, config), "a", new Map());
  if (answer.kind === "problem") throw new Error(`${answer.code}: ${answer.message}`);
  return answer;
}

const Q0 = "model.layers.0.self_attn.q_proj";
const K1 = "model.layers.1.self_attn.k_proj";

test("modules by their path in the base, with and without PEFT's prefix", () => {
  const { modules } = read({ ...pair(K1, 2), ...pair(Q0, 2, "") }, { r: 2, lora_alpha: 16 });
  expect([...modules.keys()]).toEqual([Q0, K1]);
  expect(modules.get(Q0)).toMatchObject({ module: Q0, rank: 2, scaling: 8, transposed: false });
  expect(modules.get(Q0)!.a.shape).toEqual([2, 4]);
  expect(modules.get(Q0)!.b.name).toBe(`${Q0}.lora_B.weight`);
});

test("patterns give a module its own rank and alpha; the first that matches wins", () => {
  const config = {
    r: 8,
    lora_alpha: 16,
    rank_pattern: { "layers.0.self_attn.q_proj": 4, [String.raw`layers\.1\..*k_proj`]: 2, k_proj: 5 },
    alpha_pattern: { q_proj: 3, ".*": 6 },
  };
  const { modules } = read({ ...pair(Q0, 4), ...pair(K1, 2) }, config);
  expect(modules.get(Q0)).toMatchObject({ rank: 4, scaling: 0.75 });
  expect(modules.get(K1)).toMatchObject({ rank: 2, scaling: 3 });
});

test("rsLoRA divides by the root of the rank", () => {
  const { modules } = read(pair(Q0, 8), { r: 8, lora_alpha: 16, use_rslora: true });
  expect(modules.get(Q0)!.scaling).toBe(16 / Math.sqrt(8));
});

test("fan_in_fan_out transposes", () => {
  expect(read(pair(Q0, 2), { fan_in_fan_out: true }).modules.get(Q0)!.transposed).toBe(true);
});

test("settings that are off do not matter", () => {
  const config = {
    bias: "all",
    use_dora: false,
    modules_to_save: ["score"],
    init_lora_weights: "gaussian",
    alora_invocation_tokens: null,
    layer_replication: null,
    target_parameters: [],
    some_later_setting: false,
    megatron_core: "megatron.core",
  };
  expect(read(pair(Q0, 2), config).modules.size).toBe(1);
});
