// See leaks.test.ts: many small builds of every kind in this process, a line of JSON whenever some are done.
// Arguments: the project's folder, how many builds, and after how many of them to tell.

import { readdirSync, rmSync, writeSync } from "node:fs";
import { setImmediate } from "node:timers/promises";
import { Failure } from "../../runtime/failure.ts";
import { Workspace, type Recipe } from "../runtime/build/workspace.ts";
import type { Held } from "./leaks.test.ts";

const [root = "", builds = "0", every = "0"] = process.argv.slice(2);
const space = new Workspace(root);

const RECIPE: Recipe = { outputs: ["dist/m", "dist/n"], weights: { "dist/n": 0.75 }, shard: 3000 };

/** In turn: from nothing; nothing to do; other weights; a tensor fails; interrupted; planned; an input that is not there. */
const KINDS: readonly (() => Promise<unknown>)[] = [
  () => {
    rmSync(space.path(".theta"), { recursive: true, force: true });
    rmSync(space.path("dist"), { recursive: true, force: true });
    return space.build(RECIPE);
  },
  () => space.build(RECIPE),
  () => space.build({ ...RECIPE, weight: 0.25 }),
  () => space.build({ ...RECIPE, weight: 1e38 }),
  () => {
    const interrupt = new AbortController();
    return space.build({ ...RECIPE, weight: 0.125 }, {}, interrupt.signal, { work: () => interrupt.abort() });
  },
  () => space.plan({ ...RECIPE, weight: 0.5 }, true),
  () => space.build({ ...RECIPE, models: ["odd"] }),
];

for (let done = 1; done <= Number(builds); done++) {
  await KINDS[(done - 1) % KINDS.length]!().catch((error: unknown) => {
    if (!(error instanceof Failure) && (error as Error).name !== "AbortError") throw error;
  });
  if (done % Number(every) === 0) await tell(done);
}

async function tell(done: number): Promise<void> {
  // What native objects hold is given back by finalisers, behind the collection.
  for (let times = 0; times < 3; times++) {
    globalThis.gc?.();
    await setImmediate();
  }
  const { rss, heapUsed, external } = process.memoryUsage();
  const held: Held = {
    done,
    rss,
    heap: heapUsed + external,
    descriptors: readdirSync("/proc/self/fd").length,
    threads: readdirSync("/proc/self/task").length,
    files: readdirSync(space.root, { recursive: true, encoding: "utf8" }).sort(),
  };
  writeSync(1, `${JSON.stringify(held)}\n`);
}
