// Text in, programs out: what one tensor's action computes, as `explain` writes it.

import { describe, expect, it } from "vitest";
import { programLines } from "../../../compiler/explain/program-text.ts";
import { groupActions } from "../../../compiler/explain/tensor-groups.ts";
import { lower } from "../../../compiler/lower.ts";
import { streamId } from "../../../compiler/lower/stream-id.ts";
import type { Action, OutputGraph } from "../../../compiler/tensor-graph.ts";
import { actionsOf, compileText, TENSORS } from "../../support/compile-text.ts";
import { memoryHost, type MemoryModel, type MemorySources } from "../../support/memory-host.ts";

const WITH_SCALAR = { ...TENSORS, "model.scale": "f32 []" };
const MODEL: MemoryModel = { tensors: WITH_SCALAR };
const SOURCES: MemorySources = {
  models: { llama: MODEL, maths: MODEL, code: MODEL, prose: MODEL },
  adapters: { chat: { modules: { "model.layers.1.self_attn.q_proj": [8, 8] } } },
};
const UP = "model.layers.0.mlp.up_proj.weight";

const HEAD = `theta 1
base llama = "llama"
model maths = "maths"
model code = "code"
`;

function programOf(action: Action): string[] {
  const [group] = groupActions([action]);
  return programLines(action, group!.number).map(({ id, text }) => `%${id} = ${text}`);
}

function program(body: string, tensor = UP, sources = SOURCES): string[] {
  const action = actionsOf(`${HEAD}${body}\n`, sources).get(tensor);
  if (action === undefined) throw new Error(`no action for ${tensor}`);
  return programOf(action);
}

describe("merges onto a base", () => {
  it("add weighted differences in the order of the entries", () => {
    expect(program(`merge m onto llama using sum(scale: 0.5) { maths weight 2 \n code }\noutput "out" = m`)).toEqual([
      "%2 = maths - llama",
      "%4 = code - llama",
      "%5 = sum(2 * %2, 1 * %4, scale 0.5)",
      "%6 = llama + %5",
    ]);
  });

  it("are the same program as the expression that they mean", () => {
    const block = program(`merge m onto llama using ties { maths weight 0.3\n code weight 0.4 }\noutput "out" = m`);
    const expression = program(
      `vector a = maths - llama\nvector b = code - llama\nmerge m = llama + ties(a, b, weight: [0.3, 0.4])\noutput "out" = m`,
    );
    expect(expression).toEqual(block);
  });

  it("leave a tensor alone that only absent vectors would change", () => {
    const body = `adapter chat = "chat" on llama\nmerge m onto llama using mean { chat weight 0.3 }\noutput "out" = m`;
    expect(program(body)).toEqual(["%0 = llama"]);
    expect(program(body, "model.layers.1.self_attn.q_proj.weight")).toEqual([
      "%1 = 2 * chat B @ chat A, rank 2",
      "%2 = mean(0.3 * %1, scale 1)",
      "%3 = llama + %2",
    ]);
  });

  it.each([
    ["sum with weight 0", "using sum { maths weight 0 }"],
    ["scale 0", "using ties(scale: 0) { each mask magnitude(density: 0.5)\n maths\n code }"],
    ["the base itself", "using sum { llama }"],
    ["a mask that takes other tensors", 'using sum { maths mask tensors("*q_proj*") }'],
    [
      "an election without weights",
      "using ties(elect: unweighted) { each mask magnitude(density: 0.5)\n maths weight 0 }",
    ],
  ])("take the base's payload over: %s", (_, body) => {
    expect(program(`merge m onto llama ${body}\noutput "out" = m`)).toEqual(["%0 = llama"]);
  });

  it("compute a factor of 0 where NaN and infinity are asked for", () => {
    const propagating = (strategy: string) => {
      const head = 'theta 1\nbase llama = "llama"\nmodel maths = "maths" { nan propagate }\n';
      const text = `${head}merge m onto llama using ${strategy} { maths }\noutput "out" = m\n`;
      return programOf(actionsOf(text, SOURCES).get(UP)!).at(-2);
    };
    expect(propagating("sum(scale: 0)")).toBe("%3 = sum(1 * %2, scale 0)");
    expect(propagating("nearswap(t: 0)")).toBe("%3 = nearswap(%2, t 0)");
  });

  it("count the weight of what is masked out where a mean divides by it", () => {
    const body = `merge m onto llama using mean { maths weight 3\n code weight 1 mask tensors("*q_proj*") }\noutput "out" = m`;
    expect(program(body)).toEqual([
      "%2 = maths - llama",
      "%3 = sum(0 * llama, scale 1)",
      "%4 = mean(3 * %2, 1 * %3, scale 1)",
      "%5 = llama + %4",
    ]);
  });

  it("keep a weight of 0 where it votes", () => {
    const ties = (elect: string) =>
      program(`merge m onto llama using ties(elect: ${elect}) {
        each mask magnitude(density: 0.5)
        maths weight 0
        code
      }
      output "out" = m`).at(-2);
    expect(ties("weighted")).toBe("%5 = ties(1 * %4, scale 1, elect weighted, divide weights)");
    expect(ties("unweighted")).toBe("%9 = ties(0 * %4, 1 * %8, scale 1, elect unweighted, divide weights)");
  });
});

