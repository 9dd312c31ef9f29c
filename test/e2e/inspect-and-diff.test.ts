// theta inspect and theta diff as their users see them: what they print, their JSON, their exit codes; on single files,
// shards, snapshots of links, adapters, vectors and outputs; and on every source that must be refused.

import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { HOSTILE_SOURCES } from "../hostile-files/hostile-sources.ts";
import {
  bf16,
  f16,
  f32,
  f64,
  makeAdapterDirectory,
  makeModelDirectory,
  raw,
  writeSafetensors,
  type TestTensors,
} from "../support/tensors.ts";
import { refusal } from "./refusal.ts";
import type { ThetaRun } from "./theta-process.ts";
import { useSession } from "./theta-session.ts";

const session = useSession();
let space: string;
beforeAll(() => void (space = mkdtempSync(join(tmpdir(), "theta-inspect-"))));
afterAll(() => rmSync(space, { recursive: true, force: true }));

const folder = (): string => mkdtempSync(join(space, "case-"));

/** What a command prints on standard output, without the time that it took. */
async function printed(directory: string, args: readonly string[], code = 0): Promise<string> {
  const run = await session(directory, args);
  expect(run.code, run.stderr).toBe(code);
  return run.stdout.replace(/ in \d+\.\d+ s$/m, " in …");
}

interface DiffedTensor {
  readonly name: string;
  readonly state: string;
  readonly [field: string]: unknown;
}

async function diffed(
  directory: string,
  args: readonly string[],
): Promise<{ readonly tensors: readonly DiffedTensor[]; readonly bytes: { readonly read: number } }> {
  const run = await session(directory, ["diff", "--json", ...args]);
  expect(run.code, run.stderr).toBe(0);
  const { schema, ...report } = JSON.parse(run.stdout) as { schema: string } & Awaited<ReturnType<typeof diffed>>;
  expect(schema).toBe("theta.diff/1");
  return report;
}

function layers(scale: number): TestTensors {
  const all: Record<string, TestTensors[string]> = {
    "model.embed_tokens.weight": bf16([4, 2], [1, 2, 3, 4, 5, 6, 7, 8]),
  };
  for (const layer of [0, 1, 2]) {
    all[`model.layers.${layer}.mlp.weight`] = bf16([2, 2], [1, 2, 3, 4 + scale * (layer + 1)]);
    all[`model.layers.${layer}.norm.weight`] = f32([2], [1, 1]);
  }
  return all;
}

const CONFIG = {
  architectures: ["LlamaForCausalLM"],
  model_type: "llama",
  num_hidden_layers: 3,
  tie_word_embeddings: true,
};

function twoModels(): string {
  const directory = folder();
  makeModelDirectory(join(directory, "base"), layers(0), { config: CONFIG });
  makeModelDirectory(join(directory, "tuned"), layers(1), { config: CONFIG });
  return directory;
}

test("inspect shows layers together", async () => {
  expect(await printed(twoModels(), ["inspect", "base"])).toMatchInlineSnapshot(`
    "base: model, LlamaForCausalLM (llama), 3 layers
      7 tensors, 26 parameters in BF16 (20) and F32 (6), 64 B in 1 file

      count  dtype  shape   bytes  tensor
          1  BF16   [4, 2]   16 B  model.embed_tokens.weight (tied: lm_head.weight)
          3  BF16   [2, 2]   24 B  model.layers.*.mlp.weight  0-2
          3  F32    [2]      24 B  model.layers.*.norm.weight  0-2
    "
  `);
});

test("inspect --verbose, --tensor, --stats and --digests show each tensor", async () => {
  const directory = twoModels();
  expect(await printed(directory, ["inspect", "base", "--verbose"])).toContain("model.layers.1.mlp.weight\n");
  // A tied name means the tensor that it is tied to.
  expect(await printed(directory, ["inspect", "base", "--tensor", "lm_head*", "--stats"])).toMatchInlineSnapshot(`
    "base: model, LlamaForCausalLM (llama), 3 layers
      1 tensor, 8 parameters in BF16, 16 B in 1 file

      dtype  shape   bytes   min   max  mean   rms  zeros  NaN  inf  tensor
      BF16   [4, 2]   16 B  1.00  8.00  4.50  5.05      0    0    0  model.embed_tokens.weight (tied: lm_head.weight)
    "
  `);
  const digest = createHash("sha256").update(layers(0)["model.layers.1.norm.weight"]!.data).digest("hex");
  expect(await printed(directory, ["inspect", "base", "--digests"])).toContain(
    `sha256:${digest}  model.layers.1.norm.weight\n`,
  );
});

