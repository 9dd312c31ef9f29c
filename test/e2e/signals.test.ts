// A build that is interrupted, as a user or a CI runner does it: the exit code says so, a second build of the same output
// is kept out meanwhile, and the next build goes on from the tensors that were finished.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { makeModelDirectory, raw, type TestTensors } from "../support/tensors.ts";
import { refusal } from "./refusal.ts";
import { build, startTheta, theta, type RunningTheta } from "./theta-process.ts";

const TENSORS = 32;
const ELEMENTS = 2 ** 18;
/** One thread, small chunks and no vector instructions: slow enough to be interrupted, on any machine. */
const SLOWLY = { THETA_THREADS: "1", THETA_CHUNK: "4KiB", THETA_ISA: "plain" };

let project: string;
beforeAll(() => {
  project = mkdtempSync(join(tmpdir(), "theta-signals-"));
  for (const seed of [1, 2, 3]) makeModelDirectory(join(project, `model-${seed}`), noise(seed));
  writeFileSync(
    join(project, "merge.theta"),
    `theta 1
base  start = "model-1"
model one = "model-2"
model two = "model-3"
merge it onto start using ties { each mask magnitude(density: 0.4)
  one
  two
}
output "out" = it { shard 4MB }
`,
  );
});
afterAll(() => rmSync(project, { recursive: true, force: true }));

/** Finite numbers near 1, by xorshift. */
function noise(seed: number): TestTensors {
  let state = seed;
  const tensor = () => {
    const values = new Float32Array(ELEMENTS);
    for (let at = 0; at < ELEMENTS; at++) {
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      values[at] = 1 + state / 2 ** 33;
    }
    return raw("F32", [512, ELEMENTS / 512], new Uint8Array(values.buffer));
  };
  return Object.fromEntries(Array.from({ length: TENSORS }, (_, at) => [`layers.${at}.weight`, tensor()]));
}

/** Resolves when it has finished a tensor. */
function firstAction({ process, done }: RunningTheta): Promise<void> {
  return new Promise((resolve, reject) => {
    let seen = "";
    process.stdout!.on("data", (text: string) => {
      seen += text;
      if (seen.includes('"type":"action"')) resolve();
    });
    void done.then(({ stderr }) => reject(new Error(`it ended first: ${stderr}`)));
  });
}

test.each([
  ["SIGINT", 130],
  ["SIGTERM", 143],
] as const)("%s ends a build with %i, and the next one goes on", async (signal, exitCode) => {
  const store = ["--store", `store-${signal}`];
  const running = startTheta(project, ["build", "--json", ...store], SLOWLY);
  await firstAction(running);
  // It stands still while the second one looks, and finds the signal when it goes on.
  running.process.kill("SIGSTOP");

  const second = theta(project, ["build", "--no-wait", ...store]);
  expect(refusal(second, 75)).toBe("output-locked");

  running.process.kill(signal);
  running.process.kill("SIGCONT");
  const { code, stdout, stderr } = await running.done;
  expect(code, stderr).toBe(exitCode);
  expect(stderr).toBe("Interrupted; what is finished is kept, and the next build goes on from there\n");
  expect(JSON.parse(stdout.trimEnd().split("\n").at(-1)!)).toMatchObject({ type: "summary", status: "failed" });

  const next = build(project, store);
  expect(next.actions.run).toBeGreaterThan(0);
  expect(next.actions.run).toBeLessThan(TENSORS);
  expect(next.outputs).toEqual(build(project, ["--store", "fresh-store"]).outputs);
  rmSync(join(project, "out"), { recursive: true });
});