describe("strategies by angle and distance", () => {
  it("take the step of model_stock from the angles, and one vector whole", () => {
    const stock = (entries: string, per = "") =>
      program(`merge m onto llama using model_stock${per} { ${entries} }\noutput "out" = m`).slice(-2);
    expect(stock("maths\ncode")).toEqual(["%5 = model_stock(%2, %4, per tensor)", "%6 = llama + %5"]);
    expect(stock("maths\ncode", "(per: row)")[0]).toBe("%5 = model_stock(%2, %4, per row)");
    expect(stock("maths")).toEqual(["%3 = sum(1 * %2, scale 1)", "%4 = llama + %3"]);
  });

  it("hold nearswap to one vector and a distance", () => {
    const swap = (t: string) => program(`merge m onto llama using nearswap(t: ${t}) { maths }\noutput "out" = m`);
    expect(swap("0.25")).toEqual(["%2 = maths - llama", "%3 = nearswap(%2, t 0.25)", "%4 = llama + %3"]);
    expect(swap("0")).toEqual(["%0 = llama"]);
  });

  it.each(["nuslerp", "multislerp", "model_stock"])("take the base over where all vectors of %s are zero", (method) => {
    const body = `merge m onto llama using ${method} { llama\nmaths mask tensors("*q_proj*") }\noutput "out" = m`;
    expect(program(body)).toEqual(["%0 = llama"]);
  });
});

describe("strategies that choose elements", () => {
  const using = (body: string, tensor = UP) => program(`merge m onto llama using ${body}\noutput "out" = m`, tensor);

  it("select by variance unless all or nothing is selected", () => {
    expect(using("sce(select: 0.1) { maths\n code }")).toEqual([
      "%2 = maths - llama",
      "%4 = code - llama",
      "%5 = variance(%2, %4)",
      "%6 = largest(%5, share 0.1 of what is not 0)",
      "%7 = sce(%2, %4 where %6)",
      "%8 = llama + %7",
    ]);
    expect(using("sce { maths\n code }").at(-2)).toBe("%5 = sce(%2, %4)");
    expect(using("sce(select: 0.1) { maths\n code }", "model.scale").at(-2)).toBe("%5 = sce(%2, %4)");
    // One vector alone does not vary, but where its difference overflows: its elements decide.
    expect(using("sce(select: 0.1) { maths }").at(-2)).toBe("%5 = sce(%2 where %4)");
  });

  it("leave out what is 0 where it counts for nothing", () => {
    const masked = 'maths\n code mask tensors("*q_proj*")';
    expect(using(`ram_plus(r: 0.3) { ${masked} }`).at(-2)).toBe("%3 = ram_plus(%2, epsilon 0.00001, r 0.3, alpha 0.2)");
    // Of equal ones the last is taken, with the sign of its zero.
    expect(using(`magmax { ${masked} }`).at(-2)).toBe("%4 = magmax(%2, %3, scale 1)");
    // It has a share where no square can be held.
    expect(using(`sce { ${masked} }`).at(-2)).toBe("%4 = sce(%2, %3)");
    // It counts among those that compete.
    expect(using(`pcb(select: 0.2) { ${masked} }`).slice(-4)).toEqual([
      "%4 = extremes(%2, clip 0.01)",
      "%5 = extremes(%3, clip 0.01)",
      "%6 = pcb(1 * %2, 1 * %3, within %4, %5, scale 1, select 0.2)",
      "%7 = llama + %6",
    ]);
    // It varies from the others, and is close to a sum that is 0.
    expect(using(`sce(select: 0.5) { ${masked} }`)).toContain("%4 = variance(%2, %3)");
    expect(using(`consensus { ${masked} }`).at(-2)).toBe(
      "%4 = consensus(1 * %2, 1 * %3, scale 1, lambda 0.4, at least 2)",
    );
  });

  it.each([
    "consensus { maths }",
    "consensus(scale: 0) { maths\n code }",
    "consensus(at_least: 1) { maths weight 0\n code weight 0 }",
    "magmax(scale: 0) { maths\n code }",
    "ram { llama }",
    "pcb(scale: 0) { maths\n code }",
    "pcb { maths weight 0\n code weight 0 }",
    "arcee_fusion { llama }",
  ])("take the base's payload over: %s", (body) => {
    expect(using(body)).toEqual(["%0 = llama"]);
  });

  it("look at the rows of what the vector is laid onto", () => {
    expect(using("arcee_fusion { maths mask magnitude(density: 0.5) }").slice(-3)).toEqual([
      "%5 = divergence of each row's softmax(llama + %4, llama)",
      "%6 = arcee_fusion(%4, %5)",
      "%7 = llama + %6",
    ]);
    const moved = program(`merge m onto code using arcee_fusion { maths - llama }\noutput "out" = m`);
    expect(moved.join("\n")).toMatch(/softmax\(code \+ %\d, code\)/);
    const expression = program(`merge m = code + rebase(arcee_fusion(maths - llama), code)\noutput "out" = m`);
    expect(expression.join("\n")).toMatch(/softmax\(llama \+ %\d, llama\)/);
  });
});