test("inspect --json", async () => {
  const directory = folder();
  makeModelDirectory(
    join(directory, "m"),
    {
      a: f32([2], [1, -3]),
      empty: f16([0, 4], []),
      i: raw("I64", [1], [1, 0, 0, 0, 0, 0, 0, 0]),
      n: bf16([3], [NaN, 2, Infinity]),
    },
    {
      shards: [
        ["a", "i"],
        ["empty", "n"],
      ],
      config: CONFIG,
    },
  );
  const json = JSON.parse(await printed(directory, ["inspect", "m", "--json", "--stats"])) as object;
  const lines = Object.entries(json).flatMap(([key, value]) =>
    (Array.isArray(value) ? value : [value]).map((one) => `${key} ${JSON.stringify(one)}`),
  );
  expect(lines.join("\n")).toMatchInlineSnapshot(`
    "schema "theta.inspect/1"
    path "m"
    kind "model"
    digest "sha256:0973c7bfe5dea0855cdc48d613225e31310d9e532c6a3728885c69a4cca36906"
    totals {"tensors":4,"parameters":6,"bytes":22,"shards":2,"dtypes":[{"dtype":"F32","tensors":1,"parameters":2},{"dtype":"I64","tensors":1,"parameters":1},{"dtype":"BF16","tensors":1,"parameters":3},{"dtype":"F16","tensors":1,"parameters":0}]}
    config {"architecture":"LlamaForCausalLM","model_type":"llama","layers":3,"quantization":null}
    tensors {"name":"a","dtype":"F32","shape":[2],"parameters":2,"bytes":8,"shard":"model-00001-of-00002.safetensors","tied":[],"digest":"sha256:00604e9894504c9d75ad0c1490c208967df3e92ccf40a990c64ced268a56f6ee","statistics":{"min":-3,"max":1,"mean":-1,"rms":2.23606797749979,"zeros":0,"nan":0,"inf":0}}
    tensors {"name":"empty","dtype":"F16","shape":[0,4],"parameters":0,"bytes":0,"shard":"model-00002-of-00002.safetensors","tied":[],"digest":"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855","statistics":{"min":null,"max":null,"mean":null,"rms":null,"zeros":0,"nan":0,"inf":0}}
    tensors {"name":"i","dtype":"I64","shape":[1],"parameters":1,"bytes":8,"shard":"model-00001-of-00002.safetensors","tied":[],"digest":"sha256:7c9fa136d4413fa6173637e883b6998d32e1d675f88cddff9dcbcf331820f4b8"}
    tensors {"name":"n","dtype":"BF16","shape":[3],"parameters":3,"bytes":6,"shard":"model-00002-of-00002.safetensors","tied":[],"digest":"sha256:e94dd7d89e6913e743d29549fff24374522a7296208f905b96c35198a73ca3cd","statistics":{"min":2,"max":2,"mean":2,"rms":2,"zeros":0,"nan":1,"inf":1}}"
  `);
  const headers = JSON.parse(await printed(directory, ["inspect", "m", "--json", "--no-digests"])) as {
    tensors: readonly object[];
  };
  expect(headers.tensors[0]).not.toHaveProperty("digest");
});

test("diff puts the largest change first and layers together", async () => {
  expect(await printed(twoModels(), ["diff", "base", "tuned"])).toMatchInlineSnapshot(`
    "A  base   model, LlamaForCausalLM (llama), 3 layers
    B  tuned  model, LlamaForCausalLM (llama), 3 layers

      relative  max |a-b|  mean |a-b|    cosine  changed  tensor
        39.4 %       3.00       0.500  0.974679   25.0 %  model.layers.*.mlp.weight  0-2  (most in 2: 54.8 %)

      same  model.embed_tokens.weight (tied: lm_head.weight)
      same  model.layers.*.norm.weight  0-2  (3 tensors)

    7 tensors: 3 changed, 4 same; 128 B read in …
    "
  `);
});

