// The gates of an output: which lines of which `expect` are about it, and what each of its tensors is compared with.

import { describe, expect, test } from "vitest";
import type { Gate } from "../../../compiler/tensor-graph.ts";
import { programLines } from "../../../compiler/explain/program-text.ts";
import { compileText, diagnosticText, TENSORS } from "../../support/compile-text.ts";
import type { MemorySources } from "../../support/memory-host.ts";

const HEAD = 'theta 1\nbase llama = "llama"\nmodel maths = "maths"\n';
const SOURCES: MemorySources = { models: { llama: { tensors: TENSORS }, maths: { tensors: TENSORS } } };

function gatesOf(body: string, sources = SOURCES): ReadonlyMap<string, readonly Gate[]> {
  const { tensors, diagnostics } = compileText(`${HEAD}${body}\n`, sources);
  if (tensors === undefined) throw new Error(diagnosticText(diagnostics));
  return new Map(tensors.outputs.map(({ output, gates }) => [output.display, gates]));
}

function refusedBy(body: string, sources = SOURCES): string {
  const { tensors, diagnostics } = compileText(`${HEAD}${body}\n`, sources);
  expect(tensors).toBeUndefined();
  return diagnosticText(diagnostics);
}

/** One line a tensor: the program that makes the operand, and its dtype. */
function operandText({ operand }: Gate): readonly string[] {
  return [...operand!.tensors].map(([name, action]) => {
    const lines = programLines(action, (operation, field) => {
      const value = (action.program.operations[operation] as unknown as Record<string, unknown>)[field];
      return String(Array.isArray(value) ? (value as unknown[])[0] : value);
    });
    return `${name}: ${lines.map(({ text }) => text).join("; ")} -> ${action.dtype}`;
  });
}

describe("which outputs an expect is about", () => {
  test("all of its model, by name or written out", () => {
    const gates = gatesOf(
      `merge less = llama - 0.5 * (maths - llama)\noutput "a" = less\noutput "b" = less {\n  dtype f32\n}\n` +
        `output "c" = llama - 0.5 * (maths - llama)\noutput "d" = llama - 0.25 * (maths - llama)\n` +
        `expect less {\n  finite\n}\nexpect llama - 0.5 * (maths - llama) {\n  norm < 2\n}`,
    );
    const metrics = [...gates].map(
      ([path, list]) => `${path}: ${list.map(({ predicate }) => predicate.metric).join()}`,
    );
    expect(metrics).toEqual(["a: finite,norm", "b: finite,norm", "c: finite,norm", "d: "]);
  });

  test("two long chains of equal merges are compared without recursion", () => {
    const chain = (name: string): string =>
      [`merge ${name}0 = linear(llama, maths)`]
        .concat(Array.from({ length: 900 }, (_, i) => `merge ${name}${i + 1} = linear(${name}${i}, ${name}${i})`))
        .join("\n");
    const gates = gatesOf(`${chain("a")}\n${chain("b")}\noutput "x" = a900\nexpect b900 {\n  finite\n}`);
    expect(gates.get("x")).toHaveLength(1);
  });

  test("a vector is no model: nothing is tested, and a warning says so", () => {
    const { diagnostics } = compileText(`${HEAD}output "v" = maths - llama\nexpect llama {\n  finite\n}\n`, SOURCES);
    expect(diagnostics.map(({ code }) => code)).toEqual(["expect-without-output"]);
  });
});