describe("lines", () => {
  const LATER = "model.layers.1.mlp.up_proj.weight";

  it("multiply by what a tensor's depth asks for, and not at all by 1", () => {
    const body = (settings: string) => `merge m onto llama using lines(${settings}) { maths }\noutput "out" = m`;
    expect(program(body("alpha: 0.3, beta: 0.5")).slice(-2)).toEqual(["%3 = 0.3 * %2", "%4 = llama + %3"]);
    expect(program(body("alpha: 0.3, beta: 0.5"), LATER).slice(-2)).toEqual(["%3 = 0.8 * %2", "%4 = llama + %3"]);
    expect(program(body("alpha: 0.3, beta: 0.5"), "model.scale").slice(-2)[0]).toBe("%3 = 0.3 * %2");
    expect(program(body("alpha: 0.5, beta: 0.5"), LATER)).toEqual(["%2 = maths - llama", "%3 = llama + %2"]);
    expect(program(body("alpha: 0, beta: 0.5"))).toEqual(["%0 = llama"]);
  });

  it("have a statistic of every tensor of both vectors, scalars included, where they are measured", () => {
    const body = `merge m onto llama using lines(beta: 0.5, like: code - llama) { maths }\noutput "out" = m`;
    expect(program(body, LATER).slice(-2)).toEqual(["%3 = (1 * (size 1 / size 0) + 0.5) * %2", "%4 = llama + %3"]);
    const [{ statistics }] = compileText(`${HEAD}${body}\n`, SOURCES).tensors!.outputs as [OutputGraph];
    expect(statistics.map(({ kind, vector }) => [kind, vector])).toEqual([
      ["size", "maths - llama"],
      ["size", "code - llama"],
    ]);
    for (const { members } of statistics) {
      expect(members.map(({ tensor }) => tensor)).toEqual(Object.keys(WITH_SCALAR).toSorted());
    }
    // Where alpha is 0 no size matters.
    expect(program(body.replace("beta", "alpha: 0, beta"), LATER).slice(-2)[0]).toBe("%3 = 0.5 * %2");
  });
});

