import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { actionKey, explainKey, weakKey } from "../../../compiler/action-key.ts";
import { float64Bits } from "../../../compiler/key-sink.ts";
import { OPERATION_REVISION } from "../../../compiler/operation-revision.ts";
import type { Action, ActionInput, Operation } from "../../../compiler/tensor-graph.ts";
import type { Span } from "../../../dsl/source.ts";
import { compileText, diagnosticText } from "../../support/compile-text.ts";
import type { MemorySources } from "../../support/memory-host.ts";

const SPAN: Span = { source: { path: "merge.theta", directory: "/", text: "" }, start: 0, end: 0 };
const DIGESTS = ["a", "b", "c"].map((text) => `sha256:${createHash("sha256").update(text).digest("hex")}`);

function input(role: string, dtype = "BF16", shape: readonly number[] = [4, 8]): ActionInput {
  const tensor = { name: `${role}.weight`, dtype, shape, file: `/${role}`, offset: 0, bytes: 64 };
  return { role, tensor, nan: "error", checkpoint: role, span: SPAN };
}

function action(operations: readonly Operation[], more: Partial<Action> = {}): Action {
  return {
    kind: "compute",
    tensor: "w",
    program: { operations },
    inputs: [input("base"), input("maths"), input("code")],
    dtype: "BF16",
    shape: [4, 8],
    work: "F32",
    overflow: "error",
    ...more,
  };
}

/** One program for every operation there is; adding one without a line here is a type error. */
const PROGRAMS: Readonly<Record<Operation["op"], Operation>> = {
  load: { op: "load", input: 0, nan: "propagate" },
  resize: { op: "resize", input: 1, nan: "propagate", base: 0 },
  lora: { op: "lora", a: 0, b: 1, rank: 8, scaling: 2, transposed: false },
  subtract: { op: "subtract", left: 1, right: 0 },
  add: { op: "add", left: 0, right: 1 },
  onto: { op: "onto", base: 0, vector: 1 },
  negate: { op: "negate", of: 0 },
  multiply: { op: "multiply", of: 0, by: 0.5 },
  divide: { op: "divide", of: 0, by: 3 },
  lines: { op: "lines", of: 0, alpha: 0.5, rise: 0.25, own: 0, like: 1, ratio: 1.5 },
  magnitude: { op: "magnitude", of: 0, density: 0.2, per: "row", atLeastOne: true, tie: 0xffffffffffffffffn },
  breadcrumbs: { op: "breadcrumbs", of: 0, density: 0.15, dropTop: 0.006, per: "tensor", atLeastOne: false, tie: 7n },
  random: { op: "random", density: 0.3, seed: 7n, stream: 0xffffffffffffffffn },
  della: { op: "della", of: 0, density: 0.5, epsilon: 0.15, per: "row", tie: 7n, seed: 2n ** 53n - 1n, stream: 8n },
  "model-cut": {
    op: "model-cut",
    of: 0,
    density: 0.2,
    dropTop: 0,
    atLeastOne: false,
    tie: 9n,
    statistic: 0,
    cuts: { outer: { key: 0x3f800000n, tie: 0x8000000000000000n }, inner: { key: 0xffffffffn, tie: 0n } },
  },
  "model-della": {
    op: "model-della",
    of: 0,
    density: 0.5,
    epsilon: 0.15,
    seed: 7n,
    stream: 8n,
    statistic: 0,
    ranking: "5f".repeat(32),
    place: 3,
  },
  "mask-and": { op: "mask-and", left: 0, right: 1 },
  "mask-or": { op: "mask-or", left: 0, right: 1 },
  "mask-not": { op: "mask-not", of: 0 },
  select: { op: "select", of: 0, mask: 1 },
  "rescale-inv": { op: "rescale-inv", of: 0, density: 0.2 },
  "rescale-della": { op: "rescale-della", of: 0, mask: 1 },
  "rescale-l1": { op: "rescale-l1", of: 0, masked: 1 },
  sum: { op: "sum", of: [0, 1], weights: [0.5, -1], scale: 1 },
  mean: { op: "mean", of: [0, 1], weights: [0.5, 1], scale: 1 },
  ties: { op: "ties", of: [0, 1], weights: [1, 1], scale: 0.3, elect: "count", divide: "none" },
  variance: { op: "variance", of: [0, 1] },
  largest: { op: "largest", of: 0, share: 0.1, tie: 7n },
  sce: { op: "sce", of: [0, 1], chosen: 2 },
  ram: { op: "ram", of: [0, 1], epsilon: 1e-5 },
  "ram-plus": { op: "ram-plus", of: [0, 1], epsilon: 1e-5, r: 0.1, alpha: 0.2 },
  consensus: { op: "consensus", of: [0, 1], weights: [0.5, 1], scale: 0.3, lambda: 0.4, atLeast: 2 },
  magmax: { op: "magmax", of: [0, 1], scale: 0.5 },
  extremes: { op: "extremes", of: 0, clip: 0.01 },
  pcb: { op: "pcb", of: [0, 1], extremes: [2, 3], weights: [0.5, 1], scale: 1.2, select: 0.05 },
  divergence: { op: "divergence", of: 1, base: 0 },
  "arcee-fusion": { op: "arcee-fusion", of: 1, divergence: 2 },
  linear: { op: "linear", of: [0, 1], weights: [1, 2], normalize: true },
  slerp: { op: "slerp", left: 0, right: 1, t: 0.25, per: "tensor" },
  karcher: { op: "karcher", of: [0, 1], weights: [0.5, 1], maxIterations: 10, tolerance: 1e-5 },
  "model-stock": { op: "model-stock", of: [0, 1], per: "row" },
  nearswap: { op: "nearswap", of: 0, t: 0.001 },
};

