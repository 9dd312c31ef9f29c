// Ten thousand tensors read as a few lines, and what changed stands above the tensors that it reached.

import { expect, test } from "vitest";
import { changeText, reasonLines, type Reasoned } from "../../../runtime/cli/report/reason-text.ts";
import type { Change } from "../../../runtime/history/changes.ts";

const KINDS = ["mlp.down_proj", "mlp.up_proj", "self_attn.q_proj", "input_layernorm"];

function layers(count: number, each: (layer: number) => Omit<Reasoned, "tensor">): readonly Reasoned[] {
  return Array.from({ length: count }, (_, layer) =>
    KINDS.map((kind) => ({ tensor: `model.layers.${layer}.${kind}.weight`, ...each(layer) })),
  ).flat();
}

function weight(of: string, from: number, to: number): Change {
  return { kind: "parameter", name: `weight of ${of}`, from, to };
}

test("by reason, by what changed, by the pattern of the name", () => {
  const ramp = layers(2500, (layer) => ({
    sign: "+",
    reason: "param-changed",
    changes: [weight("code", 0, layer + 1)],
  }));
  const kept: Reasoned = { tensor: "model.norm.weight", sign: "=", reason: "up-to-date", changes: [] };
  expect(reasonLines([kept, ...ramp], [{ name: "w", from: 0.4, to: 0.5 }])).toEqual([
    "+ param-changed: 10000 tensors",
    "    parameter w: 0.4 -> 0.5",
    "      weight of code: 2500 changes, such as 0 -> 1",
    ...KINDS.map((kind) => `        model.layers.*.${kind}.weight  0-2499`),
    "= up-to-date: model.norm.weight",
  ]);
});

test("tensors in which other things changed stand apart", () => {
  const changed = layers(2, (layer) => ({
    sign: "+",
    reason: "param-changed",
    changes: [weight(layer === 0 ? "code" : "maths", 1, 2)],
  }));
  const lines = reasonLines(changed, []);
  expect(lines[0]).toBe("+ param-changed: 8 tensors");
  expect(lines.filter((line) => line.includes("weight of"))).toEqual([
    "    weight of code: 1 -> 2",
    "    weight of maths: 1 -> 2",
  ]);
});

test("names without a pattern are counted beyond a dozen", () => {
  const odd = Array.from({ length: 40 }, (_, index): Reasoned => {
    const letter = String.fromCodePoint(0x61 + (index % 26));
    return { tensor: letter.repeat(1 + Math.floor(index / 26)), sign: "+", reason: "no-record", changes: [] };
  });
  const lines = reasonLines(odd, []);
  expect(lines).toHaveLength(14);
  expect(lines.at(-1)).toBe("    and 28 names more");
});

test("what a name holds cannot move the cursor", () => {
  const lines = reasonLines([{ tensor: "a\u001b[2Jb\nc", sign: "+", reason: "no-record", changes: [] }], []);
  expect(lines.join("")).not.toContain("\u001b");
  expect(lines).toHaveLength(2);
});

test.each<readonly [Change, string]>([
  [{ kind: "dtype", from: "F32", to: "BF16" }, "dtype: f32 -> bf16"],
  [{ kind: "input-added", role: "chat", file: "/m/chat.safetensors" }, "chat was added  (/m/chat.safetensors)"],
  [{ kind: "operations", removed: ["ties"], added: ["mean"] }, "operations: ties -> mean"],
  [{ kind: "revision", operation: "ties", from: 1, to: 2 }, "formula of ties: revision 1 -> 2"],
  [{ kind: "order", from: ["a", "b"], to: ["b", "a"] }, "order of the inputs: a, b -> b, a"],
])("%j", (change, text) => {
  expect(changeText([change])).toBe(text);
});
