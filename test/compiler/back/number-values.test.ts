import { describe, expect, it } from "vitest";
import type { Checkpoint } from "../../../compiler/checkpoint.ts";
import { namingOf } from "../../../compiler/naming.ts";
import { rampAt, resolveNumber } from "../../../compiler/lower/number-values.ts";
import type { LayerRange, NumberValue } from "../../../compiler/recipe-graph.ts";
import { memoryHost, MEMORY_ROOT } from "../../support/memory-host.ts";

const span = { source: { path: "merge.theta", directory: MEMORY_ROOT, text: "" }, start: 0, end: 0 };

function ramp(points: readonly number[], over?: LayerRange, outside?: number): NumberValue {
  return {
    kind: "ramp",
    points: points.map((value) => ({ kind: "constant", value })),
    ...(over === undefined ? {} : { over }),
    ...(outside === undefined ? {} : { outside: { kind: "constant", value: outside } }),
    span,
  };
}

function naming(...names: readonly string[]) {
  const tensors = Object.fromEntries(names.map((name) => [name, "f32 [1]"]));
  return namingOf(memoryHost({ models: { m: { tensors } } }).readModel(`${MEMORY_ROOT}/m`, "m") as Checkpoint, "m");
}

/** METHODS.md word by word: u = (i·k) ÷ (L − 1), j = min(⌊u⌋, k − 1), p_j + (p_{j+1} − p_j)·(u − j). */
function transcribed(p: readonly number[], i: number, L: number): number {
  const k = p.length - 1;
  if (L === 1) return p[0]!;
  const u = (i * k) / (L - 1);
  const j = Math.min(Math.floor(u), k - 1);
  return p[j]! + (p[j + 1]! - p[j]!) * (u - j);
}

describe("ramps", () => {
  it("follow the formula bit for bit at every depth", () => {
    for (const points of [
      [0.2, 0.8],
      [0, 0.5, 1],
      [0.1, 0.7, 0.3, 0.9],
    ]) {
      for (const layers of [1, 2, 3, 7, 16, 32]) {
        const model = naming(...Array.from({ length: layers }, (_, i) => `model.layers.${i}.w`));
        for (let i = 0; i < layers; i++) {
          expect(resolveNumber(ramp(points), model, [`model.layers.${i}.w`])).toBe(transcribed(points, i, layers));
        }
      }
    }
  });

  it("span a range and are constant outside", () => {
    const model = naming(...Array.from({ length: 24 }, (_, i) => `h.${i}.w`));
    const values = Array.from({ length: 24 }, (_, i) =>
      resolveNumber(ramp([0, 1], { from: 8, to: 16 }), model, [`h.${i}.w`]),
    );
    expect(values.slice(0, 9).every((value) => value === 0)).toBe(true);
    expect(values[11]).toBe(3 / 7);
    expect(values.slice(15).every((value) => value === 1)).toBe(true);
  });

  it("count ends from the end of each stack", () => {
    const model = naming("enc.0.w", "enc.1.w", "enc.2.w", "enc.3.w", "dec.0.w", "dec.1.w");
    const last = ramp([0, 1], { from: -2 });
    expect(
      ["enc.1.w", "enc.2.w", "enc.3.w", "dec.0.w", "dec.1.w"].map((name) => resolveNumber(last, model, [name])),
    ).toEqual([0, 0, 1, 0, 1]);
  });

  it("give tensors outside the stacks an end, or what outside says", () => {
    const model = naming("model.embed_tokens.weight", "h.0.w", "h.1.w", "lm_head.weight", "visual.patch_proj");
    const at = (value: NumberValue, name: string) => resolveNumber(value, model, [name]);
    expect(at(ramp([0.25, 0.75]), "model.embed_tokens.weight")).toBe(0.25);
    expect(at(ramp([0.25, 0.75]), "visual.patch_proj")).toBe(0.25);
    expect(at(ramp([0.25, 0.75]), "lm_head.weight")).toBe(0.75);
    expect(at(ramp([0.25, 0.75], undefined, 9), "lm_head.weight")).toBe(9);
  });

  it("is its first point where there is one layer", () => {
    expect(rampAt([3, 4], 0, 0)).toBe(3);
    expect(resolveNumber(ramp([3, 4], { from: 1, to: 2 }), naming("h.0.w", "h.1.w"), ["h.1.w"])).toBe(3);
  });
});

describe("arithmetic", () => {
  const constant = (value: number): NumberValue => ({ kind: "constant", value });
  const model = naming("a");
  it("is float64", () => {
    const sum: NumberValue = { kind: "arithmetic", operator: "+", left: constant(0.1), right: constant(0.2), span };
    expect(resolveNumber(sum, model, ["a"])).toBe(0.1 + 0.2);
  });
  it("makes no −0", () => {
    expect(Object.is(resolveNumber({ kind: "negate", operand: constant(0) }, model, ["a"]), 0)).toBe(true);
  });
  it("tells of what is not finite", () => {
    const quotient: NumberValue = { kind: "arithmetic", operator: "/", left: constant(1), right: constant(0), span };
    expect(resolveNumber(quotient, model, ["a"])).toMatchObject({ kind: "not-finite" });
  });
});
