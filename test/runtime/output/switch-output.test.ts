import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { beforeEach, describe, expect, test } from "vitest";
import { loadAddon } from "../../../native/index.ts";
import { outputPaths } from "../../../runtime/output/output-paths.ts";
import { checkForeignFiles, claimedFiles, filesIn, ownFiles } from "../../../runtime/output/own-files.ts";
import { makeFresh, recoverOutput, switchOutput } from "../../../runtime/output/switch-output.ts";
import { useScratch } from "../store/scratch.ts";

const calls = loadAddon();
const scratch = useScratch();
const theta = (files: readonly string[]): string => JSON.stringify({ schema: "theta.output/1", files });

beforeEach(() => {
  mkdirSync(scratch("out"));
});

function content(folder: string): Record<string, string> {
  const names = filesIn(folder).filter((name) => name !== "theta.json");
  return Object.fromEntries([...names].sort().map((name) => [name, readFileSync(`${folder}/${name}`, "utf8")]));
}

describe("ownership", () => {
  test("is what theta.json claims and the store recorded; the rest of a claimed file's directory is not", () => {
    writeFileSync(scratch("out/theta.json"), theta(["a", "sub/b"]));
    expect(ownFiles(scratch("out"), "out", new Set(["c"]), false)).toEqual(new Set(["theta.json", "a", "sub/b", "c"]));
  });

  test("is refused for a directory with files and no claim; an empty one is free", () => {
    expect(ownFiles(scratch("out"), "out", undefined, false)).toEqual(new Set());
    writeFileSync(scratch("out/x"), "");
    expect(() => ownFiles(scratch("out"), "out", undefined, false)).toThrow(
      'the directory "out" exists and theta did not write it',
    );
    expect(ownFiles(scratch("out"), "out", undefined, true)).toEqual(new Set());
  });

  test("somebody else's theta.json claims nothing", () => {
    for (const text of [
      "{",
      "[]",
      '{"files":["x"]}',
      '{"schema":"other/1","files":["x"]}',
      '{"schema":"theta.output/1","files":"x"}',
    ]) {
      writeFileSync(scratch("out/theta.json"), text);
      expect(claimedFiles(scratch("out"))).toBeUndefined();
    }
  });

  test("a foreign file in the way of a new one is an error, not a loss; with adopt, only a file gives way", () => {
    writeFileSync(scratch("out/config.json"), "mine");
    expect(() => checkForeignFiles(scratch("out"), "out", ["config.json"], new Set(), false)).toThrow(
      '"out" holds config.json, which theta did not write and would replace',
    );
    const check = (name: string, adopt: boolean) => () =>
      checkForeignFiles(scratch("out"), "out", [name], new Set(["sub/ours"]), adopt);
    expect(check("config.json", true)).not.toThrow();
    expect(check("config.json/x", true)).toThrow('"out" holds config.json,');
    mkdirSync(scratch("out/sub"));
    for (const name of ["ours", "mine"]) writeFileSync(scratch("out/sub", name), "");
    expect(check("sub/ours", false)).not.toThrow();
    expect(check("sub/mine", false)).toThrow('"out" holds sub/mine,');
    expect(check("sub", true)).toThrow('"out" holds sub/mine,');
  });
});

describe("switching", () => {
  test("replaces what is theta's and carries the rest over, out of directories that theta wrote into, too", () => {
    for (const folder of ["out/sub", "out/gone", "out/mine/deep"]) mkdirSync(scratch(folder), { recursive: true });
    for (const name of ["a", "stale", "sub/b", "gone/c"]) writeFileSync(scratch("out", name), "old");
    for (const name of ["notes", "sub/notes", "gone/notes", "mine/deep/notes"])
      writeFileSync(scratch("out", name), "mine");
    const paths = outputPaths(scratch("out"));
    makeFresh(paths);
    mkdirSync(`${paths.fresh}/sub`);
    for (const name of ["a", "sub/b"]) writeFileSync(`${paths.fresh}/${name}`, "new");
    switchOutput(calls, paths, new Set(["a", "stale", "sub/b", "gone/c"]));
    expect(content(scratch("out"))).toEqual({
      a: "new",
      "gone/notes": "mine",
      "mine/deep/notes": "mine",
      notes: "mine",
      "sub/b": "new",
      "sub/notes": "mine",
    });
    expect(readdirSync(scratch())).toEqual(["out"]);
  });

  test("that fails leaves the old content and no trace of the new one", () => {
    const paths = outputPaths(scratch("out"));
    makeFresh(paths);
    writeFileSync(`${paths.fresh}/a`, "new");
    rmSync(scratch("out"), { recursive: true });
    writeFileSync(scratch("out"), "a file of somebody's");
    expect(() => switchOutput(calls, { ...paths, inPlace: true }, new Set())).toThrow();
    expect(readdirSync(scratch())).toEqual(["out"]);
  });
});