describe("what a tensor is compared with", () => {
  test("the payload of a checkpoint, shared by all gates that mean the same", () => {
    const gates = gatesOf(
      'output "a" = maths\nexpect maths {\n  cosine(llama) > 0\n  distance(llama) < 1\n  changed(llama) < 1\n}',
    ).get("a")!;
    expect(operandText(gates[0]!)).toHaveLength(6);
    expect(operandText(gates[0]!)[0]).toBe("model.embed_tokens.weight: llama -> BF16");
    for (const { operand } of gates) {
      for (const [name, action] of operand!.tensors) expect(gates[0]!.operand!.tensors.get(name)).toBe(action);
    }
  });

  test("a merge in its work type; for changed(X) rounded as keep X would be", () => {
    const gates = gatesOf(
      'output "a" = maths\nexpect maths {\n  cosine(llama + 0.5 * (maths - llama)) > 0\n  changed(linear(llama, maths)) < 1\n}',
    ).get("a")!;
    expect(operandText(gates[0]!).at(-1)).toBe("model.norm.weight: maths - llama; 0.5 * %2; llama + %3 -> F32");
    expect(operandText(gates[1]!).at(-1)).toBe("model.norm.weight: linear(1 * llama, 1 * maths) -> BF16");
  });

  test("a checkpoint of another dtype as it lies there, and rounded for changed(X)", () => {
    const wide = Object.fromEntries(Object.entries(TENSORS).map(([name, text]) => [name, text.replace("bf16", "f32")]));
    const sources = { models: { llama: { tensors: wide }, maths: { tensors: TENSORS } } };
    const [cosine, changed] = gatesOf(
      'output "a" = maths\nexpect maths {\n  cosine(llama) > 0\n  changed(llama) < 1\n}',
      sources,
    ).get("a")!;
    expect(operandText(cosine!)[0]).toBe("model.embed_tokens.weight: llama -> F32");
    expect(operandText(changed!)[0]).toBe("model.embed_tokens.weight: llama -> BF16");
  });

  test("tied names count once, by whichever name the other model stores", () => {
    const { "model.norm.weight": norm } = TENSORS;
    const tied = {
      tensors: { "lm_head.weight": "bf16 [8, 8]", "model.norm.weight": norm },
      tied: { embed: "lm_head.weight" },
    };
    const other = { tensors: { embed: "bf16 [8, 8]", "model.norm.weight": norm } };
    const [gate] = gatesOf('output "a" = llama\nexpect llama {\n  cosine(maths) > 0\n}', {
      models: { llama: tied, maths: other },
    }).get("a")!;
    expect(operandText(gate!)).toEqual(["lm_head.weight: maths -> BF16", "model.norm.weight: maths -> BF16"]);
  });

  test("integers take part in changed(X) alone", () => {
    const tensors = { ids: "i64 [4]", w: "f32 [4]" };
    const gates = gatesOf(
      'output "a" = maths\nexpect maths {\n  finite\n  cosine(llama) > 0\n  changed(llama) < 1\n}',
      { models: { llama: { tensors }, maths: { tensors } } },
    ).get("a")!;
    expect(operandText(gates[1]!)).toEqual(["w: llama -> F32"]);
    expect(operandText(gates[2]!)).toEqual(["ids: llama -> I64", "w: llama -> F32"]);
  });
});

