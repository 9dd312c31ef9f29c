// A process that builds again and again, as an editor's or a watcher's would, holds no more after many builds than after
// some: neither memory nor descriptors nor threads, and no file stays that a build made for itself.
// `npm run test:leaks` makes 2,000 builds; with every test run goes a short version whose bounds noise cannot reach.

import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build as bundle } from "esbuild";
import { afterAll, beforeAll, expect, test } from "vitest";
import { f32, type TestTensors } from "../support/tensors.ts";
import { Workspace } from "../runtime/build/workspace.ts";

/** What the process holds when so many builds are done, garbage collected. */
export interface Held {
  readonly done: number;
  /** Bytes; `heap` with what JavaScript holds outside of it. */
  readonly rss: number;
  readonly heap: number;
  readonly descriptors: number;
  readonly threads: number;
  /** Of the project and its store, by relative path. */
  readonly files: readonly string[];
}

const REPOSITORY = fileURLToPath(new URL("../../", import.meta.url));
const MiB = 2 ** 20;

/** Told after a whole round of the seven kinds of builds, so that each time the same should lie there. */
const { builds, every, rss, heap, limit } =
  process.env["THETA_LEAKS"] === "all"
    ? { builds: 2002, every: 7 * 13, rss: 24 * MiB, heap: 4 * MiB, limit: 3_600_000 }
    : { builds: 140, every: 7 * 5, rss: 96 * MiB, heap: 12 * MiB, limit: 300_000 };

let folder: string;
let space: Workspace;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "theta-leaks-"));
  symlinkSync(join(REPOSITORY, "node_modules"), join(folder, "node_modules"));
  symlinkSync(join(REPOSITORY, "build/Release/theta.node"), join(folder, "theta.node"));
  await bundle({
    entryPoints: [join(REPOSITORY, "test/leak/leak-main.ts")],
    outfile: join(folder, "main.mjs"),
    bundle: true,
    platform: "node",
    format: "esm",
    external: ["libsql", "vitest", "esbuild"],
  });
  space = new Workspace();
  space.write("base", model(1));
  space.write("tune", model(3));
  space.write("odd", { ...model(3), b: f32([600], [NaN, ...Array<number>(599).fill(1)]) });
});
afterAll(() => {
  rmSync(folder, { recursive: true });
  space.remove();
});

function model(value: number): TestTensors {
  const values = Array.from({ length: 600 }, (_, index) => value + index);
  return { a: f32([20, 30], values), b: f32([600], values), c: f32([600], values.toReversed()) };
}

function run(): Promise<readonly Held[]> {
  const args = ["--expose-gc", join(folder, "main.mjs"), space.root, String(builds), String(every)];
  const child = spawn(process.execPath, args, { env: { ...process.env, MALLOC_ARENA_MAX: "2" } });
  let told = "";
  let error = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (told += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (error += text));
  return new Promise((resolve, reject) => {
    child.on("close", (code) => {
      if (code !== 0) reject(new Error(`exit code ${code}\n${error}`));
      const lines = told.trimEnd().split("\n");
      resolve(lines.map((line) => JSON.parse(line) as Held));
    });
  });
}

test(`${builds} builds hold no more than the first of them`, { timeout: limit }, async () => {
  const held = await run();
  expect(held).toHaveLength(builds / every);
  // By then everything is loaded and compiled that will be.
  const early = held[Math.ceil(held.length / 4) - 1]!;
  const last = held.at(-1)!;
  const table = held.map(({ files, ...rest }) => JSON.stringify({ ...rest, files: files.length })).join("\n");
  // A build that leaked one would leave more than a hundred. The database is closed when its statements are collected.
  expect(last.descriptors - early.descriptors, table).toBeLessThan(10);
  expect(last.threads - early.threads, table).toBeLessThan(4);
  expect(last.heap - early.heap, table).toBeLessThan(heap);
  expect(last.rss - early.rss, table).toBeLessThan(rss);
  expect(last.files.length, table).toBe(early.files.length);
  expect(
    last.files.filter((file) => /\.new$|theta-new|partial\/|trash\//.test(file)),
    table,
  ).toEqual([]);
  if (process.env["THETA_LEAKS"] !== undefined) console.log(table);
});
