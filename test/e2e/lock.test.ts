// `theta lock` and `--locked`: what is written down, and that a build refuses every input that is not so, by its name.

import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { f32, makeAdapterDirectory, makeModelDirectory, type TestTensors } from "../support/tensors.ts";
import { jsonRefusal, refusal } from "./refusal.ts";
import type { BuildSummary, ThetaRun } from "./theta-process.ts";
import { useSession } from "./theta-session.ts";

const session = useSession();
let space: string;
let project: string;
beforeAll(() => void (space = mkdtempSync(join(tmpdir(), "theta-lock-"))));
afterAll(() => rmSync(space, { recursive: true, force: true }));

const Q = "model.layers.0.self_attn.q_proj";
const RECIPE = `theta 1
import "lib/common.theta" as lib
param share: number = 0.5
base   llama = "models/base"
model  maths = "models/maths"
models runs = "runs/*"
adapter chat = "adapters/chat" on llama
vector stored = "vectors/v" on llama
merge all onto llama using sum { maths weight share ⏎ lib.code ⏎ runs ⏎ chat ⏎ stored }
merge little onto llama using sum { maths }
output "dist/all" = all
output "dist/little" = little { tokenizer lib.code }
`
  .replaceAll(" ⏎ ", "\n  ")
  .replace("{ maths weight", "{\n  maths weight")
  .replace("stored }", "stored\n}");

/** What is added to the base differs from model to model. */
function model(value: number): TestTensors {
  return {
    [`${Q}.weight`]: f32([4, 4], Array(16).fill(value)),
    "lm_head.weight": f32([2, 4], Array(8).fill(value / 2)),
  };
}

const TOKENIZER = { "tokenizer.json": "{}", "tokenizer_config.json": "{}" };

beforeEach(async () => {
  project = mkdtempSync(join(space, "project-"));
  makeModelDirectory(at("models/base"), model(1), { files: { ...TOKENIZER, LICENSE: "free" } });
  makeModelDirectory(at("models/maths"), model(3), { files: { ...TOKENIZER } });
  makeModelDirectory(at("lib/code"), model(5), { files: TOKENIZER, shards: [["lm_head.weight"], [`${Q}.weight`]] });
  makeModelDirectory(at("runs/1"), model(7));
  makeModelDirectory(at("runs/2"), model(9));
  const lora = {
    [`base_model.model.${Q}.lora_A.weight`]: f32([2, 4], Array(8).fill(1)),
    [`base_model.model.${Q}.lora_B.weight`]: f32([4, 2], Array(8).fill(1)),
  };
  mkdirSync(at("adapters/chat"), { recursive: true });
  makeAdapterDirectory(at("adapters/chat"), lora);
  writeFileSync(at("lib/common.theta"), 'theta 1\nmodel code = "code"\n');
  writeFileSync(
    at("vector.theta"),
    'theta 1\nbase b = "models/base"\nmodel m = "models/maths"\nvector v = m - b\noutput "vectors/v" = v\n',
  );
  await good("build", "vector.theta");
  writeFileSync(at("merge.theta"), RECIPE);
});

function at(...path: readonly string[]): string {
  return join(project, ...path);
}

async function good(...args: readonly string[]): Promise<ThetaRun> {
  const run = await session(project, args);
  expect(run.code, run.stderr).toBe(0);
  return run;
}

async function summary(...args: readonly string[]): Promise<BuildSummary> {
  return JSON.parse((await good("build", "--json", ...args)).stdout.trimEnd().split("\n").at(-1)!) as BuildSummary;
}

/** What `build --locked` says, which must be exit code 66 for this reason. */
async function refused(code = "lock-mismatch", ...args: readonly string[]): Promise<string> {
  const run = await session(project, ["build", "--locked", ...args]);
  expect(refusal(run, 66)).toBe(code);
  return run.stderr;
}

interface Written {
  readonly schema: string;
  readonly lists: Record<string, readonly string[]>;
  readonly sources: Record<string, { kind: string; digest: string; files: object; tensors: Record<string, string> }>;
}

function written(): Written {
  return JSON.parse(readFileSync(at("merge.lock"), "utf8")) as Written;
}