describe("a mask over the model of what was masked over it before", () => {
  // Of the tensor that is kept, the output reads no F64; what is masked twice does, by way of code.
  const wide = { tensors: { ...WITH_SCALAR, [UP]: "f64 [16, 8]" } };
  const sources = { models: { ...SOURCES.models, code: wide } };
  const inner = `merge inner onto llama using sum {
  maths  mask magnitude(density: 0.5, per: model) & !magnitude(density: 0.1, of: code - llama)
}`;
  const twice = `merge m onto llama using sum {
  inner  mask magnitude(density: 0.5, per: model)
  at "${UP}"  keep llama
}
output "out" = m`;

  it("finds each τ in one work type: that of the second is that of the first", () => {
    const [{ statistics, actions }] = compileText(`${HEAD}${inner}\n${twice}\n`, sources).tensors!.outputs as [
      OutputGraph,
    ];
    expect(actions.find(({ tensor }) => tensor === UP)!.work).toBe("F32");
    const works = statistics.map(({ members }) => members.find(({ tensor }) => tensor === UP)!.work);
    expect(works).toEqual(["F64", "F64"]);
  });

  it("refuses a τ that is needed in both", () => {
    const shared = `vector tau = maths - llama
mask trim = magnitude(density: 0.5, per: model)
merge inner onto llama using sum {
  tau  mask trim & !magnitude(density: 0.1, of: code - llama)
}
merge m = llama + match("${UP}": tau & trim, else: (inner - llama) & trim)
output "out" = m`;
    const { diagnostics } = compileText(`${HEAD}${shared}\n`, sources);
    expect(diagnostics.map(({ message }) => message)).toEqual([
      `${UP} takes part in the work types f32 and f64, and its mask per: model would be another one in each`,
    ]);
  });
});

describe("resize common", () => {
  const EMBEDDING = "model.embed_tokens.weight";
  const more = { tensors: { ...WITH_SCALAR, [EMBEDDING]: "bf16 [40, 8]" } };
  const resized = (body: string) =>
    programOf(
      actionsOf(
        `theta 1\nbase llama = "llama"\nmodel maths = "more" { resize common }\nmodel code = "code"\n${body}\n`,
        {
          models: { ...SOURCES.models, more },
        },
      ).get(EMBEDDING)!,
    );

  it("takes rows that a model lacks from what it is compared with, so they do not change", () => {
    expect(resized(`merge m onto llama using sum { maths }\noutput "out" = m`)).toEqual([
      "%1 = maths resized over llama",
      "%2 = %1 - llama",
      "%3 = sum(1 * %2, scale 1)",
      "%4 = llama + %3",
    ]);
    expect(resized(`merge m = linear(code, maths)\noutput "out" = m`)).toEqual([
      "%1 = maths resized over code",
      "%2 = linear(1 * code, 1 * %1)",
    ]);
    const onMerge = `merge m onto llama using sum { code }\nmerge n onto m using sum { maths }\noutput "out" = n`;
    expect(resized(onMerge)).toContain("%5 = maths resized over %4");
  });
});

describe("an output's dtype", () => {
  const dtypeOf = (body: string, tensor: string) => actionsOf(`${HEAD}${body}\n`, SOURCES).get(tensor)!.dtype;

  it("may differ by tensor", () => {
    const body = `merge m onto llama using sum { maths }\noutput "out" = m { dtype match("*norm*": f32, else: f16) }`;
    expect(dtypeOf(body, "model.norm.weight")).toBe("F32");
    expect(dtypeOf(body, UP)).toBe("F16");
  });

  it("has selectors that are checked like any other", () => {
    const { diagnostics } = compileText(
      `${HEAD}output "out" = llama { dtype match("*nrom*": f32, else: f16) }`,
      SOURCES,
    );
    expect(diagnostics.map(({ code }) => code)).toContain("no-such-tensor");
  });
});