test("diff names everything that can differ", async () => {
  const directory = folder();
  makeModelDirectory(join(directory, "a"), {
    "bits.f8": raw("F8_E8M0", [4], [1, 2, 3, 4]),
    "dtype.float": bf16([2], [1, 2]),
    "dtype.other": raw("I32", [1], [1, 0, 0, 0]),
    "only.0.here": f32([1], [1]),
    "only.1.here": f32([1], [1]),
    position: raw("I64", [2], [0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0]),
    same: f64([2], [1, 2]),
    shape: f32([2, 2], [1, 2, 3, 4]),
    special: f32([4], [NaN, 1, Infinity, 4]),
    "zero.sign": f32([2], [0, 1]),
    "zero.was": f32([2], [0, 0]),
  });
  makeModelDirectory(join(directory, "b"), {
    "bits.f8": raw("F8_E8M0", [4], [1, 2, 3, 5]),
    "dtype.float": f32([2], [1, 2]),
    "dtype.other": raw("I64", [1], [1, 0, 0, 0, 0, 0, 0, 0]),
    position: raw("I64", [2], [0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0]),
    same: f64([2], [1, 2]),
    shape: f32([4], [1, 2, 3, 4]),
    special: f32([4], [NaN, 2, 3, 4]),
    there: f32([1], [1]),
    "zero.sign": f32([2], [-0, 1]),
    "zero.was": f32([2], [0, 2]),
  });
  expect(await printed(directory, ["diff", "a", "b"])).toMatchInlineSnapshot(`
    "A  a  model, LlamaForCausalLM (llama)
    B  b  model, LlamaForCausalLM (llama)

      relative  max |a-b|  mean |a-b|    cosine  changed  tensor
        from 0       2.00        1.00         -   50.0 %  zero.was
        24.3 %       1.00       0.500  0.976187   50.0 %  special
             -          -           -         -   25.0 %  bits.f8
             -          -           -         -   50.0 %  position

      equal values  dtype.float  BF16 in A, F32 in B
      equal values  zero.sign
      other shape   shape  [2, 2] in A, [4] in B
      other dtype   dtype.other  I32 in A, I64 in B
      only in A     only.*.here  0-1  (2 tensors)  F32 [1]
      only in B     there  F32 [1]
      same          same

    Not finite: 1 NaN in A, 1 infinite in A, 1 NaN in B (special); they count in "changed" alone

    12 tensors: 4 changed, 2 equal values, 1 other shape, 1 other dtype, 2 only in A, 1 only in B, 1 same; 148 B read in …
    "
  `);
  const { tensors } = await diffed(directory, ["a", "b"]);
  expect(tensors.map((tensor) => JSON.stringify(tensor)).join("\n")).toMatchInlineSnapshot(`
    "{"name":"bits.f8","tied":[],"state":"changed","a":{"dtype":"F8_E8M0","shape":[4]},"b":{"dtype":"F8_E8M0","shape":[4]},"elements":4,"changed":1,"changed_share":0.25,"max":null,"mean":null,"relative":null,"cosine":null,"not_finite":{"a":{"nan":0,"inf":0},"b":{"nan":0,"inf":0}}}
    {"name":"dtype.float","tied":[],"state":"equal","a":{"dtype":"BF16","shape":[2]},"b":{"dtype":"F32","shape":[2]},"elements":2,"changed":0,"changed_share":0,"max":0,"mean":0,"relative":0,"cosine":1,"not_finite":{"a":{"nan":0,"inf":0},"b":{"nan":0,"inf":0}}}
    {"name":"dtype.other","tied":[],"state":"dtype","a":{"dtype":"I32","shape":[1]},"b":{"dtype":"I64","shape":[1]}}
    {"name":"only.0.here","tied":[],"state":"only_a","a":{"dtype":"F32","shape":[1]},"b":null}
    {"name":"only.1.here","tied":[],"state":"only_a","a":{"dtype":"F32","shape":[1]},"b":null}
    {"name":"position","tied":[],"state":"changed","a":{"dtype":"I64","shape":[2]},"b":{"dtype":"I64","shape":[2]},"elements":2,"changed":1,"changed_share":0.5,"max":null,"mean":null,"relative":null,"cosine":null,"not_finite":{"a":{"nan":0,"inf":0},"b":{"nan":0,"inf":0}}}
    {"name":"same","tied":[],"state":"same","a":{"dtype":"F64","shape":[2]},"b":{"dtype":"F64","shape":[2]}}
    {"name":"shape","tied":[],"state":"shape","a":{"dtype":"F32","shape":[2,2]},"b":{"dtype":"F32","shape":[4]}}
    {"name":"special","tied":[],"state":"changed","a":{"dtype":"F32","shape":[4]},"b":{"dtype":"F32","shape":[4]},"elements":4,"changed":2,"changed_share":0.5,"max":1,"mean":0.5,"relative":0.24253562503633297,"cosine":0.9761870601839527,"not_finite":{"a":{"nan":1,"inf":1},"b":{"nan":1,"inf":0}}}
    {"name":"there","tied":[],"state":"only_b","a":null,"b":{"dtype":"F32","shape":[1]}}
    {"name":"zero.sign","tied":[],"state":"equal","a":{"dtype":"F32","shape":[2]},"b":{"dtype":"F32","shape":[2]},"elements":2,"changed":0,"changed_share":0,"max":0,"mean":0,"relative":0,"cosine":1,"not_finite":{"a":{"nan":0,"inf":0},"b":{"nan":0,"inf":0}}}
    {"name":"zero.was","tied":[],"state":"changed","a":{"dtype":"F32","shape":[2]},"b":{"dtype":"F32","shape":[2]},"elements":2,"changed":1,"changed_share":0.5,"max":2,"mean":1,"relative":null,"cosine":null,"not_finite":{"a":{"nan":0,"inf":0},"b":{"nan":0,"inf":0}}}"
  `);
});

