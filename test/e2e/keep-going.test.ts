// `theta build --force` and `--keep-going` from the command line: what is printed, in which order, and the exit code.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { f32, makeModelDirectory, type TestTensors } from "../support/tensors.ts";
import { useSession } from "./theta-session.ts";

const session = useSession();
const RECIPE = `theta 1
base a = "a"
model b = "b"
merge good onto a using sum { b }
merge huge = linear(a, b, weight: [1, 1], normalize: false)
output "dist/huge"    = huge { dtype f16 }
output "dist/foreign" = good
output "dist/good"    = good
`;

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "theta-keep-going-"));
  makeModelDirectory(join(root, "a"), { "x.weight": f32([2], [60000, 1]), "y.weight": f32([2], [1, 2]) });
  makeModelDirectory(join(root, "b"), { "x.weight": f32([2], [60000, 2]), "y.weight": f32([2], [3, 4]) });
  writeFileSync(join(root, "merge.theta"), RECIPE);
  mkdirSync(join(root, "dist/foreign"), { recursive: true });
  writeFileSync(join(root, "dist/foreign/notes"), "mine");
});
afterEach(() => rmSync(root, { recursive: true }));

test("what fails is told, what does not is made; the exit code is that of the first output that failed", async () => {
  const stopped = await session(root, ["build"]);
  expect(stopped.code).toBe(73);
  const { code, stderr } = await session(root, ["build", "-k"]);
  expect(stderr).toContain('x.weight of "dist/huge" does not fit f16');
  expect(stderr).toContain("dist/foreign");
  expect(stderr).toMatch(/\ndist\/good {2}2 tensors {2}sha256:[0-9a-f]{64}\nFailed in /);
  expect(code).toBe(1);
  const only = await session(root, ["build", "-k", "--only", "dist/foreign", "--only", "dist/good"]);
  expect(only.code).toBe(73);
});

test("--json has an error line for each cause, and the summary behind them", async () => {
  const { stdout, code } = await session(root, ["build", "--keep-going", "--json"]);
  const lines = stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(code).toBe(1);
  expect(lines.filter(({ type }) => type === "error")).toMatchObject([{ schema: "theta.error/1", exit_code: 73 }]);
  expect(lines.at(-2)).toHaveProperty("type", "error");
  expect(lines.at(-1)).toMatchObject({ type: "summary", status: "failed", outputs: [{ path: "dist/good" }] });
  expect(lines.at(-1)).not.toHaveProperty("failures");
});

test("--force runs the outputs that it is asked for again, and only them", async () => {
  await session(root, ["build", "-k"]);
  const { stdout, code } = await session(root, ["build", "--force", "--only", "dist/good", "--json"]);
  expect(code).toBe(0);
  expect(stdout.trimEnd().split("\n").at(-1)).toContain('"actions":{"run":2,"up_to_date":0');
  expect((await session(root, ["why", "dist/good"])).stdout).toContain("+ forced: 2 tensors");
});

test("a statistic that cannot be found costs the outputs that need it", async () => {
  const layers = (value: number): TestTensors =>
    Object.fromEntries([0, 1].map((layer) => [`model.layers.${layer}.weight`, f32([2], [value, layer])]));
  makeModelDirectory(join(root, "d"), layers(1));
  makeModelDirectory(join(root, "e"), layers(2));
  makeModelDirectory(join(root, "f"), layers(NaN));
  const recipe = `theta 1
base a = "d"
model b = "e"
model c = "f"
vector tb = b - a
vector tc = c - a
merge bad = a + lines(sum(tb, tc), beta: 0.4, like: mean(tb, tc))
merge like_b = a + lines(sum(tb, tb), beta: 0.4, like: mean(tb, tb))
merge good onto a using sum { b }
output "dist/bad"    = bad
output "dist/like_b" = like_b
output "dist/good"   = good
`;
  writeFileSync(join(root, "merge.theta"), recipe);
  const { code, stderr } = await session(root, ["build", "-k"]);
  expect(stderr.match(/\S+ of c holds NaN/g)).toEqual(["model.layers.0.weight of c holds NaN"]);
  expect(stderr).toContain("\nmerge.theta:4:1: error[nan-in-input]");
  expect(stderr.match(/Finding/g)).toHaveLength(1);
  expect(stderr).toMatch(/\ndist\/like_b {2}2 tensors .*\ndist\/good {2}2 tensors /);
  expect(code).toBe(1);
});