describe("masks", () => {
  const masked = (mask: string, tensor = UP) =>
    program(`merge m onto llama using sum { maths mask ${mask} }\noutput "out" = m`, tensor).slice(1, -2);

  it("rescale, then select", () => {
    expect(masked("breadcrumbs(density: 0.5, drop_top: 0.1)")).toEqual([
      "%3 = breadcrumbs(%2, density 0.5, drop_top 0.1, per row)",
      "%4 = %2 where %3",
    ]);
    expect(masked("magnitude(density: 0.5, rescale: inv)")).toEqual([
      "%3 = %2 / density 0.5",
      "%4 = magnitude(%2, density 0.5, per tensor)",
      "%5 = %3 where %4",
    ]);
    expect(masked("magnitude(density: 0.5, rescale: l1)")).toEqual([
      "%3 = magnitude(%2, density 0.5, per tensor)",
      "%4 = %2 where %3",
      "%5 = %2 * (l1 of %2 / l1 of %4)",
      "%6 = %5 where %3",
    ]);
  });

  it("draw numbers, and divide by the probability of each element", () => {
    expect(masked("random(density: 0.3, seed: 7)")).toEqual([
      "%3 = %2 / density 0.3",
      "%4 = random(density 0.3, seed 7)",
      "%5 = %3 where %4",
    ]);
    expect(masked("della(density: 0.5, seed: 7)")).toEqual([
      "%3 = della(%2, density 0.5, epsilon 0.15, per row, seed 7)",
      "%4 = %2 / probability of %3",
      "%5 = %4 where %3",
    ]);
    expect(masked("della(density: 0.5, seed: 7, per: tensor, rescale: l1)")).toEqual([
      "%3 = della(%2, density 0.5, epsilon 0.15, per tensor, seed 7)",
      "%4 = %2 where %3",
      "%5 = %2 * (l1 of %2 / l1 of %4)",
      "%6 = %5 where %3",
    ]);
    expect(masked("random(density: 1, seed: 7)")).toEqual([]);
    expect(masked("della(density: 1, epsilon: 0.5, seed: 7)")).toEqual([]);
    expect(masked("della(density: 0.5, seed: 7)", "model.scale")).toEqual([]);
  });

  it("may be computed from another vector, which is then an input", () => {
    const body = `merge m onto llama using sum { maths mask MASK }\noutput "out" = m`;
    const masked = (mask: string) => program(body.replace("MASK", mask)).slice(1, -2);
    expect(masked("magnitude(density: 0.5, of: code - llama)")).toEqual([
      "%4 = code - llama",
      "%5 = magnitude(%4, density 0.5, per tensor)",
      "%6 = %2 where %5",
    ]);
    expect(masked("della(density: 0.5, seed: 1, of: code - llama)")).toEqual([
      "%4 = code - llama",
      "%5 = della(%4, density 0.5, epsilon 0.15, per row, seed 1)",
      "%6 = %2 / probability of %5",
      "%7 = %6 where %5",
    ]);
    expect(masked("breadcrumbs(density: 1, drop_top: 0.1, of: maths - llama)")).toEqual(
      masked("breadcrumbs(density: 1, drop_top: 0.1)"),
    );
    // One that masks nothing looks at nothing.
    expect(masked("magnitude(density: 1, of: code - llama)")).toEqual([]);
  });

  it("draw from streams of the position, the name and the method", () => {
    const drawn = (body: string) =>
      actionsOf(`${HEAD}${body}\noutput "out" = m\n`, SOURCES)
        .get(UP)!
        .program.operations.flatMap((operation) =>
          operation.op === "random" || operation.op === "della" ? [[operation.seed, operation.stream]] : [],
        );
    expect(
      drawn("merge m onto llama using sum { each mask random(density: 0.5, seed: 9007199254740991)\n maths\n code }"),
    ).toEqual([
      [9007199254740991n, streamId("random", 0, UP)],
      [9007199254740991n, streamId("random", 1, UP)],
    ]);
    expect(drawn("merge m onto llama using sum { maths\n code mask della(density: 0.5, seed: 0, stream: 7) }")).toEqual(
      [[0n, streamId("della", 7, UP)]],
    );
  });

  it("are none at density 1, except for the top of breadcrumbs, and neither rescales", () => {
    expect(masked("magnitude(density: 1, rescale: inv)")).toEqual([]);
    expect(masked("breadcrumbs(density: 1, drop_top: 0.1, rescale: l1)")).toEqual([
      "%3 = breadcrumbs(%2, density 1, drop_top 0.1, per row)",
      "%4 = %2 where %3",
    ]);
  });

  it("never touch a scalar", () => {
    expect(masked("breadcrumbs(density: 0.5, drop_top: 0.1)", "model.scale")).toEqual([]);
  });

  it("combine with selectors without a trace", () => {
    expect(masked('magnitude(density: 0.5, rescale: inv) & "*mlp*"')).toEqual(
      masked("magnitude(density: 0.5, rescale: inv)"),
    );
    expect(masked('magnitude(density: 0.5) | "*mlp*"')).toEqual([]);
    expect(masked('magnitude(density: 0.5) | "*q_proj*"')).toEqual(masked("magnitude(density: 0.5)"));
    expect(masked("magnitude(density: 0.5) & !breadcrumbs(density: 0.1, drop_top: 0)")).toEqual([
      "%3 = magnitude(%2, density 0.5, per tensor)",
      "%4 = breadcrumbs(%2, density 0.1, drop_top 0, per row)",
      "%5 = !%4",
      "%6 = %3 & %5",
      "%7 = %2 where %6",
    ]);
  });

  it("break ties by the entry's position, the mask's own stream and the output's tensor name", () => {
    const tieOf = (body: string) => {
      const actions = actionsOf(`${HEAD}${body}\noutput "out" = m\n`, SOURCES);
      return actions.get(UP)!.program.operations.flatMap((operation) => ("tie" in operation ? [operation.tie] : []));
    };
    expect(tieOf("merge m onto llama using sum { each mask magnitude(density: 0.5)\n maths\n code }")).toEqual([
      streamId("tie", 0, UP),
      streamId("tie", 1, UP),
    ]);
    expect(tieOf("merge m onto llama using sum { maths\n code mask magnitude(density: 0.5, stream: 7) }")).toEqual([
      streamId("tie", 7, UP),
    ]);
  });

  it("have streams of common.py", () => {
    expect(streamId("tie", 0, "model.embed_tokens.weight")).toBe(2150751000570389795n);
    expect(streamId("tie", 3, "lm_head.weight")).toBe(831660997915271876n);
    expect(streamId("random", 12, "größe.weight")).toBe(10108852331489684345n);
  });
});

