// A stored vector may be used on the base that it was taken from, and on no other by mistake.

import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { f32, makeModelDirectory, type TestTensors } from "../../support/tensors.ts";
import { buildText, planText } from "./build-text.ts";
import { digests } from "../../e2e/read-output.ts";

let root: string;
beforeEach(async () => {
  root = realpathSync(mkdtempSync(join(tmpdir(), "theta-vector-base-")));
  write("base", model(1));
  write("tune", model(2));
  await buildText(root, 'theta 1\nbase b = "base"\nmodel t = "tune"\nvector v = t - b\noutput "vectors/v" = v');
});
afterEach(() => rmSync(root, { recursive: true }));

function model(value: number, last = value): TestTensors {
  return { a: f32([2, 2], [value, 1, 2, 3]), b: f32([2], [0, last]) };
}

function write(name: string, tensors: TestTensors): void {
  makeModelDirectory(join(root, name), tensors);
}

const onto = (base: string): string => `theta 1
base b = "${base}"
vector v = "vectors/v" on b
merge m = b + v
output "dist/m" = m`;

test("on its base it gives the fine-tune back", async () => {
  await buildText(root, onto("base"));
  expect(digests(join(root, "dist/m"))).toEqual(digests(join(root, "tune")));
});

test("on its base under another name and cut into shards, too", async () => {
  makeModelDirectory(join(root, "moved"), model(1), { shards: [["a"], ["b"]] });
  await buildText(root, onto("moved"));
  expect(digests(join(root, "dist/m"))).toEqual(digests(join(root, "tune")));
});

test("on another base it is refused, before and after the payloads are known, and nothing is written", async () => {
  write("other", model(1, 7));
  const refusal = {
    exitCode: 66,
    message: "vectors/v was taken from another base than other",
    details: {
      code: "bad-vector",
      span: { start: onto("other").indexOf("vector v") },
      facts: [expect.stringMatching(/^taken from {2}sha256:/), expect.any(String)] as unknown,
    },
  };
  await expect(buildText(root, onto("other"))).rejects.toMatchObject(refusal);
  expect(() => digests(join(root, "dist/m"))).toThrow("ENOENT");
  await expect(planText(root, onto("other"))).rejects.toMatchObject(refusal);
  await expect(buildText(root, onto("other"))).rejects.toMatchObject(refusal);
});

test("its base edited behind the vector is another base", async () => {
  await buildText(root, onto("base"));
  write("base", model(1, 7));
  await expect(buildText(root, onto("base"))).rejects.toMatchObject({ exitCode: 66 });
  expect(digests(join(root, "dist/m"))).toEqual(digests(join(root, "tune")));
});

test("a base of which the output reads only a part is compared as a whole", async () => {
  write("other", model(1, 7));
  const part = onto("other").replace("merge m = b + v", 'merge m onto b using sum { v\n at "b" keep b }');
  await expect(buildText(root, part)).rejects.toMatchObject({ exitCode: 66, details: { code: "bad-vector" } });
  const vector = 'theta 1\nbase b = "other"\nvector v = "vectors/v" on b\nvector w = v & "a"\noutput "dist/w" = w';
  await expect(buildText(root, vector)).rejects.toMatchObject({ exitCode: 66, details: { code: "bad-vector" } });
});
