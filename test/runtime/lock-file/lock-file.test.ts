// The text of merge.lock: the same facts give the same bytes, and what people do to the file by hand is found.

import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Failure } from "../../../runtime/failure.ts";
import {
  type LockFile,
  lockFilePath,
  lockFileText,
  readLockFile,
  sourceDigest,
} from "../../../runtime/lock-file/lock-file.ts";

let space: string;
beforeEach(() => void (space = mkdtempSync(join(tmpdir(), "theta-lock-file-"))));
afterEach(() => rmSync(space, { recursive: true }));

const digest = (digit: string): string => `sha256:${digit.repeat(64)}`;

const LOCK: LockFile = {
  lists: new Map([["runs", ["runs/b", "runs/a"]]]),
  sources: new Map([
    [
      "models/b",
      {
        kind: "model",
        files: new Map([
          ["tokenizer.json", digest("2")],
          ["config.json", digest("1")],
        ]),
        tensors: new Map([
          ["b", { dtype: "F32", shape: [], digest: digest("4") }],
          ['a "b"\n', { dtype: "BF16", shape: [2, 3], digest: digest("3") }],
          ["__proto__", { dtype: "F32", shape: [0], digest: digest("5") }],
          ["7", { dtype: "F32", shape: [1], digest: digest("6") }],
        ]),
      },
    ],
    ["adapters/a", { kind: "adapter", files: new Map(), tensors: new Map() }],
  ]),
};

function read(text: string): LockFile | undefined {
  writeFileSync(join(space, "merge.lock"), text);
  return readLockFile({ path: join(space, "merge.lock"), display: "merge.lock" });
}

test("has a line for each thing, sorted, and ends in a newline", () => {
  const lock: LockFile = {
    lists: LOCK.lists,
    sources: new Map([
      [
        "m",
        {
          ...LOCK.sources.get("models/b")!,
          tensors: new Map([["w", { dtype: "F32", shape: [2, 3], digest: digest("3") }]]),
        },
      ],
    ]),
  };
  expect(lockFileText(lock)).toBe(`{
  "schema": "theta.lock/1",
  "lists": {
    "runs": [
      "runs/b",
      "runs/a"
    ]
  },
  "sources": {
    "m": {
      "kind": "model",
      "digest": "${sourceDigest(lock.sources.get("m")!.tensors)}",
      "files": {
        "config.json": "${digest("1")}",
        "tokenizer.json": "${digest("2")}"
      },
      "tensors": {
        "w": "F32 [2, 3] ${digest("3")}"
      }
    }
  }
}
`);
});

test("is read back as it was, whatever tensors are called", () => {
  const text = lockFileText(LOCK);
  const again = read(text)!;
  expect(lockFileText(again)).toBe(text);
  expect(again.lists).toEqual(LOCK.lists);
  expect(new Map(again.sources)).toEqual(new Map(LOCK.sources));
});

test("does not depend on the order in which things were found", () => {
  const turned = new Map(
    [...LOCK.sources]
      .reverse()
      .map(([path, source]) => [path, { ...source, tensors: new Map([...source.tensors].reverse()) }]),
  );
  expect(lockFileText({ ...LOCK, sources: turned })).toBe(lockFileText(LOCK));
});

test("lies beside the recipe, under its name", () => {
  expect(lockFilePath("/a/merge.theta")).toBe("/a/merge.lock");
  expect(lockFilePath("a.theta/soup.v2.theta")).toBe("a.theta/soup.v2.lock");
  expect(lockFilePath("recipe")).toBe("recipe.lock");
  expect(lockFilePath("merge.lock")).toBe("merge.lock.lock");
});

test("that is not there is no failure", () => {
  expect(readLockFile({ path: join(space, "none"), display: "none" })).toBeUndefined();
});

test.each<readonly [what: string, damage: (text: string) => string, message: string]>([
  ["empty", () => "", "expected a value for the lock file, found the end of the text, at character 1"],
  ["cut off", (text) => text.slice(0, 300), "found the end of the text"],
  ["half merged", (text) => text.replace('  "sources"', '<<<<<<< ours\n  "sources"'), "at line 9, character 1"],
  ["of a newer theta", (text) => text.replace("lock/1", "lock/2"), 'schema must be "theta.lock/1", not "theta.lock/2"'],
  ["without a schema", () => "{}", 'schema must be "theta.lock/1"'],
  ["a list", () => "[]", "the lock file must be an object"],
  ["without sources", (text) => text.replace('"sources"', '"source"'), "sources must be an object"],
  ["with a key twice", (text) => text.replace('"models/b"', '"adapters/a"'), 'has the key "adapters/a" twice'],
  [
    "with a kind that there is not",
    (text) => text.replace('"adapter"', '"lora"'),
    'the source "adapters/a": kind must be',
  ],
  ["with a short digest", (text) => text.replace("11", "1"), '"config.json" must have a digest'],
  [
    "with a tensor without digest",
    (text) => text.replace(/BF16[^"]*/, "BF16 [2, 3]"),
    'must be like "F32 [2, 3] sha256:…"',
  ],
  [
    "with an edited digest",
    (text) => text.replace("4444", "4544"),
    'the source "models/b": its digest is not that of its tensors',
  ],
  ["with an edited shape", (text) => text.replace("[2, 3]", "[3, 2]"), 'the source "models/b": its digest is not that'],
])("that is %s is refused with its place", (_, damage, message) => {
  const text = lockFileText(LOCK);
  expect(damage(text)).not.toBe(text);
  const reading = (): unknown => read(damage(text));
  expect(reading).toThrow(Failure);
  expect(reading).toThrow(message);
  expect(reading).toThrow(/^merge\.lock: /);
});

test("that is no regular file is refused", () => {
  symlinkSync("/dev/null", join(space, "link"));
  expect(() => readLockFile({ path: join(space, "link"), display: "link" })).toThrow("link is a device");
  expect(() => readLockFile({ path: space, display: "merge.lock" })).toThrow("merge.lock is a directory");
});