test("--exit-code is 1 when anything differs, 0 when not", async () => {
  const directory = twoModels();
  await printed(directory, ["diff", "base", "tuned"], 0);
  await printed(directory, ["diff", "base", "tuned", "--exit-code"], 1);
  await printed(directory, ["diff", "base", "base", "--exit-code"], 0);
  await printed(directory, ["diff", "base", "tuned", "--exit-code", "--tensor", "*norm*"], 0);
});

test("one file, shards, a snapshot of links and the file alone are the same", async () => {
  const directory = folder();
  const tensors = layers(1);
  const names = Object.keys(tensors);
  makeModelDirectory(join(directory, "one"), tensors, { config: CONFIG });
  makeModelDirectory(join(directory, "shards"), tensors, {
    shards: [names.slice(0, 3), names.slice(3)],
    config: CONFIG,
  });
  mkdirSync(join(directory, "snapshot"));
  for (const file of ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"]) {
    symlinkSync(`../shards/${file}`, join(directory, "snapshot", file));
  }
  for (const file of ["model.safetensors.index.json", "config.json"]) {
    symlinkSync(`../shards/${file}`, join(directory, "snapshot", file));
  }
  for (const other of ["shards", "snapshot", "one/model.safetensors"]) {
    expect(await printed(directory, ["diff", "one", other])).toContain("\nSame: 7 tensors, byte by byte; ");
  }
  // The same bytes of the same files are not read.
  expect((await diffed(directory, ["shards", "snapshot"])).bytes.read).toBe(0);
  const digests: string[] = [];
  for (const path of ["one", "shards", "snapshot"]) {
    digests.push((JSON.parse(await printed(directory, ["inspect", path, "--json"])) as { digest: string }).digest);
  }
  expect(new Set(digests).size).toBe(1);
});

test("a name that is tied on one side is compared with the tensor of the other", async () => {
  const directory = folder();
  const embedding = bf16([2, 1], [1, 2]);
  const name = "model.embed_tokens.weight";
  makeModelDirectory(join(directory, "tied"), { [name]: embedding }, { config: { tie_word_embeddings: true } });
  const untied = { [name]: embedding, "lm_head.weight": bf16([2, 1], [1, 3]) };
  makeModelDirectory(join(directory, "untied"), untied, { config: {} });
  const { tensors } = await diffed(directory, ["tied", "untied"]);
  expect(tensors.map(({ name, tied, state }) => [name, tied, state])).toEqual([
    ["lm_head.weight", [], "changed"],
    ["model.embed_tokens.weight", [], "same"],
  ]);
  const both = await diffed(directory, ["tied", "tied"]);
  expect(both.tensors.map(({ name, tied, state }) => [name, tied, state])).toEqual([
    ["model.embed_tokens.weight", ["lm_head.weight"], "same"],
  ]);
});

test("adapters", async () => {
  const directory = folder();
  const tensors = (last: number): TestTensors => ({
    "base_model.model.model.layers.0.q_proj.lora_A.weight": f32([2, 3], [1, 2, 3, 4, 5, 6]),
    "base_model.model.model.layers.0.q_proj.lora_B.weight": f32([3, 2], [1, 2, 3, 4, 5, last]),
  });
  makeAdapterDirectory(join(directory, "x"), tensors(6));
  makeAdapterDirectory(join(directory, "y"), tensors(7));
  expect(await printed(directory, ["inspect", "x"])).toMatchInlineSnapshot(`
    "x: adapter, LoRA of 1 module, rank 2, scaling 2.00, trained on base
      2 tensors, 12 parameters in F32, 48 B in 1 file

      count  dtype  shape   bytes  tensor
          1  F32    [2, 3]   24 B  base_model.model.model.layers.0.q_proj.lora_A.weight
          1  F32    [3, 2]   24 B  base_model.model.model.layers.0.q_proj.lora_B.weight
    "
  `);
  const { tensors: found } = await diffed(directory, ["x", "y"]);
  expect(found.map(({ state, max }) => [state, max])).toEqual([
    ["same", undefined],
    ["changed", 1],
  ]);
});

