// `kill -9` at any moment of a build of ten outputs: what lies under an output's name is always whole, as one variant or the
// other made it; the next build goes on and gives what an undisturbed one gives. `npm run test:torture` kills two hundred
// builds of a gigabyte.

import { existsSync, readFileSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { equalFiles, filesOf, OUTPUTS, TenOutputs } from "./ten-outputs.ts";
import { startTheta, theta } from "./theta-process.ts";

const TORTURE = process.env["THETA_TORTURE"] === "all";
const KILLS = TORTURE ? 200 : 6;
const BYTES = TORTURE ? 100e6 : 1e6;
const VARIANTS = ["0.5", "0.75", "0.25"];
/** After so many kills history goes, so that there is something to compute again. */
const FORGET = 4;

const project = new TenOutputs(BYTES);
afterAll(() => project.remove());

/** What a loader would find in an output: nothing, or an index all of whose shards have their whole size. */
function stray(name: string): string | undefined {
  const directory = project.output(name);
  const index = join(directory, "model.safetensors.index.json");
  try {
    const { weight_map: shards } = JSON.parse(readFileSync(index, "utf8")) as { weight_map: Record<string, string> };
    for (const shard of new Set(Object.values(shards))) {
      if (statSync(join(directory, shard)).size < BYTES / 10) return `${name}/${shard} is not whole`;
    }
    const others = readdirSync(directory).filter((file) => /partial|theta-|\.tmp|\.new/.test(file));
    return others.length === 0 ? undefined : `${name} holds ${others.join()}`;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT" && !existsSync(index)) return undefined;
    return `${name}: ${(error as Error).message}`;
  }
}

async function killedAfter(
  milliseconds: number,
  variant: string,
): Promise<{ readonly ran: ReadonlySet<string>; readonly seen: string[] }> {
  const { process: child, done } = startTheta(project.root, ["build", "--json", "-p", `w=${variant}`]);
  const seen: string[] = [];
  const watcher = setInterval(() => {
    for (const name of OUTPUTS) {
      const what = stray(name);
      if (what !== undefined) seen.push(what);
    }
  }, 5);
  const timer = setTimeout(() => child.kill("SIGKILL"), milliseconds);
  const { stdout } = await done;
  clearTimeout(timer);
  clearInterval(watcher);
  return { ran: tensorsRun(stdout), seen };
}

/** From the lines of `--json`, of which a killed build may have cut the last. */
function tensorsRun(stdout: string): ReadonlySet<string> {
  const run = /^\{"type":"action","output":("[^"]*"),"tensor":("[^"]*"),"how":"run"/;
  return new Set(stdout.split("\n").flatMap((line) => run.exec(line)?.slice(1).join(":") ?? []));
}

test(
  `${KILLS} builds are killed`,
  async () => {
    for (const variant of VARIANTS) project.clean(variant);
    const started = performance.now();
    expect(theta(project.root, ["build", "-p", `w=${VARIANTS[0]!}`]).code).toBe(0);
    const whole = performance.now() - started;
    let reused = 0;
    for (let kill = 1; kill <= KILLS; kill++) {
      const [before, variant] = [VARIANTS[(kill - 1) % VARIANTS.length]!, VARIANTS[kill % VARIANTS.length]!];
      if (kill % FORGET === 1) expect(theta(project.root, ["cache", "gc", "--max-size", "0"]).code).toBe(0);
      const after = Math.random() * whole;
      const { ran, seen } = await killedAfter(after, variant);
      const what = `kill ${kill}, after ${after.toFixed(0)} ms, from ${before} to ${variant}`;
      expect(seen, what).toEqual([]);
      for (const name of OUTPUTS) {
        const found = filesOf(project.output(name));
        const [now, then] = [variant, before].map((one) => project.clean(one).get(name)!);
        expect(equalFiles(found, now!) || equalFiles(found, then!), `${what}: ${name} is neither`).toBe(true);
      }
      const next = theta(project.root, ["build", "--json", "-p", `w=${variant}`]);
      expect(next.code, `${what}: ${next.stderr}`).toBe(0);
      const twice = [...tensorsRun(next.stdout)].filter((tensor) => ran.has(tensor));
      expect(twice, what).toEqual([]);
      reused += ran.size;
      for (const name of OUTPUTS) {
        const right = equalFiles(filesOf(project.output(name)), project.clean(variant).get(name)!);
        expect(right, `${what}: ${name} is wrong after the next build`).toBe(true);
      }
    }
    expect(readdirSync(join(project.root, "dist")).sort()).toEqual(OUTPUTS);
    // A journal may outlive its shard, for a day.
    const unfinished = readdirSync(join(project.root, ".theta/partial")).filter((name) => name.endsWith(".partial"));
    expect(unfinished).toEqual([]);
    const verified = theta(project.root, ["cache", "verify"]);
    expect(verified.code, verified.stderr + verified.stdout).toBe(0);
    if (TORTURE) expect(reused).toBeGreaterThan(0);
  },
  TORTURE ? 10_000_000 : 120_000,
);