describe("theta lock", () => {
  test("writes every source, those of imports and lists included, with what can change an output", async () => {
    const run = await good("lock");
    expect(run.stderr).toContain("merge.lock written: 7 sources of merge.theta, 14 tensors");
    expect(run.stdout).toBe("");
    const { schema, lists, sources } = written();
    expect(schema).toBe("theta.lock/1");
    expect(lists).toEqual({ runs: ["runs/1", "runs/2"] });
    expect(Object.entries(sources).map(([path, { kind }]) => `${kind} ${path}`)).toEqual([
      "adapter adapters/chat",
      "model lib/code",
      "model models/base",
      "model models/maths",
      "model runs/1",
      "model runs/2",
      "vector vectors/v",
    ]);
    const files = Object.values(sources).map((source) => Object.keys(source.files).join(" "));
    expect(files).toEqual([
      "adapter_config.json",
      "config.json tokenizer.json tokenizer_config.json",
      "LICENSE config.json tokenizer.json tokenizer_config.json",
      "config.json",
      "config.json",
      "config.json",
      "theta.json",
    ]);
    expect(readFileSync(at("merge.lock"), "utf8")).not.toContain(space);
    expect(readFileSync(at("merge.lock"), "utf8").endsWith("}\n")).toBe(true);
  });

  test("names checkpoints and payloads by the digests that inspect prints", async () => {
    await good("lock");
    const inspected = JSON.parse((await good("inspect", "models/maths", "--json")).stdout) as { digest: string };
    expect(written().sources["models/maths"]!.digest).toBe(inspected.digest);
  });

  test("writes the same bytes again, elsewhere too, and reads no payload for it", async () => {
    await good("lock");
    const first = readFileSync(at("merge.lock"), "utf8");
    const again = await good("lock");
    expect(again.stderr).toContain("merge.lock holds: 7 sources of merge.theta, 14 tensors");
    expect(again.stderr).not.toContain("Hashing");
    expect(readFileSync(at("merge.lock"), "utf8")).toBe(first);
    renameSync(project, `${project}-moved`);
    project = `${project}-moved`;
    rmSync(at("merge.lock"));
    rmSync(at(".theta"), { recursive: true });
    await session(space, ["lock", at("merge.theta")]);
    expect(readFileSync(at("merge.lock"), "utf8")).toBe(first);
  });

  test("hashes for the build that follows", async () => {
    await good("lock");
    const { bytes } = await summary("--locked");
    // Of the outputs alone.
    expect(bytes.hashed).toBe(2 * (16 + 8) * 4);
  });

  test("says what changed against the one before, and replaces one that is damaged", async () => {
    await good("lock");
    const first = readFileSync(at("merge.lock"), "utf8");
    makeModelDirectory(at("models/maths"), model(4), { files: TOKENIZER });
    const run = await good("lock");
    expect(run.stderr).toContain("  models/maths (maths): lm_head.weight changed, in model.safetensors\n");
    expect(run.stderr).toContain("merge.lock rewritten: ");
    makeModelDirectory(at("models/maths"), model(3), { files: TOKENIZER });
    writeFileSync(at("merge.lock"), "<<<<<<< ours");
    expect((await good("lock")).stderr).toContain("merge.lock written: ");
    expect(readFileSync(at("merge.lock"), "utf8")).toBe(first);
    writeFileSync(at("merge.lock"), first.replace("{", "{ "));
    expect((await good("lock")).stderr).toContain("merge.lock rewritten: ");
    expect(readFileSync(at("merge.lock"), "utf8")).toBe(first);
  });

  test("--check compares and writes nothing", async () => {
    expect(refusal(await session(project, ["lock", "--check"]), 66)).toBe("lock-file-missing");
    await good("lock");
    const first = readFileSync(at("merge.lock"), "utf8");
    expect((await good("lock", "--check")).stderr).toContain("merge.lock holds: ");
    makeModelDirectory(at("models/maths"), model(4), { files: TOKENIZER });
    const run = await session(project, ["lock", "--check"]);
    expect(refusal(run, 66)).toBe("lock-mismatch");
    expect(run.stderr).toContain("models/maths (maths): lm_head.weight changed");
    expect(readFileSync(at("merge.lock"), "utf8")).toBe(first);
  });

  test("--json says what was written", async () => {
    const [line, ...more] = (await good("lock", "--json")).stdout.trimEnd().split("\n");
    expect(more).toEqual([]);
    const result = JSON.parse(line!) as { schema: string; outcome: string; sources: readonly object[] };
    expect(Object.keys(result)[0]).toBe("schema");
    expect(result).toMatchObject({ schema: "theta.locked/1", path: "merge.lock", outcome: "written", changes: [] });
    expect(result.sources).toContainEqual({
      path: "models/base",
      kind: "model",
      tensors: 2,
      digest: written().sources["models/base"]!.digest,
    });
  });

  test("refuses a recipe that is wrong, --only, and a folder that cannot be written", async () => {
    expect(refusal(await session(project, ["lock", "--only", "dist/all"]), 64)).toBe("usage");
    writeFileSync(at("bad.theta"), 'theta 1\nbase a = "nowhere"\noutput "o" = a\n');
    refusal(await session(project, ["lock", "bad.theta"]), 66);
    expect(existsSync(at("bad.lock"))).toBe(false);
    mkdirSync(at("merge.lock"));
    expect(refusal(await session(project, ["lock"]), 73)).toBe("lock-file-not-writable");
    expect(readdirSync(project).filter((name) => name.includes("lock"))).toEqual(["merge.lock"]);
    rmSync(at("merge.lock"), { recursive: true });
    if (process.getuid?.() === 0) return;
    chmodSync(project, 0o555);
    expect(refusal(await session(project, ["lock", "--store", join(space, "store")]), 73)).toBe(
      "lock-file-not-writable",
    );
    chmodSync(project, 0o755);
  });

  test("leaves no temporary file", async () => {
    await good("lock");
    expect(readdirSync(project).filter((name) => name.includes("lock"))).toEqual(["merge.lock"]);
  });
});

