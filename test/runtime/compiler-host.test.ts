import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createCompilerHost } from "../../runtime/compiler-host.ts";
import { f32, makeModelDirectory } from "../support/tensors.ts";

let space: string;
beforeEach(() => void (space = mkdtempSync(join(tmpdir(), "theta-host-"))));
afterEach(() => rmSync(space, { recursive: true }));

test("reads each source once and remembers its files", () => {
  makeModelDirectory(join(space, "m"), { a: f32([1], [1]) });
  const host = createCompilerHost();
  const first = host.readModel(join(space, "m"), "m");
  rmSync(join(space, "m"), { recursive: true });
  expect(host.readModel(join(space, "m"), "m")).toBe(first);
  expect([...host.opened.keys()]).toContain(join(space, "m/model.safetensors"));
  expect(createCompilerHost().readModel(join(space, "m"), "m")).toMatchObject({ code: "source-missing" });
});

test("messages use the name that the recipe uses", () => {
  const host = createCompilerHost();
  const path = join(space, "none");
  expect(host.readModel(path, "one")).toMatchObject({ message: "one does not exist" });
  expect(host.readModel(path, "two\u001b")).toMatchObject({ message: "two\\x1b does not exist" });
});

test.each([
  ["Llama", "did you mean models/llama?"],
  ["llama@main", "a revision is no part of a path; check it out and name its directory"],
  ["llama+chat", 'an adapter is declared by itself, adapter chat = "…" on llama, and added: llama + chat'],
])("says what was probably meant by models/%s", (name, help) => {
  makeModelDirectory(join(space, "models/llama"), { a: f32([1], [1]) });
  const missing = createCompilerHost().readModel(join(space, "models", name), `models/${name}`);
  expect(missing).toMatchObject({ code: "source-missing", message: `models/${name} does not exist`, help });
});

test("says where it looked for what is missing, and that models of the hub are downloaded first", () => {
  const host = createCompilerHost();
  const helpFor = (display: string): unknown => host.readModel(join(space, display), display);
  expect(helpFor("base")).toMatchObject({ help: `it was looked for at ${space}/base` });
  expect(helpFor("meta-llama/Llama-3.2-1B")).toMatchObject({
    help: `it was looked for at ${space}/meta-llama/Llama-3.2-1B; a model of the hub is downloaded first, and its directory named`,
  });
  expect(helpFor("~/base")).toMatchObject({ help: "`~` is not expanded; write the directory in full" });
  const absolute = join(space, "other");
  expect(host.readModel(absolute, absolute)).not.toHaveProperty("help");
});

test("reads recipes, and says why it cannot", () => {
  writeFileSync(join(space, "lib.theta"), "theta 1\n");
  writeFileSync(join(space, "latin1.theta"), Uint8Array.of(0xe9));
  const host = createCompilerHost();
  expect(host.readRecipe(join(space, "lib.theta"))).toEqual({ text: "theta 1\n" });
  expect(host.readRecipe(join(space, "latin1.theta"))).toMatchObject({ code: "source-encoding" });
  expect(host.readRecipe(space)).toMatchObject({ code: "source-not-a-file" });
});

test("finds sources by globs that stay within their part of the path", () => {
  for (const path of ["runs/b/final", "runs/a/final", "runs/a/other", "runs/.hidden/final", "runs/a/x/final"]) {
    mkdirSync(join(space, path), { recursive: true });
  }
  writeFileSync(join(space, "runs/file"), "");
  symlinkSync("nowhere", join(space, "runs/dangling"));
  const host = createCompilerHost();
  const find = (pattern: string) =>
    host.listSources(join(space, pattern), space).map((path) => path.slice(space.length + 1));
  expect(find("runs/*/final")).toEqual(["runs/a/final", "runs/b/final"]);
  expect(find("runs/{b,a}/[fo]*")).toEqual(["runs/a/final", "runs/a/other", "runs/b/final"]);
  expect(find("runs/*")).toEqual(["runs/a", "runs/b", "runs/file"]);
  expect(find("runs/.h*/final")).toEqual(["runs/.hidden/final"]);
  expect(find("none/*")).toEqual([]);
  expect(find("runs/a/final")).toEqual(["runs/a/final"]);
  expect(find("runs/[/final")).toEqual([]);
});

test("takes the directory of the recipe as it stands, brackets and stars included", () => {
  const project = join(space, "[v1] *");
  mkdirSync(join(project, "runs/a"), { recursive: true });
  mkdirSync(join(space, "v/runs/b"), { recursive: true });
  expect(createCompilerHost().listSources(join(project, "runs/*"), project)).toEqual([join(project, "runs/a")]);
});