describe("methods on models", () => {
  it("linear starts from the first model", () => {
    expect(program('merge m = linear(maths, code, weight: [0.25, 0.75])\noutput "out" = m')).toEqual([
      "%2 = linear(0.25 * maths, 0.75 * code)",
    ]);
    expect(program('merge m = linear(maths, code, weight: [1, 0])\noutput "out" = m')).toEqual(["%0 = maths"]);
    expect(program('merge m = linear(maths, code, weight: [0, 1])\noutput "out" = m')).toEqual([
      "%2 = linear(0 * maths, 1 * code)",
    ]);
    expect(program('merge m = linear(maths, code, weight: [0, 1], normalize: false)\noutput "out" = m')).toEqual([
      "%1 = linear(1 * code, not normalized)",
    ]);
  });

  it("slerp takes the payload over at its ends", () => {
    expect(program('merge m = slerp(maths, code, t: 0)\noutput "out" = m')).toEqual(["%0 = maths"]);
    expect(program('merge m = slerp(maths, code, t: 1)\noutput "out" = m')).toEqual(["%0 = code"]);
    expect(
      program('merge m = slerp(maths, code, t: match("*mlp*": ramp(0.25, 0.5), else: 1))\noutput "out" = m'),
    ).toEqual(["%2 = slerp(maths, code, t 0.25)"]);
  });

  it("nuslerp is slerp by the share of the second weight", () => {
    const nuslerp = (rest: string) => program(`merge m = nuslerp(maths, code${rest})\noutput "out" = m`);
    expect(nuslerp("")).toEqual(["%2 = slerp(maths, code, t 0.5)"]);
    expect(nuslerp(", weight: [3, 1], per: row")).toEqual(["%2 = slerp(maths, code, t 0.25, per row)"]);
    expect(nuslerp(", weight: [2, -1]")).toEqual(["%2 = slerp(maths, code, t -1)"]);
    expect(nuslerp(", weight: [1, 0]")).toEqual(["%0 = maths"]);
    expect(nuslerp(", weight: [0, 0.3]")).toEqual(["%0 = code"]);
    // The sum is 0 in float32, but it divides in float64.
    expect(nuslerp(", weight: 1e-60")).toEqual(["%2 = slerp(maths, code, t 0.5)"]);
    expect(
      program('merge m onto llama using nuslerp { maths weight 0.25\ncode weight 0.75 }\noutput "out" = m'),
    ).toEqual(["%2 = maths - llama", "%4 = code - llama", "%5 = slerp(%2, %4, t 0.75)", "%6 = llama + %5"]);
  });

  it("karcher weighs directions; multislerp is one step of it, on vectors too", () => {
    const merged = (body: string) => program(`merge m = ${body}\noutput "out" = m`);
    expect(merged("karcher(maths, code)")).toEqual([
      "%2 = karcher(1 * maths, 1 * code, at most 10 steps, tol 0.00001)",
    ]);
    expect(merged("karcher(maths, llama, code, weight: [1, 0, 2], max_iter: 3, tol: 0.5)")).toEqual([
      "%3 = karcher(1 * maths, 0 * llama, 2 * code, at most 3 steps, tol 0.5)",
    ]);
    expect(merged("multislerp(maths, code)")).toEqual(merged("karcher(maths, code, max_iter: 1)"));
    expect(merged("karcher(maths)")).toEqual(["%1 = karcher(1 * maths, at most 10 steps, tol 0.00001)"]);
    expect(program('merge m onto llama using multislerp { maths\ncode weight 2 }\noutput "out" = m').slice(2)).toEqual([
      "%5 = karcher(1 * %2, 2 * %4, at most 1 step, tol 0.00001)",
      "%6 = llama + %5",
    ]);
  });

  it("leave out a model that lacks the tensor", () => {
    const less: MemorySources = {
      models: { ...SOURCES.models, maths: { tensors: { ...WITH_SCALAR, [UP]: undefined! } } },
    };
    delete (less.models!["maths"]!.tensors as Record<string, string>)[UP];
    const skip = 'model less = "maths" { missing skip }\n';
    const base = 'model less = "maths" { missing base }\n';
    const merged = (what: string, body: string) =>
      program(`${what}${body}`.replaceAll("maths", "maths"), UP, {
        models: { ...less.models, spare: MODEL },
      });
    const body = 'model spare = "spare"\nmerge m onto llama using mean { less weight 3\n spare }\noutput "out" = m';
    expect(merged(skip, body)).toEqual(["%2 = spare - llama", "%3 = mean(1 * %2, scale 1)", "%4 = llama + %3"]);
    expect(merged(base, body)).toEqual([
      "%1 = sum(0 * llama, scale 1)",
      "%3 = spare - llama",
      "%4 = mean(3 * %1, 1 * %3, scale 1)",
      "%5 = llama + %4",
    ]);
    const linear = 'model spare = "spare"\nmerge m = linear(spare, less)\noutput "out" = m';
    expect(merged(skip, linear)).toEqual(["%0 = spare"]);
    expect(merged(base, linear)).toEqual(["%0 = spare"]);
  });
});