test("outputs and vectors say where they come from, and whether somebody edited them", async () => {
  const directory = twoModels();
  const recipe = `theta 1
base base = "base"
model tuned = "tuned"
vector change = tuned - base
merge it onto base using sum { tuned weight 0.5 }
output "out/model" = it
output "out/vector" = change
`;
  writeFileSync(join(directory, "merge.theta"), recipe);
  expect((await session(directory, ["build"])).code).toBe(0);
  const inspected = async (path: string): Promise<ThetaRun & { json: Record<string, unknown> }> => {
    const run = await session(directory, ["inspect", path, "--json"]);
    return { ...run, json: JSON.parse(run.stdout) as Record<string, unknown> };
  };
  const model = await inspected("out/model");
  expect(model.stderr).toBe("");
  expect(model.json).toMatchObject({ kind: "model", output: { recipe: "merge.theta", digest: model.json["digest"] } });
  const vector = await inspected("out/vector");
  const base = await inspected("base");
  expect(vector.json).toMatchObject({ kind: "vector", output: { base_digest: base.json["digest"] } });
  expect(await printed(directory, ["inspect", "out/vector"])).toContain("  written by theta ");

  const file = join(directory, "out/model/model.safetensors");
  const bytes = readFileSync(file);
  bytes[bytes.length - 1]! ^= 1;
  rmSync(file);
  writeFileSync(file, bytes);
  expect((await inspected("out/model")).stderr).toMatch(
    /^warning: the tensors of out\/model are not those that theta wrote/,
  );
});

test("digests that a store knows spare reading; without a store none is made", async () => {
  const directory = twoModels();
  const all = await diffed(directory, ["base", "tuned"]);
  expect(existsSync(join(directory, ".theta"))).toBe(false);
  expect(all.bytes.read).toBe(2 * (16 + 3 * 16));
  writeFileSync(
    join(directory, "merge.theta"),
    `theta 1\nbase base = "base"\nmodel tuned = "tuned"\noutput "out" = linear(base, tuned)\n`,
  );
  expect((await session(directory, ["build"])).code).toBe(0);
  const changed = await diffed(directory, ["base", "tuned"]);
  expect(changed.bytes.read).toBe(2 * 3 * 8);
  expect(changed.tensors.map(({ state }) => state)).toEqual(all.tensors.map(({ state }) => state));
});

test("usage", async () => {
  const directory = twoModels();
  const refused = async (args: readonly string[], code: number): Promise<string> => {
    const run = await session(directory, args);
    refusal(run, code);
    return run.stderr;
  };
  expect(await refused(["inspect"], 64)).toContain("theta inspect needs a checkpoint");
  expect(await refused(["diff", "base"], 64)).toContain("theta diff needs two checkpoints");
  expect(await refused(["diff", "base", "tuned", "base"], 64)).toContain("theta diff takes two paths");
  expect(await refused(["diff", "base", "nowhere"], 66)).toContain("nowhere does not exist");
  expect(await refused(["inspect", "base", "--tensor", "model.layer.*.mlp.weight"], 64)).toContain(
    'did you mean "model.layers.*.mlp.weight"?',
  );
  expect(await refused(["diff", "base", "tuned", "--tensor", "mlp"], 64)).toContain('"*mlp*"');
  expect(await refused(["inspect", "base", "--tensor", "[z-a]"], 64)).toContain("runs backwards");
});

test("checkpoints without a common name are told apart from changed ones", async () => {
  const directory = folder();
  writeSafetensors(join(directory, "a.safetensors"), { "model.x": f32([1], [1]) });
  writeSafetensors(join(directory, "b.safetensors"), { x: f32([1], [1]) });
  const run = await session(directory, ["diff", "a.safetensors", "b.safetensors"]);
  expect(run.stderr).toBe("warning: no tensor has the same name in both checkpoints\n");
  expect(run.stdout).toContain("2 tensors: 1 only in A, 1 only in B");
});

// What a recipe declares as something that it is not, inspect takes for what it is.
const REFUSED = HOSTILE_SOURCES.filter(({ code }) => code !== "source-kind");
test.for(REFUSED)("refuses $kind: $name", async (source) => {
  const directory = folder();
  source.make(join(directory, "bad"));
  expect(refusal(await session(directory, ["inspect", "bad", "--json"]), 66)).toBe(source.code);
  expect(refusal(await session(directory, ["diff", "bad", "bad"]), 66)).toBe(source.code);
});