describe("golden keys", () => {
  // A key that moves makes every store cold and must be meant: raise a revision, then UPDATE_SNAPSHOTS=1.
  const path = new URL("golden-keys.json", import.meta.url);
  const keys = Object.fromEntries(
    Object.entries(PROGRAMS).map(([op, operation]) => [
      `${op}/${OPERATION_REVISION[operation.op]}`,
      actionKey(action([operation]), DIGESTS),
    ]),
  );
  it("have not moved", () => {
    if (process.env["UPDATE_SNAPSHOTS"]) writeFileSync(path, `${JSON.stringify(keys, null, 2)}\n`);
    expect(keys).toEqual(JSON.parse(readFileSync(path, "utf8")));
  });
  it("are all different", () => {
    expect(new Set(Object.values(keys)).size).toBe(Object.keys(keys).length);
  });
});

describe("what enters the key", () => {
  const program = [PROGRAMS.load];
  const key = (more: Partial<Action>, digests = DIGESTS) => actionKey(action(program, more), digests);
  const plain = key({});

  it("are digests, dtypes, shapes, the work type and what changes bytes", () => {
    expect(key({}, [...DIGESTS].reverse())).not.toBe(plain);
    expect(key({ dtype: "F16" })).not.toBe(plain);
    expect(key({ shape: [8, 4] })).not.toBe(plain);
    expect(key({ work: "F64" })).not.toBe(plain);
    expect(key({ overflow: "saturate" })).not.toBe(plain);
    expect(actionKey(action([{ op: "load", input: 0, nan: "zero" }]), DIGESTS)).not.toBe(plain);
    expect(key({ inputs: [input("base", "F32"), input("maths"), input("code")] })).not.toBe(plain);
  });

  it("are no names, roles, paths, nor policies that change no byte", () => {
    expect(key({ tensor: "other" })).toBe(plain);
    expect(key({ overflow: "inf" })).toBe(plain);
    const renamed = ["x", "y", "z"].map((role) => ({
      ...input(role),
      nan: "propagate" as const,
      checkpoint: "elsewhere",
    }));
    expect(key({ inputs: renamed })).toBe(plain);
    expect(key({ mustEqual: [input("other")] })).toBe(plain);
  });

  it("counts −0 as +0 and keeps every other number apart", () => {
    const by = (value: number) => actionKey(action([{ op: "multiply", of: 0, by: value }]), DIGESTS);
    expect(by(-0)).toBe(by(0));
    expect(by(0.1 + 0.2)).not.toBe(by(0.3));
    const view = new DataView(new ArrayBuffer(8));
    fc.assert(
      fc.property(fc.double(), (value) => {
        view.setFloat64(0, value + 0);
        expect(float64Bits(value)).toBe(view.getBigUint64(0).toString(16).padStart(16, "0"));
      }),
    );
  });

  it("leaves digests out of the weak key alone", () => {
    expect(weakKey(action(program))).toBe(weakKey(action(program, { tensor: "x" })));
    expect(weakKey(action(program, { dtype: "F16" }))).not.toBe(weakKey(action(program)));
    expect(weakKey(action(program))).not.toBe(plain);
    expect(() => actionKey(action(program), DIGESTS.slice(1))).toThrow("no digest");
  });

  it("cannot be forged by a dtype's text", () => {
    const forged = action(program, { dtype: "BF16\noutput shape:I4,8\nx:t0:", shape: [1] });
    expect(actionKey(forged, DIGESTS)).not.toBe(plain);
    const dtypes = fc.string({ unit: fc.constantFrom("a", ":", "\n", "t", "1", "output"), maxLength: 12 });
    fc.assert(
      fc.property(dtypes, dtypes, (left, right) => {
        const keyOf = (dtype: string) => key({ dtype });
        expect(keyOf(left) === keyOf(right)).toBe(left === right);
      }),
    );
  });

  it("is what the explanation prints", () => {
    const text = explainKey(action([PROGRAMS.load, PROGRAMS.breadcrumbs]), DIGESTS);
    expect(text).toMatchInlineSnapshot(`
      [
        "schema  theta.action/1",
        "numerics  exact",
        "work  F32",
        "output dtype  BF16",
        "output shape  [4, 8]",
        "inputs  3",
        "input 0  dtype BF16  shape [4, 8]  digest sha256:ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb",
        "input 1  dtype BF16  shape [4, 8]  digest sha256:3e23e8160039594a33894f6564e1b1348bbd7a0088d42c4acb73eeaed59c009d",
        "input 2  dtype BF16  shape [4, 8]  digest sha256:2e7d2c03a9507ae265ecf5b5356885a53393a2029d241394997265a1a25aefc6",
        "operations  2",
        "operation 0  load  revision 1  input 0",
        "operation 1  breadcrumbs  revision 1  of 0  density 0.15  drop_top 0.006  per tensor  at_least_one false  tie 0000000000000007",
      ]
    `);
  });
});

