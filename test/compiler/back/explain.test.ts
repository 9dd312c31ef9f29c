// Graphs as people read them.

import { describe, expect, it } from "vitest";
import { explainRecipe, type ExplainFormat } from "../../../compiler/explain/explain-recipe.ts";
import { explainTensors } from "../../../compiler/explain/explain-tensors.ts";
import type { TensorGraph } from "../../../compiler/tensor-graph.ts";
import { compileText, diagnosticText, TENSORS } from "../../support/compile-text.ts";
import type { MemorySources } from "../../support/memory-host.ts";

const model = {
  tensors: TENSORS,
  tied: { "lm_head.weight": "model.embed_tokens.weight" },
};
const SOURCES: MemorySources = {
  models: { "models/llama": model, "models/maths": model, "models/code": model },
  adapters: { "adapters/chat": { modules: { "model.layers.1.self_attn.q_proj": [8, 8] } } },
};

const TEXT = `theta 1
param maths_weight: number(min: 0, max: 2) = 0.6
base    llama = "models/llama"
model   maths = "models/maths"
model   code  = "models/code" { missing base }
adapter chat  = "adapters/chat" on llama
mask crumbs = breadcrumbs(density: 0.15, drop_top: 0.006)
merge assistant onto llama using ties {
  each   mask crumbs
  maths  weight maths_weight
  code   weight ramp(0.2, 0.8)
  chat   weight 0.3  mask magnitude(density: 0.4)
  at "*embed_tokens*"  keep llama
}
merge blend = linear(assistant, code, weight: [3, 1])
output "dist/assistant" = assistant { dtype bf16 }
output "dist/blend" = blend
`;

function compiled(text = TEXT) {
  const { graph, tensors, diagnostics } = compileText(text, SOURCES);
  if (graph === undefined || tensors === undefined) throw new Error(diagnosticText(diagnostics));
  return { graph, tensors };
}

function tensorsText(graph: TensorGraph, format: ExplainFormat, pattern?: string): string | undefined {
  const pieces = explainTensors(graph, format, pattern);
  return pieces === undefined ? undefined : [...pieces].join("");
}

