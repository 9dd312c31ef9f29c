// Outputs that are somewhere else than their paths say. The recipes pass the compiler: only the file system tells.

import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { resolveLinks } from "../../../runtime/output/real-place.ts";
import { diagnosticText } from "../../support/compile-text.ts";
import { loadText } from "../load-text.ts";
import { f32, makeModelDirectory } from "../../support/tensors.ts";

let root: string;
beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), "theta-places-")));
  for (const model of ["models/base", "models/tune"]) makeModelDirectory(join(root, model), { a: f32([2], [1, 2]) });
});
afterEach(() => rmSync(root, { recursive: true }));

function link(name: string, target: string): void {
  mkdirSync(join(root, name, ".."), { recursive: true });
  symlinkSync(target, join(root, name));
}

/** What is said of a merge that is written to these outputs, less the temporary directory's name. */
function said(...outputs: readonly string[]): string {
  return saidWithStore(".theta", ...outputs);
}

function saidWithStore(store: string, ...outputs: readonly string[]): string {
  const { graph, diagnostics } = loadText(root, recipe(outputs), store);
  // Without a graph it would be the compiler that refuses.
  if (graph === undefined) throw new Error(diagnosticText(diagnostics));
  return diagnosticText(diagnostics).replaceAll(root, "ROOT");
}

function recipe(outputs: readonly string[]): string {
  return [
    "theta 1",
    'base base = "models/base"',
    'model tune = "models/tune"',
    "merge m = linear(base, tune)",
    ...outputs.map((output) => `output "${output}" = m`),
  ].join("\n");
}

test("places of their own are right, behind links as well", () => {
  mkdirSync(join(root, "disk"));
  link("dist", "disk");
  link("models/third", "../disk");
  expect(said("dist/m", "dist/n", "out", "models/merged")).toBe("");
});

test("an output that is an input", () => {
  link("dist/m", "../models/tune");
  expect(said("dist/m")).toMatchInlineSnapshot(`
    "merge.theta:5:1: error[output-is-input]: dist/m is tune, which is read
       with links followed, it is ROOT/models/tune
       note: declared here
       help: write to a directory of its own"
  `);
});

test("an output in an input, whose last part is not there yet", () => {
  link("dist", "models/base");
  expect(said("dist/sub/m")).toMatchInlineSnapshot(`
    "merge.theta:5:1: error[output-is-input]: dist/sub/m lies in base, which is read
       with links followed, it is ROOT/models/base/sub/m
       note: declared here
       help: write to a directory of its own"
  `);
});

test("an output that holds the inputs", () => {
  link("dist", "models");
  expect(said("dist")).toMatchInlineSnapshot(`
    "merge.theta:5:1: error[output-is-input]: dist holds tune, which is read
       with links followed, it is ROOT/models
       note: declared here
       help: write to a directory of its own"
  `);
});

test("an output that holds the recipe, and one that is its directory", () => {
  link("up", "..");
  link("here", ".");
  expect(said("up")).toContain("error[output-holds-project]: this output would take the place of the recipe's");
  expect(said("here")).toContain("error[output-holds-project]");
});

test("an output in the store, and one that holds it", () => {
  mkdirSync(join(root, ".theta"));
  link("dist", ".theta");
  expect(said("dist/m")).toMatchInlineSnapshot(`
    "merge.theta:5:1: error[output-is-store]: dist/m lies in the store
       with links followed, it is ROOT/.theta/m
       help: write beside the store, or choose another one with --store"
  `);
  expect(said(".theta/m")).toContain("error[output-is-store]");
  expect(saidWithStore("out/.theta", "out")).toContain("out holds the store");
});

test("two outputs at one place, and one in the other", () => {
  mkdirSync(join(root, "disk"));
  link("a", "disk");
  link("b", "disk");
  expect(said("a/m", "b/m")).toMatchInlineSnapshot(`
    "merge.theta:6:1: error[output-path-twice]: b/m is the place of the output a/m
       with links followed, it is ROOT/disk/m
       note: the other output
       help: give one of them another path"
  `);
  expect(said("a/m", "b/m/n")).toMatchInlineSnapshot(`
    "merge.theta:6:1: error[output-nested]: b/m/n lies in the place of the output a/m
       with links followed, it is ROOT/disk/m/n
       note: the other output
       help: write them beside each other"
  `);
});

test("links that lead nowhere, and in a circle", () => {
  link("ahead", "disk/later");
  link("ring", "ring");
  expect(resolveLinks(join(root, "ahead/m"))).toBe(join(root, "disk/later/m"));
  expect(resolveLinks(join(root, "ring/m"))).toBe(join(root, "ring/m"));
  expect(said("ahead", "disk/later")).toContain("error[output-path-twice]");
});
