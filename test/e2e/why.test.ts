// `theta why` as people meet it: the chain from what they changed to the tensors that it reached.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { f32, makeModelDirectory, type TestTensors } from "../support/tensors.ts";
import { useSession } from "./theta-session.ts";

const session = useSession();
const RECIPE = `theta 1
param w: number = 0.4
base  llama = "llama"
model maths = "maths"
model code  = "code"
mask big = magnitude(density: 0.5)
merge both onto llama using ties {
  each mask big
  maths
  code weight w
  at "norm" keep llama
}
merge other onto llama using sum { maths }
output "dist/both"  = both
output "dist/other" = other
`;

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "theta-why-"));
  for (const [seed, name] of ["llama", "maths", "code"].entries()) makeModelDirectory(join(root, name), model(seed));
  writeFileSync(join(root, "merge.theta"), RECIPE);
});
afterEach(() => rmSync(root, { recursive: true }));

function model(seed: number, odd = seed): TestTensors {
  const layers = [0, 1, 2].map(
    (layer) => [`layers.${layer}.up`, f32([4, 4], numbers(layer === 1 ? odd : seed))] as const,
  );
  return { ...Object.fromEntries(layers), norm: f32([4], numbers(seed, 4)) };
}

function numbers(seed: number, count = 16): readonly number[] {
  return Array.from({ length: count }, (_, index) => Math.sin(index * (seed + 1)) + seed);
}

async function built(...args: readonly string[]): Promise<void> {
  const { code, stderr } = await session(root, ["build", "-q", ...args]);
  expect(stderr).toBe("");
  expect(code).toBe(0);
}

/** What it prints, with times and digests that do not change from run to run. */
async function why(...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await session(root, ["why", ...args]);
  expect(stderr).toBe("");
  expect(code).toBe(0);
  const digests = stdout.replace(/sha256:[0-9a-f]{12}/g, "<digest>").replaceAll(root, "<root>");
  return digests.replace(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC/g, "<time>");
}

describe("why", () => {
  test("says what to do where nothing was built yet", async () => {
    expect(await why("dist/both")).toBe(
      "dist/both was never built: theta build makes it, theta plan says what that does\n",
    );
  });

  test("leads from the parameter to the tensors", async () => {
    await built();
    await built("-p", "w=0.5");
    expect(await why("dist/both")).toBe(
      `dist/both: 3 of 4 tensors ran in the build of <time>
  + param-changed: 3 tensors
      parameter w: 0.4 -> 0.5
        weight of code: 0.4 -> 0.5
          layers.*.up  0-2
  = up-to-date: norm
  of those that did not run, 1 last ran <time> (no-record)
`,
    );
    expect(await why("dist/both:layers.1.up")).toBe(
      `dist/both: 3 of 4 tensors ran in the build of <time>
  + param-changed: layers.1.up
      parameter w: 0.4 -> 0.5
        weight of code: 0.4 -> 0.5
          layers.1.up: <digest> -> <digest>
`,
    );
    expect(await why("dist/other")).toMatch(
      /^dist\/other: 4 of 4 tensors ran in the build of <time>\n {2}\+ no-record/,
    );
  });

  test("names the input whose bytes changed, and the output whose bytes were the same", async () => {
    await built();
    makeModelDirectory(join(root, "maths"), model(1, 7));
    await built();
    const file = "<root>/maths/model.safetensors";
    expect(await why("dist/both:layers.*")).toBe(
      `dist/both: 1 of 4 tensors ran in the build of <time>
  + input-changed: 1 tensor
      maths: <digest> -> <digest>  (${file})
        layers.1.up
  = up-to-date: 2 tensors, such as layers.0.up
  of those that did not run, 2 last ran <time> (no-record)
`,
    );
  });

  test("a declared name means all outputs that are made of it; a source, the tensors that read it", async () => {
    await built();
    const outputs = async (name: string): Promise<readonly string[]> =>
      (await why(name)).split("\n").flatMap((line) => /^(dist\/\w+):/.exec(line)?.[1] ?? []);
    expect(await outputs("maths")).toEqual(["dist/both", "dist/other"]);
    for (const name of ["code", "big", "both"]) expect(await outputs(name), name).toEqual(["dist/both"]);
    expect(await outputs("other")).toEqual(["dist/other"]);
    // `norm` is kept from the base: no other model is read for it.
    expect(await why("code")).not.toContain("norm");
    expect(await why("both")).toContain("norm");
  });

  test("--json has every tensor with its reason, its changes, its inputs", async () => {
    await built();
    await built("-p", "w=0.5");
    const { stdout } = await session(root, ["why", "dist/both:layers.0.up", "--json"]);
    expect(JSON.parse(stdout)).toMatchObject({
      schema: "theta.why/1",
      ok: true,
      name: "dist/both",
      tensor: "layers.0.up",
      outputs: [
        {
          path: "dist/both",
          state: "published",
          build: { status: "done", parameters: { w: 0.5 }, recipe: "merge.theta", forced: false },
          changed_parameters: [{ name: "w", from: 0.4, to: 0.5 }],
          tensors: [
            {
              name: "layers.0.up",
              how: "run",
              reason: "param-changed",
              changes: [{ kind: "parameter", name: "weight of code", from: 0.4, to: 0.5 }],
              inputs: [{ role: "llama" }, { role: "maths" }, { role: "code", tensor: "layers.0.up" }],
            },
          ],
        },
      ],
    });
  });

  test.each<readonly [what: string, args: readonly string[], exitCode: number, says: string]>([
    ["an unknown name", ["dist/bot"], 64, "did you mean dist/both?"],
    ["an unknown name before a tensor", ["mats:norm"], 64, "did you mean maths?"],
    ["an unknown tensor", ["dist/both:layers.1.uq"], 64, 'did you mean "layers.1.up"?'],
    ["a glob that is none", ["dist/both:["], 64, "is no glob"],
    ["no name", [], 64, "theta why needs a name"],
    ["a recipe that is not there", ["dist/both", "nowhere.theta"], 66, "there is no recipe at nowhere.theta"],
    ["a recipe that is wrong", ["dist/both", "-p", "w=words"], 65, "w"],
  ])("refuses %s", async (_, args, exitCode, says) => {
    await built();
    const { code, stderr } = await session(root, ["why", ...args]);
    expect(stderr).toContain(says);
    expect(code).toBe(exitCode);
  });

  test("answers when the inputs and the output are gone", async () => {
    await built();
    for (const name of ["llama", "maths", "code", "dist"]) rmSync(join(root, name), { recursive: true });
    expect(await why("dist/both")).toContain("+ no-record: 4 tensors");
  });
});
