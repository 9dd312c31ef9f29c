// Runs the bundled `theta` as its users do: a process, its exit code, its two streams.

import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const THETA = fileURLToPath(new URL("../../dist/theta.js", import.meta.url));

export interface ThetaRun {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** `directory` is the working directory; `environment` is added to the test's own, without CI and THETA_ settings. */
export function theta(
  directory: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): ThetaRun {
  if (!existsSync(THETA)) throw new Error(`${THETA} is not there: run \`npm run build\``);
  const inherited = Object.entries(process.env).filter(([name]) => name !== "CI" && !name.startsWith("THETA_"));
  const { status, stdout, stderr, error } = spawnSync(process.execPath, [THETA, ...args], {
    cwd: directory,
    encoding: "utf8",
    env: { ...Object.fromEntries(inherited), NO_COLOR: "1", ...environment },
  });
  if (error !== undefined) throw error;
  return { code: status ?? -1, stdout, stderr };
}

/** The last line of `build --json`. */
export interface BuildSummary {
  readonly type: "summary";
  readonly status: "done" | "failed";
  readonly actions: Readonly<Record<"run" | "up_to_date" | "cutoff" | "local_hit" | "remote_hit", number>>;
  readonly bytes: Readonly<Record<"read" | "hashed" | "written" | "copied", number>>;
  readonly outputs: readonly { readonly path: string; readonly tensors: number; readonly digest: string }[];
}

/** Runs `theta build --json`, which must succeed. */
export function build(
  directory: string,
  args: readonly string[] = [],
  environment: Readonly<Record<string, string>> = {},
): BuildSummary {
  const run = theta(directory, ["build", "--json", ...args], environment);
  if (run.code !== 0) throw new Error(`theta build exited with ${run.code}\n${run.stderr}`);
  return JSON.parse(run.stdout.trimEnd().split("\n").at(-1) ?? "") as BuildSummary;
}