describe("meaning, not text", () => {
  const TENSORS = {
    "model.embed_tokens.weight": "bf16 [32, 8]",
    "model.layers.0.up.weight": "bf16 [16, 8]",
    "model.layers.1.up.weight": "bf16 [16, 8]",
  };
  const model = { tensors: TENSORS };
  const sources: MemorySources = { models: { l: model, m: model, c: model } };
  const STATEMENTS = [
    'base llama = "l"',
    'model maths = "m"',
    'model code = "c"',
    "mask crumbs = breadcrumbs(density: 0.15, drop_top: 0.006)",
    "vector code_delta = code - llama",
    "param heavy: number = 0.75",
    "strategy soft = ties(scale: heavy)",
    'merge soup onto llama using soft {\n  each mask crumbs\n  maths weight ramp(0.2, heavy)\n  code_delta\n  at "*embed*" { maths weight 0.5 }\n}',
    'output "out" = soup',
  ];
  const NAMES = ["llama", "maths", "code", "crumbs", "code_delta", "heavy", "soft", "soup"];
  const keysOf = (text: string): Record<string, string> => {
    const { tensors, diagnostics } = compileText(text, sources);
    if (tensors === undefined) throw new Error(diagnosticText(diagnostics));
    return Object.fromEntries(tensors.outputs[0]!.actions.map((one) => [one.tensor, weakKey(one)]));
  };
  const original = keysOf(`theta 1\n${STATEMENTS.join("\n")}\n`);

  it("survives renaming, reordering, comments and layout", () => {
    const order = fc.shuffledSubarray(STATEMENTS, { minLength: STATEMENTS.length });
    const suffix = fc.stringMatching(/^[a-z0-9_]{1,6}$/);
    const comment = fc.constantFrom("", "  # why", "\n\n# a line of its own\n", "\r\n");
    fc.assert(
      fc.property(order, suffix, comment, (statements, suffix, comment) => {
        let text = `theta 1\n${statements.join(`${comment}\n`)}\n`;
        for (const name of NAMES) text = text.replaceAll(new RegExp(`\\b${name}\\b`, "g"), `${name}_${suffix}`);
        expect(keysOf(text)).toEqual(original);
      }),
      { numRuns: 40 },
    );
  });

  it("changes with the order of a merge's terms and with any parameter", () => {
    const changed = (from: string, to: string) => keysOf(`theta 1\n${STATEMENTS.join("\n").replace(from, to)}\n`);
    const swapped = changed(
      "maths weight ramp(0.2, heavy)\n  code_delta",
      "code_delta\n  maths weight ramp(0.2, heavy)",
    );
    for (const [tensor, key] of Object.entries(original)) expect(swapped[tensor]).not.toBe(key);
    const heavier = changed("number = 0.75", "number = 0.5");
    for (const [tensor, key] of Object.entries(original)) expect(heavier[tensor]).not.toBe(key);
    const embedded = changed('at "*embed*" { maths weight 0.5', 'at "*embed*" { maths weight 0.25');
    expect(Object.keys(original).filter((tensor) => embedded[tensor] !== original[tensor])).toEqual([
      "model.embed_tokens.weight",
    ]);
  });
});