describe("build --locked", () => {
  test("does what build does while the inputs are as they were", async () => {
    await good("lock");
    const plain = await summary();
    expect((await summary("--locked")).outputs).toEqual(plain.outputs);
    const again = await summary("--locked");
    expect(again).toMatchObject({ actions: { run: 0 }, bytes: { read: 0, hashed: 0, written: 0, copied: 0 } });
    await good("plan", "--locked");
    await good("check", "--locked");
  });

  test("is refused without a lock file, and with one that is damaged", async () => {
    expect(await refused("lock-file-missing")).toContain("theta lock");
    writeFileSync(at("merge.lock"), '{"schema": "theta.lock/1", "lists": {}, "sources": []}\n');
    expect(await refused("bad-lock-file")).toContain("merge.lock: sources must be an object");
    expect(existsSync(at("dist"))).toBe(false);
  });

  test("without --locked the file is not looked at", async () => {
    writeFileSync(at("merge.lock"), "damaged");
    await good("build");
    expect(readFileSync(at("merge.lock"), "utf8")).toBe("damaged");
  });

  test.each(["known", "not known"])("names the tensors whose content changed, their digests %s", async (known) => {
    await good("lock");
    const before = written().sources["models/maths"]!.tensors["lm_head.weight"]!.split(" ").at(-1)!;
    makeModelDirectory(
      at("models/maths"),
      { ...model(3), "lm_head.weight": model(4)["lm_head.weight"]! },
      { files: TOKENIZER },
    );
    if (known === "known") await good("build");
    const text = await refused();
    expect(text).toContain(
      "the inputs are not those of merge.lock\n   models/maths (maths): lm_head.weight changed, in model.safetensors",
    );
    expect(text).toContain(`merge.lock  ${before}`);
    expect(text).toMatch(/now {9}sha256:[0-9a-f]{64}/);
    expect(text).not.toContain("q_proj");
    expect(existsSync(at("dist/all"))).toBe(known === "known");
  });

  test("names a tensor that is new, gone, or of another shape, without reading one", async () => {
    await good("lock");
    makeModelDirectory(at("models/maths"), { ...model(3), "extra.weight": f32([1], [1]) }, { files: TOKENIZER });
    writeFileSync(at("merge.theta"), RECIPE.replace('"models/maths"', '"models/maths" { extra skip }'));
    expect(await refused()).toContain("models/maths (maths): extra.weight is new");
    makeModelDirectory(at("models/maths"), { "lm_head.weight": f32([3, 4], Array(12).fill(1)) }, { files: TOKENIZER });
    writeFileSync(
      at("merge.theta"),
      RECIPE.replace('"models/maths"', '"models/maths" { missing base\n resize common }'),
    );
    const text = await refused();
    expect(text).toContain(`models/maths (maths): ${Q}.weight is gone`);
    expect(text).toContain("models/maths (maths): lm_head.weight is F32 [3, 4], not F32 [2, 4]");
  });

  test.each([
    ["adapters/chat/adapter_config.json", "adapters/chat (chat): adapter_config.json changed"],
    ["models/maths/config.json", "models/maths (maths): config.json changed"],
    ["models/base/LICENSE", "models/base (llama): LICENSE changed"],
    ["lib/code/tokenizer.json", "lib/code (lib.code): tokenizer.json changed"],
    ["vectors/v/theta.json", "vectors/v (stored): theta.json changed"],
  ])("names %s", async (file, message) => {
    await good("lock");
    writeFileSync(at(file), `${readFileSync(at(file), "utf8")} `);
    expect(await refused()).toContain(message);
  });

  test("a file that reaches no output may change, and so may the sharding of a checkpoint", async () => {
    await good("lock");
    writeFileSync(at("models/maths/tokenizer.json"), "other");
    makeModelDirectory(at("lib/code"), model(5), { files: TOKENIZER, shards: [[`${Q}.weight`, "lm_head.weight"]] });
    await good("build", "--locked");
  });

  test("names members that a list gained and lost", async () => {
    await good("lock");
    makeModelDirectory(at("runs/3"), model(11));
    rmSync(at("runs/1"), { recursive: true });
    const text = await refused();
    expect(text).toContain("   runs/3 was added to the list runs\n   runs/1 was removed from the list runs\n   help");
  });

  test("names sources that the recipe gained and lost; another name for one is nothing", async () => {
    await good("lock");
    writeFileSync(at("merge.theta"), RECIPE.replaceAll("maths", "sums").replace("models/sums", "models/maths"));
    await good("check", "--locked");
    makeModelDirectory(at("models/new"), model(3), { files: TOKENIZER });
    writeFileSync(at("merge.theta"), RECIPE.replace("models/maths", "models/new"));
    const text = await refused();
    expect(text).toContain("models/maths is gone: the recipe does not read it");
    expect(text).toContain("models/new (maths) is new");
  });

  test("holds a model to it that only a gate reads", async () => {
    makeModelDirectory(at("models/judge"), model(2));
    writeFileSync(at("merge.theta"), `${RECIPE}model judge = "models/judge"\nexpect little { cosine(judge) > 0 }\n`);
    await good("lock");
    expect(written().sources["models/judge"]!.kind).toBe("model");
    await good("build", "--locked");
    makeModelDirectory(at("models/judge"), model(-2));
    await good("build", "--locked", "--only", "dist/all");
    expect(await refused("lock-mismatch", "--only", "dist/little")).toContain(
      "models/judge (judge): lm_head.weight changed",
    );
  });

  test("compares what is asked for", async () => {
    await good("lock");
    makeModelDirectory(at("runs/1"), model(8));
    await good("build", "--locked", "--only", "dist/little");
    await refused("lock-mismatch", "--only", "dist/all");
  });

  test("values of parameters are not inputs, but the sources that they name are", async () => {
    await good("lock");
    await good("build", "--locked", "-p", "share=0.25");
    writeFileSync(
      at("merge.theta"),
      RECIPE.replace('"models/maths"', "where").replace("param", 'param where: string = "models/maths"\nparam'),
    );
    await good("check", "--locked");
    expect(await refused("lock-mismatch", "-p", "where=runs/1")).toContain("models/maths is gone");
  });

  test("plan and check refuse what they can see, and every verb in JSON, too", async () => {
    await good("lock");
    await good("build");
    makeModelDirectory(at("models/maths"), model(4), { files: TOKENIZER });
    await good("check", "--locked");
    expect((await good("plan", "--locked")).stdout).toContain("4 unknown");
    refusal(await session(project, ["plan", "--locked", "--hash"]), 66);
    refusal(await session(project, ["plan", "--locked"]), 66);
    writeFileSync(at("models/base/LICENSE"), "other");
    for (const verb of ["check", "plan", "build", "lock"]) {
      const flag = verb === "lock" ? "--check" : "--locked";
      const run = await session(project, [verb, flag, "--json"]);
      expect(jsonRefusal(run, 66).codes).toEqual(["lock-mismatch"]);
    }
  });

  test("a source that is spelled from the root stays so, one through a link is the link", async () => {
    symlinkSync(at("models/base"), at("link"));
    const text = `theta 1\nbase a = ${JSON.stringify(at("models/base"))}\nmodel b = "link"\nmerge m = linear(a, b)\noutput "dist/m" = m\n`;
    writeFileSync(at("merge.theta"), text);
    await good("lock");
    expect(Object.keys(written().sources).sort()).toEqual([at("models/base"), "link"].sort());
    await good("build", "--locked");
  });
});
