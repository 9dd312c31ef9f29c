// The examples as a newcomer runs them: build, build again, change something, measure.

import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { copyExample } from "./example-copy.ts";
import { readOutput } from "./read-output.ts";
import { build, theta, type BuildSummary } from "./theta-process.ts";

const NOTHING_RUN = { run: 0, cutoff: 0, remote_hit: 0 };

function inACopyOf(example: string): { readonly directory: () => string; readonly first: () => BuildSummary } {
  let directory = "";
  let first: BuildSummary | undefined;
  beforeAll(() => {
    directory = copyExample(example);
    first = build(directory);
  });
  afterAll(() => rmSync(dirname(directory), { recursive: true, force: true }));
  return { directory: () => directory, first: () => first! };
}

describe("examples/digits", () => {
  const { directory, first } = inACopyOf("digits");

  function accuracies(): Map<string, Record<string, number>> {
    const run = spawnSync(process.execPath, ["accuracy.mjs"], { cwd: directory(), encoding: "utf8" });
    expect(run.stderr).toBe("");
    const [head, ...rows] = run.stdout.trimEnd().split("\n");
    const columns = head!.trim().split(/\s+/);
    return new Map(
      rows.map((row) => {
        const [name, ...cells] = row.split(/\s+/);
        return [name!, Object.fromEntries(columns.map((column, i) => [column, Number(cells[i])]))];
      }),
    );
  }

  test("has six outputs of eight tensors", () => {
    expect(
      first()
        .outputs.map(({ path, tensors }) => `${path} ${tensors}`)
        .sort(),
    ).toEqual([
      "dist/all-breadcrumbs 8",
      "dist/all-sum 8",
      "dist/all-ties 8",
      "dist/rotations-breadcrumbs 8",
      "dist/rotations-sum 8",
      "dist/rotations-ties 8",
    ]);
  });

  test("merges read more digits right than the base", () => {
    const measured = accuracies();
    expect(measured.get("base")!["rotations"]).toBeCloseTo(0.891, 2);
    for (const [name, least] of [
      ["rotations-sum", 0.94],
      ["rotations-breadcrumbs", 0.94],
      ["rotations-ties", 0.925],
    ] as const) {
      expect(measured.get(name)!["rotations"], name).toBeGreaterThan(least);
    }
    expect(measured.get("base")!["all"]).toBeCloseTo(0.896, 2);
    for (const name of ["all-sum", "all-breadcrumbs", "all-ties"]) {
      expect(measured.get(name)!["all"], name).toBeGreaterThan(0.905);
    }
  });

  test("a second build runs nothing and reads no payload", () => {
    const again = build(directory());
    expect(again.actions).toMatchObject(NOTHING_RUN);
    expect(again.bytes).toMatchObject({ read: 0, hashed: 0, written: 0 });
    expect(again.outputs).toEqual(first().outputs);
  });

  test("another scale of the rotations leaves the merges of all tasks alone", () => {
    const changed = build(directory(), ["-p", "rotation_scale=0.25"]);
    expect(changed.actions.run).toBe(16);
    const digestsOf = (summary: BuildSummary) =>
      summary.outputs.filter(({ path }) => path.startsWith("dist/all-")).map(({ digest }) => digest);
    expect(digestsOf(changed)).toEqual(digestsOf(first()));
    const back = build(directory());
    expect(back.outputs).toEqual(first().outputs);
  });

  test("accuracy.mjs says what to do where nothing was built", () => {
    const run = spawnSync(process.execPath, ["accuracy.mjs", "dist/nothing"], { cwd: directory(), encoding: "utf8" });
    expect(run.status).toBe(1);
    expect(run.stderr).toBe("dist/nothing has no model.safetensors: run `theta build` in . first.\n");
  });
});

describe("examples/tiny-llama", () => {
  const { directory, first } = inACopyOf("tiny-llama");

  test("is a model directory of shards with the base's tokenizer and configuration", () => {
    expect(first().outputs.map(({ path, tensors }) => `${path} ${tensors}`)).toEqual([
      "dist/assistant 39",
      "dist/soup 39",
    ]);
    const assistant = join(directory(), "dist/assistant");
    expect(existsSync(join(assistant, "model.safetensors.index.json"))).toBe(true);
    expect(readOutput(assistant).size).toBe(39);
    expect(readOutput(join(directory(), "dist/soup")).size).toBe(39);
    for (const file of ["tokenizer.json", "tokenizer_config.json", "generation_config.json"]) {
      expect(readFileSync(join(assistant, file)), file).toEqual(readFileSync(join(directory(), "data/base", file)));
    }
    const config = JSON.parse(readFileSync(join(assistant, "config.json"), "utf8")) as Record<string, unknown>;
    expect(config).toMatchObject({ model_type: "llama", num_hidden_layers: 4, dtype: "bfloat16" });
  });

  test("keeps the base's norms bit for bit", () => {
    const [base, assistant] = ["data/base", "dist/assistant"].map((path) => readOutput(join(directory(), path)));
    const norms = [...base!.keys()].filter((name) => name.endsWith("norm.weight"));
    expect(norms).toHaveLength(9);
    for (const name of norms) expect(assistant!.get(name), name).toEqual(base!.get(name));
  });

  test("a second build runs nothing, another weight runs what it reaches", () => {
    const again = build(directory());
    expect(again.actions).toMatchObject(NOTHING_RUN);
    expect(again.bytes).toMatchObject({ read: 0, hashed: 0, written: 0 });
    const changed = build(directory(), ["-p", "c_weight=0.5"]);
    // 39 tensors of the assistant, 9 of which are kept from the base; the soup has no such weight.
    expect(changed.actions.run).toBe(30);
    expect(changed.outputs[1]).toEqual(first().outputs[1]);
  });

  test("explain prints the merge graph", () => {
    const run = theta(directory(), ["explain"]);
    expect(run.code).toBe(0);
    for (const word of ["assistant", "ties", "breadcrumbs", "magnitude"]) expect(run.stdout).toContain(word);
  });
});