describe("expressions", () => {
  it.each([
    ["llama - 0.5 * (maths - llama)", ["%2 = maths - llama", "%3 = 0.5 * %2", "%4 = -%3", "%5 = llama + %4"]],
    ["llama + (maths - llama) / 4", ["%2 = maths - llama", "%3 = %2 / 4", "%4 = llama + %3"]],
    ["code + rebase(maths - llama, code)", ["%3 = maths - llama", "%4 = code + %3"]],
    ["llama + 0 * (maths - llama)", ["%0 = llama"]],
    ["llama + 1 * (maths - llama)", ["%2 = maths - llama", "%3 = llama + %2"]],
    [
      "llama + ((maths - llama) - (code - llama))",
      ["%2 = maths - llama", "%4 = code - llama", "%5 = %2 - %4", "%6 = llama + %5"],
    ],
  ])("%s", (expression, expected) => {
    expect(program(`merge m = ${expression}\noutput "out" = m`)).toEqual(expected);
  });

  it("name no rounding between fused merges", () => {
    expect(
      program(`merge first = linear(maths, code)
merge m onto llama using sum { first weight 0.5 }
output "out" = m`),
    ).toEqual([
      "%3 = linear(1 * maths, 1 * code)",
      "%4 = %3 - llama",
      "%5 = sum(0.5 * %4, scale 1)",
      "%6 = llama + %5",
    ]);
  });
});

describe("what varies", () => {
  it("comes from the first at that states the clause, keep before all", () => {
    const body = `merge m onto llama using sum {
      maths weight 0.5
      at layers(0..1) { maths weight 0.1 }
      at "*mlp*" { maths weight 0.2 }
      at "*q_proj*" keep code
    }
    output "out" = m`;
    expect(program(body, UP).at(-2)).toBe("%3 = sum(0.1 * %2, scale 1)");
    expect(program(body, "model.layers.1.mlp.up_proj.weight").at(-2)).toBe("%3 = sum(0.2 * %2, scale 1)");
    expect(program(body, "model.norm.weight").at(-2)).toBe("%3 = sum(0.5 * %2, scale 1)");
    expect(program(body, "model.layers.0.self_attn.q_proj.weight")).toEqual(["%0 = code"]);
  });

  it("may be a strategy", () => {
    const body = `merge m onto llama using match("*mlp*": sum, else: mean(scale: 2)) { maths }\noutput "out" = m`;
    expect(program(body).at(-2)).toBe("%3 = sum(1 * %2, scale 1)");
    expect(program(body, "model.norm.weight").at(-2)).toBe("%3 = mean(1 * %2, scale 2)");
  });
});

