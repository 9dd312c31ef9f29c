import { mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { beforeEach, describe, expect, test } from "vitest";
import type { FileSystemCalls } from "../../../native/addon-types.ts";
import { outputPaths } from "../../../runtime/output/output-paths.ts";
import { checkForeignFiles, claimedFiles, ownFiles } from "../../../runtime/output/own-files.ts";
import { makeFresh, recoverOutput, switchOutput } from "../../../runtime/output/switch-output.ts";
import { useScratch } from "../store/scratch.ts";

const scratch = useScratch();
const theta = (files: readonly string[]): string => JSON.stringify({ schema: "theta.output/1", files });

beforeEach(() => {
  mkdirSync(scratch("out"));
});

function content(folder: string): Record<string, string> {
  const names = readdirSync(folder).filter((name) => name !== "theta.json");
  return Object.fromEntries(names.sort().map((name) => [name, readFileSync(`${folder}/${name}`, "utf8")]));
}

describe("ownership", () => {
  test("is what theta.json claims and the store recorded; a claimed file's directory goes with it", () => {
    writeFileSync(scratch("out/theta.json"), theta(["a", "sub/b"]));
    expect(ownFiles(scratch("out"), "out", new Set(["c"]), false)).toEqual(new Set(["theta.json", "a", "sub", "c"]));
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

  test("a foreign file in the way of a new one is an error, not a loss", () => {
    writeFileSync(scratch("out/config.json"), "mine");
    expect(() => checkForeignFiles(scratch("out"), "out", ["config.json"], new Set(), false)).toThrow(
      '"out" holds config.json, which theta did not write and would replace',
    );
  });
});

/** The real calls need the addon; what an exchange does on a file system without it can be said in one line. */
const NO_EXCHANGE = { exchange: () => false } as unknown as FileSystemCalls;

describe("switching without exchange", () => {
  test("replaces what is theta's and carries the rest over", () => {
    writeFileSync(scratch("out/a"), "old");
    writeFileSync(scratch("out/stale"), "old");
    writeFileSync(scratch("out/notes"), "mine");
    const paths = outputPaths(scratch("out"));
    makeFresh(paths);
    writeFileSync(`${paths.fresh}/a`, "new");
    switchOutput(NO_EXCHANGE, paths, new Set(["a", "stale"]));
    expect(content(scratch("out"))).toEqual({ a: "new", notes: "mine" });
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
    writeFileSync(`${paths.fresh}/model.safetensors`, "new");
    switchOutput(NO_EXCHANGE, paths, new Set(["..", "../sibling", ".", "model.safetensors.index.json"]));
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