describe("the recipe", () => {
  it("is a tree for each output, then what its names stand for", () => {
    expect(explainRecipe(compiled().graph, "text")).toMatchInlineSnapshot(`
      "output "dist/assistant"  model, dtype bf16
      └─ assistant = match
         ├─ at "*embed_tokens*"  llama
         └─ else                 llama + ties(scale: 1, elect: weighted, divide: weights)
            ├─ maths - llama  weight 0.6             mask crumbs
            ├─ code - llama   weight ramp(0.2, 0.8)  mask crumbs, stream 1
            └─ chat           weight 0.3             mask magnitude(density: 0.4, per: tensor, at_least_one: false, rescale: none), stream 2

      output "dist/blend"  model
      └─ blend = linear(normalize: true)
         ├─ assistant (above)  weight 3
         └─ code               weight 1

      masks
        crumbs  breadcrumbs(density: 0.15, drop_top: 0.006, per: row, at_least_one: false, rescale: none)

      sources
        llama  model    "models/llama"
        maths  model    "models/maths"
        code   model    "models/code" { missing base }
        chat   adapter  "adapters/chat" on llama

      parameters
        maths_weight  0.6
      "
    `);
  });

  it("is told once, by a number where it has no name", () => {
    const text = `theta 1
base llama = "models/llama"
model maths = "models/maths"
model code = "models/code"
mask late = layers(1..) & !"*norm*"
mask chosen = match("*mlp*": magnitude(density: 0.5), else: late)
strategy vote = match(late: ties, else: sum)
merge m onto (llama + (maths - llama)) using vote {
  maths  mask chosen
  code   mask late
}
output "dist/m" = m
`;
    expect(explainRecipe(compiled(text).graph, "text")).toMatchInlineSnapshot(`
      "output "dist/m"  model
      └─ m = +
         ├─ base    (1) = +
         │  ├─ base    llama
         │  └─ vector  maths - llama
         └─ vector  vote
            ├─ -  weight 1  mask chosen
            │  ├─ maths
            │  └─ minus  (1) (above)
            └─ -  weight 1  mask late, stream 1
               ├─ code
               └─ minus  (1) (above)

      masks
        late    layers(1..) & !"*norm*"
        chosen  match("*mlp*": magnitude(density: 0.5, per: tensor, at_least_one: false, rescale: none), else: late)

      strategies
        vote  match(late: ties(scale: 1, elect: weighted, divide: weights), else: sum(scale: 1))

      sources
        llama  model  "models/llama"
        maths  model  "models/maths"
        code   model  "models/code"
      "
    `);
  });

  it("goes on below where branches would be too deep to read", () => {
    const merges = Array.from({ length: 200 }, (_, i) => `merge m${i + 1} = linear(m${i}, llama)`).join("\n");
    const text = explainRecipe(
      compiled(`theta 1\nbase llama = "models/llama"\nmerge m0 = scale(llama, by: 2)\n${merges}\noutput "d" = m200\n`)
        .graph,
      "text",
    );
    expect(text).toContain("m169 (below)");
    expect(text).toContain("\n\nm169 = linear(normalize: true)\n├─ m168 = linear");
    expect(text.match(/^.* = linear/gm)).toHaveLength(200);
    expect(Math.max(...text.split("\n").map((line) => line.length))).toBeLessThan(200);
  });

  it("ends where nobody reads on", () => {
    const arms = Array.from({ length: 900 }, (_, i) => `"*mlp*": ${i}`).join(", ");
    const text = `theta 1\nbase llama = "models/llama"\noutput "d" = scale(llama, by: match(${arms}, else: 1))\n`;
    const graph = JSON.parse(explainRecipe(compiled(text).graph, "json")) as { nodes: { text: string }[] };
    expect(graph.nodes.map(({ text }) => text.length)).toEqual([14, 1000, 5]);
    expect(graph.nodes[1]?.text).toMatch(/^scale\(by: match\("\*mlp\*": 0, "\*mlp\*": 1, .*…$/);
  });

  it("is dot, with quotes escaped", () => {
    expect(explainRecipe(compiled().graph, "dot")).toMatchInlineSnapshot(`
      "digraph theta {
        rankdir=LR;
        node [fontname="monospace", shape=box];
        n0 [label="llama\\l\\"models/llama\\"\\l", shape=cylinder];
        n1 [label="maths\\l\\"models/maths\\"\\l", shape=cylinder];
        n2 [label="-", shape=box];
        n3 [label="code\\l\\"models/code\\" { missing base }\\l", shape=cylinder];
        n4 [label="-", shape=box];
        n5 [label="chat\\l\\"adapters/chat\\"\\l", shape=cylinder];
        n6 [label="ties(scale: 1, elect: weighted, divide: weights)", shape=box, style=rounded];
        n7 [label="+", shape=box];
        n8 [label="assistant\\lmatch\\l", shape=box];
        n9 [label="dist/assistant\\lmodel, dtype bf16\\l", shape=note];
        n10 [label="blend\\llinear(normalize: true)\\l", shape=box, style=rounded];
        n11 [label="dist/blend\\lmodel\\l", shape=note];
        n1 -> n2;
        n0 -> n2 [label="minus"];
        n3 -> n4;
        n0 -> n4 [label="minus"];
        n0 -> n5 [label="on"];
        n2 -> n6 [label="weight 0.6, mask crumbs"];
        n4 -> n6 [label="weight ramp(0.2, 0.8), mask crumbs, stream 1"];
        n5 -> n6 [label="weight 0.3, mask magnitude(density: 0.4, per: tensor, at_least_one: false, rescale: none), stream 2"];
        n0 -> n7 [label="base"];
        n6 -> n7 [label="vector"];
        n0 -> n8 [label="at \\"*embed_tokens*\\""];
        n7 -> n8 [label="else"];
        n8 -> n9;
        n8 -> n10 [label="weight 3"];
        n3 -> n10 [label="weight 1"];
        n10 -> n11;
      }
      "
    `);
  });

  it("is mermaid, with everything but words as entities", () => {
    expect(explainRecipe(compiled().graph, "mermaid")).toMatchInlineSnapshot(`
      "flowchart LR
        n0[("llama<br/>#34;models/llama#34;")]
        n1[("maths<br/>#34;models/maths#34;")]
        n2["-"]
        n3[("code<br/>#34;models/code#34; #123; missing base #125;")]
        n4["-"]
        n5[("chat<br/>#34;adapters/chat#34;")]
        n6("ties(scale: 1, elect: weighted, divide: weights)")
        n7["+"]
        n8["assistant<br/>match"]
        n9[/"dist/assistant<br/>model, dtype bf16"/]
        n10("blend<br/>linear(normalize: true)")
        n11[/"dist/blend<br/>model"/]
        n1 --> n2
        n0 -->|"minus"| n2
        n3 --> n4
        n0 -->|"minus"| n4
        n0 -->|"on"| n5
        n2 -->|"weight 0.6, mask crumbs"| n6
        n4 -->|"weight ramp(0.2, 0.8), mask crumbs, stream 1"| n6
        n5 -->|"weight 0.3, mask magnitude(density: 0.4, per: tensor, at_least_one: false, rescale: none), stream 2"| n6
        n0 -->|"base"| n7
        n6 -->|"vector"| n7
        n0 -->|"at #34;#42;embed_tokens#42;#34;"| n8
        n7 -->|"else"| n8
        n8 --> n9
        n8 -->|"weight 3"| n10
        n3 -->|"weight 1"| n10
        n10 --> n11
      "
    `);
  });

  it("is JSON that names its schema first", () => {
    const text = explainRecipe(compiled().graph, "json");
    const json = JSON.parse(text) as {
      nodes: { id: string; name?: string; inputs: { node: string }[] }[];
      outputs: string[];
    };
    expect(Object.keys(json)[0]).toBe("schema");
    expect(json).toMatchObject({ schema: "theta.explain/2", level: "recipe", parameters: { maths_weight: 0.6 } });
    const ids = new Set(json.nodes.map(({ id }) => id));
    for (const { inputs } of json.nodes) for (const { node } of inputs) expect(ids).toContain(node);
    expect(json.outputs.every((id) => ids.has(id))).toBe(true);
  });
});

describe("the tensors", () => {
  it("are grouped by what is done to them", () => {
    expect(tensorsText(compiled().tensors, "text")).toMatchInlineSnapshot(`
      "output "dist/assistant"  model, 6 tensors

        1 tensor: llama bf16 -> bf16, taken over
          %0 = llama
          - model.embed_tokens.weight (tied: lm_head.weight)  [32, 8]

        3 tensors: llama bf16, maths bf16, code bf16 -> bf16, work in f32
          %2  = maths - llama
          %3  = breadcrumbs(%2, density 0.15, drop_top 0.006, per row)
          %4  = %2 where %3
          %6  = code - llama
          %7  = breadcrumbs(%6, density 0.15, drop_top 0.006, per row)
          %8  = %6 where %7
          %9  = ties(0.6 * %4, (0.2 to 0.8) * %8, scale 1, elect weighted, divide weights)
          %10 = llama + %9
          - model.layers.0.mlp.up_proj.weight       [16, 8]
          - model.layers.0.self_attn.q_proj.weight  [8, 8]
          - model.layers.1.mlp.up_proj.weight       [16, 8]

        1 tensor: llama bf16, maths bf16, code bf16, chat A f32, chat B f32 -> bf16, work in f32
          %2  = maths - llama
          %3  = breadcrumbs(%2, density 0.15, drop_top 0.006, per row)
          %4  = %2 where %3
          %6  = code - llama
          %7  = breadcrumbs(%6, density 0.15, drop_top 0.006, per row)
          %8  = %6 where %7
          %9  = 2 * chat B @ chat A, rank 2
          %10 = magnitude(%9, density 0.4, per tensor)
          %11 = %9 where %10
          %12 = ties(0.6 * %4, 0.8 * %8, 0.3 * %11, scale 1, elect weighted, divide weights)
          %13 = llama + %12
          - model.layers.1.self_attn.q_proj.weight  [8, 8]

        1 tensor: llama bf16, maths bf16, code bf16 -> bf16, work in f32
          %2  = maths - llama
          %3  = breadcrumbs(%2, density 0.15, drop_top 0.006, per tensor)
          %4  = %2 where %3
          %6  = code - llama
          %7  = breadcrumbs(%6, density 0.15, drop_top 0.006, per tensor)
          %8  = %6 where %7
          %9  = ties(0.6 * %4, 0.8 * %8, scale 1, elect weighted, divide weights)
          %10 = llama + %9
          - model.norm.weight  [8]

      output "dist/blend"  model, 6 tensors

        1 tensor: llama bf16, code bf16 -> bf16, work in f32
          %2 = linear(3 * llama, 1 * code)
          - model.embed_tokens.weight (tied: lm_head.weight)  [32, 8]

        3 tensors: llama bf16, maths bf16, code bf16 -> bf16, work in f32
          %2  = maths - llama
          %3  = breadcrumbs(%2, density 0.15, drop_top 0.006, per row)
          %4  = %2 where %3
          %6  = code - llama
          %7  = breadcrumbs(%6, density 0.15, drop_top 0.006, per row)
          %8  = %6 where %7
          %9  = ties(0.6 * %4, (0.2 to 0.8) * %8, scale 1, elect weighted, divide weights)
          %10 = llama + %9
          %11 = linear(3 * %10, 1 * code)
          - model.layers.0.mlp.up_proj.weight       [16, 8]
          - model.layers.0.self_attn.q_proj.weight  [8, 8]
          - model.layers.1.mlp.up_proj.weight       [16, 8]

        1 tensor: llama bf16, maths bf16, code bf16, chat A f32, chat B f32 -> bf16, work in f32
          %2  = maths - llama
          %3  = breadcrumbs(%2, density 0.15, drop_top 0.006, per row)
          %4  = %2 where %3
          %6  = code - llama
          %7  = breadcrumbs(%6, density 0.15, drop_top 0.006, per row)
          %8  = %6 where %7
          %9  = 2 * chat B @ chat A, rank 2
          %10 = magnitude(%9, density 0.4, per tensor)
          %11 = %9 where %10
          %12 = ties(0.6 * %4, 0.8 * %8, 0.3 * %11, scale 1, elect weighted, divide weights)
          %13 = llama + %12
          %14 = linear(3 * %13, 1 * code)
          - model.layers.1.self_attn.q_proj.weight  [8, 8]

        1 tensor: llama bf16, maths bf16, code bf16 -> bf16, work in f32
          %2  = maths - llama
          %3  = breadcrumbs(%2, density 0.15, drop_top 0.006, per tensor)
          %4  = %2 where %3
          %6  = code - llama
          %7  = breadcrumbs(%6, density 0.15, drop_top 0.006, per tensor)
          %8  = %6 where %7
          %9  = ties(0.6 * %4, 0.8 * %8, scale 1, elect weighted, divide weights)
          %10 = llama + %9
          %11 = linear(3 * %10, 1 * code)
          - model.norm.weight  [8]
      "
    `);
  });

  it("asked for by a tied name are shown with their keys", () => {
    expect(tensorsText(compiled().tensors, "text", "lm_head.*")).toMatchInlineSnapshot(`
      "output "dist/assistant"  model, 1 tensor

        1 tensor: llama bf16 -> bf16, taken over
          %0 = llama
          - model.embed_tokens.weight (tied: lm_head.weight)  [32, 8]
          key without the inputs' digests: 5bd6f2e9a07e7382c79065370649730988c9517dc7eebc1401d34952f7171ce2
            schema  theta.action/1
            numerics  exact
            work  F32
            output dtype  BF16
            output shape  [32, 8]
            inputs  1
            input 0  dtype BF16  shape [32, 8]
            operations  1
            operation 0  load  revision 1  input 0

      output "dist/blend"  model, 1 tensor

        1 tensor: llama bf16, code bf16 -> bf16, work in f32
          %2 = linear(3 * llama, 1 * code)
          - model.embed_tokens.weight (tied: lm_head.weight)  [32, 8]
          key without the inputs' digests: 3f34026b55fdbb821717939317a0f7cb88e322191c67f4479b347a451aad43f9
            schema  theta.action/1
            numerics  exact
            work  F32
            output dtype  BF16
            output shape  [32, 8]
            inputs  2
            input 0  dtype BF16  shape [32, 8]
            input 1  dtype BF16  shape [32, 8]
            operations  3
            operation 0  load  revision 1  input 0
            operation 1  load  revision 1  input 1
            operation 2  linear  revision 1  of [0, 1]  weights [3, 1]  normalize true
      "
    `);
  });

  it("are diagrams in which every arrow ends at a box", () => {
    const dot = tensorsText(compiled().tensors, "dot")!;
    const boxes = new Set([...dot.matchAll(/^ *(\w+) \[label/gm)].map(([, id]) => id));
    const arrows = [...dot.matchAll(/^ *(\w+) -> (\w+)/gm)];
    expect(arrows.length).toBeGreaterThan(20);
    for (const [, from, to] of arrows) {
      expect(boxes).toContain(from);
      expect(boxes).toContain(to);
    }
    expect(tensorsText(compiled().tensors, "mermaid")).toContain('subgraph group0["dist/assistant"]');
  });

  it("are JSON, streams as hex", () => {
    const json = JSON.parse(tensorsText(compiled().tensors, "json", "*norm*")!) as {
      schema: string;
      outputs: { tensors: { name: string; program: { op: string; tie?: string }[] }[] }[];
    };
    expect(json.schema).toBe("theta.explain/2");
    const [tensor] = json.outputs[0]!.tensors;
    expect(tensor!.name).toBe("model.norm.weight");
    expect(tensor!.program.find(({ op }) => op === "breadcrumbs")!.tie).toMatch(/^[0-9a-f]{16}$/);
  });

  it("are nothing when the pattern takes none", () => {
    expect(tensorsText(compiled().tensors, "text", "nothing")).toBeUndefined();
    expect(tensorsText(compiled().tensors, "text", "[")).toBeUndefined();
  });
});

it("shows what files call their tensors with control characters escaped", () => {
  const hostile = { tensors: { "a\u001b[31m.\n0.w": "f32 [4]", 'b"\\]<i>': "f32 [4]" } };
  const { tensors } = compileText('theta 1\nmodel m = "m"\noutput "out" = m\n', { models: { m: hostile } });
  for (const format of ["text", "dot", "mermaid"] as const) {
    const text = tensorsText(tensors!, format)!;
    // eslint would rather not see them, so they are named by their codes.
    expect([...text].some((character) => character !== "\n" && character.codePointAt(0)! < 32)).toBe(false);
  }
  expect(tensorsText(tensors!, "mermaid")).not.toContain("<i>");
});

interface GatesJson {
  readonly outputs: readonly { readonly gates: readonly number[] }[];
  readonly gates: readonly { readonly with?: number }[];
  readonly operands: readonly { readonly tensors: readonly { readonly dtype: string }[] }[];
}

const gatesJson = (tensors: TensorGraph) => JSON.parse(tensorsText(tensors, "json")!) as GatesJson;

describe("gates", () => {
  const gated = () =>
    compiled(
      `theta 1\nbase llama = "models/llama"\nmodel maths = "models/maths"\nmerge half = linear(llama, maths)\n` +
        `output "dist/maths" = maths\nexpect maths {\n  finite\n  each cosine(llama) > 0.25 * 2\n  changed(half) <= 1\n}\n`,
    );

  it("stand under their output, with what they compare with where nothing else tells it", () => {
    expect(explainRecipe(gated().graph, "text")).toMatchInlineSnapshot(`
      "output "dist/maths"  model
      ├─ maths
      ├─ expect finite
      ├─ expect each cosine(llama) > 0.5
      └─ expect changed(half) <= 1
         └─ with  half = linear(normalize: true)
            ├─ llama  weight 1
            └─ maths  weight 1

      sources
        maths  model  "models/maths"
        llama  model  "models/llama"
      "
    `);
    expect(tensorsText(gated().tensors, "text")).toMatchInlineSnapshot(`
      "output "dist/maths"  model, 6 tensors

        6 tensors: maths bf16 -> bf16, taken over
          %0 = maths
          - model.embed_tokens.weight (tied: lm_head.weight)  [32, 8]
          - model.layers.0.mlp.up_proj.weight                 [16, 8]
          - model.layers.0.self_attn.q_proj.weight            [8, 8]
          - model.layers.1.mlp.up_proj.weight                 [16, 8]
          - model.layers.1.self_attn.q_proj.weight            [8, 8]
          - model.norm.weight                                 [8]

        expect
          finite
          each cosine(llama) > 0.5
            with llama bf16: 6 tensors
          changed(half) <= 1
            with llama bf16, maths bf16 -> bf16: 6 tensors
              %2 = linear(1 * llama, 1 * maths)
      "
    `);
  });

  it("are boxes of a diagram, and lines of JSON", () => {
    expect(explainRecipe(gated().graph, "mermaid")).toMatchInlineSnapshot(`
      "flowchart LR
        n0[("maths<br/>#34;models/maths#34;")]
        n1("finite")
        n2[("llama<br/>#34;models/llama#34;")]
        n3("each cosine(llama) #62; 0.5")
        n4("half<br/>linear(normalize: true)")
        n5("changed(half) #60;= 1")
        n6[/"dist/maths<br/>model"/]
        n2 -->|"with"| n3
        n2 -->|"weight 1"| n4
        n0 -->|"weight 1"| n4
        n4 -->|"with"| n5
        n0 --> n6
        n1 -->|"expect"| n6
        n3 -->|"expect"| n6
        n5 -->|"expect"| n6
      "
    `);
    expect(tensorsText(gated().tensors, "dot")).toContain('e0 [label="expect\\lfinite\\leach cosine(llama) > 0.5\\l');
    const json = gatesJson(gated().tensors);
    expect(json.outputs[0]!.gates.map((place) => json.gates[place])).toMatchObject([
      { gate: "finite", metric: "finite", each: false },
      { gate: "each cosine(llama) > 0.5", metric: "cosine", each: true, operator: ">", bound: 0.5 },
      { gate: "changed(half) <= 1" },
    ]);
    expect(json.operands[json.gates[2]!.with!]).toMatchObject({
      tensors: [{ name: "model.embed_tokens.weight", dtype: "BF16" }, {}, {}, {}, {}, {}],
    });
  });

  it("are told once where outputs share them, and apart where they compare with other tensors", () => {
    const { tensors } = compiled(
      `theta 1\nbase llama = "models/llama"\nmodel maths = "models/maths"\n` +
        `output "a" = maths\noutput "b" = maths\noutput "c" = maths { dtype f32 }\n` +
        `expect maths {\n  finite\n  cosine(llama) > 0.5\n  norm < 9\n  changed(llama) <= 1\n}\n`,
    );
    const { outputs, gates, operands } = gatesJson(tensors);
    expect(outputs.map((output) => output.gates)).toEqual([
      [0, 1, 2, 3],
      [0, 1, 2, 3],
      [0, 1, 2, 4],
    ]);
    expect(gates.map((gate) => gate.with)).toEqual([undefined, 0, undefined, 0, 1]);
    expect(operands.map((operand) => operand.tensors[0]!.dtype)).toEqual(["BF16", "F32"]);
  });
});