describe("actions", () => {
  const only = (body: string, tensor: string, sources = SOURCES) => actionsOf(`${HEAD}${body}\n`, sources).get(tensor)!;

  it("work in float64 as soon as a tensor that takes part or the output is F64", () => {
    const wide: MemorySources = {
      models: { ...SOURCES.models, code: { tensors: { ...WITH_SCALAR, [UP]: "f64 [16, 8]" } } },
    };
    const body = 'merge m onto llama using sum { maths\n code weight 0 }\noutput "out" = m';
    expect(only(body, UP, wide).work).toBe("F64");
    expect(only(body, UP).work).toBe("F32");
    expect(only('merge m onto llama using sum { maths }\noutput "out" = m { dtype f64 }', UP).work).toBe("F64");
    // A payload that is taken over needs no wider work than its own.
    expect(only('merge m onto llama using sum { code weight 0 }\noutput "out" = m', UP, wide).work).toBe("F32");
  });

  it("have the donor's dtype unless the output sets one", () => {
    const body = 'merge m onto llama using sum { maths }\noutput "out" = m';
    expect(only(body, UP).dtype).toBe("BF16");
    expect(only(body, "model.scale").dtype).toBe("F32");
    expect(only(`${body} { dtype f16 }`, "model.scale").dtype).toBe("F16");
  });

  it("copy integers and let the runtime compare them", () => {
    const withCount = { tensors: { ...WITH_SCALAR, "bn.num_batches_tracked": "i64 []" } };
    const sources = { models: { llama: withCount, maths: withCount, code: withCount } };
    const body = 'merge m onto llama using sum { maths\n code }\noutput "out" = m { dtype f16 }';
    const action = only(body, "bn.num_batches_tracked", sources);
    expect(action).toMatchObject({ work: "bytes", dtype: "I64", program: { operations: [{ op: "load" }] } });
    expect(action.mustEqual!.map(({ role }) => role)).toEqual(["maths", "code"]);
    expect(action.inputs.map(({ role }) => role)).toEqual(["llama"]);
    const free = actionsOf(
      `theta 1
base llama = "llama"
model maths = "maths" { int base }
merge m onto llama using sum { maths }
output "out" = m
`,
      sources,
    ).get("bn.num_batches_tracked")!;
    expect(free.mustEqual).toBeUndefined();
  });

  it("read a tied tensor once and tie it again", () => {
    const tied: MemoryModel = { tensors: WITH_SCALAR, tied: { "lm_head.weight": "model.embed_tokens.weight" } };
    const sources = { models: { llama: tied, maths: tied, code: tied } };
    const text = `${HEAD}merge m onto llama using sum { maths\n at "lm_head.*" { maths weight 0.25 } }\noutput "out" = m\n`;
    expect(actionsOf(text, sources).has("lm_head.weight")).toBe(false);
    expect(programOf(actionsOf(text, sources).get("model.embed_tokens.weight")!).at(-2)).toBe(
      "%3 = sum(0.25 * %2, scale 1)",
    );
    expect(compileText(text, sources).tensors!.outputs[0]!.aliases).toEqual(
      new Map([["lm_head.weight", "model.embed_tokens.weight"]]),
    );
  });

  it("of a vector are those that it changes, in f32", () => {
    const text = `theta 1
base llama = "llama"
adapter chat = "chat" on llama
output "out" = chat
`;
    const actions = actionsOf(text, SOURCES);
    expect([...actions.keys()]).toEqual(["model.layers.1.self_attn.q_proj.weight"]);
    expect([...actions.values()][0]).toMatchObject({ dtype: "F32", shape: [8, 8] });
  });

  it("are those that are asked for", () => {
    const { graph } = compileText(`${HEAD}output "a" = maths\noutput "b" = code\n`, SOURCES);
    const { tensors } = lower(graph!.outputs.slice(1), [], memoryHost(SOURCES));
    expect(tensors!.outputs.map(({ output }) => output.display)).toEqual(["b"]);
  });
});