describe("moving files in one by one, where the directory is a mount point", () => {
  test("deletes only what lies there, whatever is claimed", () => {
    writeFileSync(scratch("sibling"), "safe");
    writeFileSync(scratch("out/model.safetensors.index.json"), "old");
    writeFileSync(scratch("out/notes"), "mine");
    const paths = { ...outputPaths(scratch("out")), inPlace: true, fresh: scratch("out/.theta-new") };
    makeFresh(paths);
    for (const name of ["model.safetensors", "theta.json"]) writeFileSync(`${paths.fresh}/${name}`, "new");
    switchOutput(calls, paths, new Set(["..", "../sibling", ".", "model.safetensors.index.json"]));
    expect(content(scratch("out"))).toEqual({ "model.safetensors": "new", notes: "mine" });
    expect(readFileSync(scratch("sibling"), "utf8")).toBe("safe");
  });
});

describe("recovery", () => {
  test("throws away what was never switched in", () => {
    writeFileSync(scratch("out/a"), "old");
    mkdirSync(scratch(".out.theta-new"));
    writeFileSync(scratch(".out.theta-new/theta.json"), theta(["a", "b"]));
    writeFileSync(scratch(".out.theta-new/b"), "half");
    recoverOutput(outputPaths(scratch("out")));
    expect(content(scratch("out"))).toEqual({ a: "old" });
    expect(readdirSync(scratch())).toEqual(["out"]);
  });

  test("deletes what was left of the old content when its deletion was cut off", () => {
    writeFileSync(scratch("out/a"), "new");
    mkdirSync(scratch(".out.theta-new"));
    for (const name of ["b", "theta.json"]) writeFileSync(scratch(".out.theta-new", name), theta(["a", "b"]));
    recoverOutput(outputPaths(scratch("out")));
    expect(content(scratch("out"))).toEqual({ a: "new" });
  });

  test("takes away what was to be moved in one by one", () => {
    writeFileSync(scratch("out/notes"), "mine");
    mkdirSync(scratch("out/.theta-new"));
    writeFileSync(scratch("out/.theta-new/a"), "new");
    recoverOutput(outputPaths(scratch("out")));
    expect(content(scratch("out"))).toEqual({ notes: "mine" });
  });

  test("carries over what the exchanged content still holds of others", () => {
    writeFileSync(scratch("out/a"), "new");
    mkdirSync(scratch(".out.theta-new"));
    writeFileSync(scratch(".out.theta-new/theta.json"), theta(["a"]));
    writeFileSync(scratch(".out.theta-new/a"), "old");
    writeFileSync(scratch(".out.theta-new/notes"), "mine");
    recoverOutput(outputPaths(scratch("out")));
    expect(content(scratch("out"))).toEqual({ a: "new", notes: "mine" });
  });

  test("finishes two renames of which the first was done", () => {
    writeFileSync(scratch("out/a"), "new");
    const paths = outputPaths(scratch("elsewhere"));
    mkdirSync(paths.old);
    writeFileSync(`${paths.old}/notes`, "mine");
    mkdirSync(paths.fresh);
    writeFileSync(`${paths.fresh}/a`, "new");
    writeFileSync(paths.intent, "");
    recoverOutput(paths);
    expect(content(scratch("elsewhere"))).toEqual({ a: "new", notes: "mine" });
    expect(readdirSync(scratch()).sort()).toEqual(["elsewhere", "out"]);
  });

  test("without the note that the new content is complete, the old one comes back", () => {
    const paths = outputPaths(scratch("elsewhere"));
    mkdirSync(paths.old);
    writeFileSync(`${paths.old}/a`, "old");
    recoverOutput(paths);
    expect(content(scratch("elsewhere"))).toEqual({ a: "old" });
  });
});