describe("what does not fit is refused before anything runs", () => {
  const without = Object.fromEntries(Object.entries(TENSORS).filter(([name]) => name !== "model.norm.weight"));

  test.each(["", " {\n  missing base\n}", " {\n  missing skip\n}"])("a checkpoint that lacks a tensor%s", (block) => {
    const { diagnostics } = compileText(
      `theta 1\nbase llama = "llama"\nmodel maths = "maths"${block}\noutput "a" = llama\nexpect llama {\n  distance(maths) < 1\n}\n`,
      { models: { llama: { tensors: TENSORS }, maths: { tensors: without } } },
    );
    expect(diagnosticText(diagnostics)).toContain("distance(maths) has no value for model.norm.weight: maths lacks it");
  });

  test("a merge that lacks a tensor, be it of integers", () => {
    const tensors = { ids: "i64 [4]", w: "f32 [4]" };
    for (const lacks of ["ids", "w"] as const) {
      const others = Object.fromEntries(Object.entries(tensors).filter(([name]) => name !== lacks));
      const { diagnostics } = compileText(
        'theta 1\nbase llama = "llama"\nmodel maths = "maths" {\n  missing skip\n}\nmodel code = "code" {\n  missing skip\n}\n' +
          'output "a" = llama\nexpect llama {\n  changed(linear(maths, code)) < 1\n}\n',
        { models: { llama: { tensors }, maths: { tensors: others }, code: { tensors: others } } },
      );
      expect(diagnosticText(diagnostics)).toContain(`changed(linear(maths, code)) has no value for ${lacks}`);
    }
  });

  test("another shape", () => {
    const maths = { tensors: { ...TENSORS, "model.norm.weight": "bf16 [9]" } };
    expect(
      refusedBy('output "a" = llama\nexpect llama {\n  each cosine(maths) > 0\n}', {
        models: { ...SOURCES.models, maths },
      }),
    ).toBe(
      "merge.theta: error[shape-mismatch]: model.norm.weight has different shapes\n" +
        "   llama  [8] bf16  llama/model.safetensors  declared at merge.theta:2:1\n" +
        "   maths  [9] bf16  maths/model.safetensors  declared at merge.theta:3:1\n" +
        "   note: cosine(maths) compares with it",
    );
  });

  test("integers of another dtype, float8, a source that is not there, a glob that takes nothing", () => {
    const ids = (dtype: string) => ({ tensors: { ids: `${dtype} [4]`, w: "f32 [4]" } });
    expect(
      refusedBy('output "a" = llama\nexpect llama {\n  changed(maths) < 1\n}', {
        models: { llama: ids("i64"), maths: ids("i32") },
      }),
    ).toContain("error[integer-mismatch]: changed(maths) has no value for ids: its dtype or shape is another one");
    const float8 = { tensors: { w: "f8_e8m0 [4]" } };
    expect(
      refusedBy('output "a" = llama\nexpect llama {\n  finite\n}', { models: { llama: float8, maths: float8 } }),
    ).toContain('error[not-served]: finite is not served for f8_e8m0, and w of "a" is one');
    expect(refusedBy('model gone = "gone"\noutput "a" = llama\nexpect llama {\n  cosine(gone) > 0\n}')).toContain(
      "error[source-missing]",
    );
    expect(
      refusedBy(
        'output "a" = llama\nexpect llama {\n  cosine(llama + ((maths - llama) & tensors("nothing.*"))) > 0\n}',
      ),
    ).toContain('error[no-such-tensor]: "nothing.*" matches no tensor');
  });
});

test("what is masked over the model in two work types at once is compared with no more than it is written", () => {
  const up = "model.layers.0.mlp.up_proj.weight";
  const body = `model code = "code"
vector tau = maths - llama
mask trim = magnitude(density: 0.5, per: model)
merge inner onto llama using sum {
  tau  mask trim & !magnitude(density: 0.1, of: code - llama)
}
merge m = llama + match("${up}": tau & trim, else: (inner - llama) & trim)
output "a" = maths
expect maths {
  distance(m) < 1
}`;
  const code = { tensors: { ...TENSORS, [up]: "f64 [16, 8]" } };
  expect(refusedBy(body, { models: { ...SOURCES.models, code } })).toContain(
    `error[not-served]: ${up} takes part in the work types f32 and f64`,
  );
});

test("gates that come to too many operations are refused once", () => {
  const lines = (count: number, line: (index: number) => string): string =>
    Array.from({ length: count }, (_, index) => line(index)).join("\n");
  const refused = refusedBy(
    `merge m onto llama using sum {\n${lines(3000, (i) => `maths weight ${i + 1}`)}\n}\n` +
      `${lines(10, (i) => `output "d${i}" = maths`)}\n` +
      `expect maths {\n${lines(60, (i) => `cosine(m + ${i} * (maths - llama)) > 0.5`)}\n}`,
  );
  expect(refused.match(/error\[.*?\]/g)).toEqual(["error[too-deep]"]);
});
