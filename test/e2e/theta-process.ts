// Runs the bundled `theta` as its users do: a process, its exit code, its two streams.

import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

export const THETA = fileURLToPath(new URL("../../dist/theta.js", import.meta.url));

export interface ThetaRun {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** The test's own environment without CI's and THETA_ settings, and these variables. */
export function testEnvironment(variables: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env).filter(([name]) => name !== "CI" && !/^(?:THETA|GITHUB)_/.test(name));
  return { ...Object.fromEntries(inherited), NO_COLOR: "1", ...variables };
}

/** `directory` is the working directory; `variables` are added to `testEnvironment`. Killed after a minute. */
export function theta(
  directory: string,
  args: readonly string[],
  variables: Readonly<Record<string, string>> = {},
): ThetaRun {
  const { status, stdout, stderr, error } = spawnSync(process.execPath, [entryPoint(), ...args], {
    cwd: directory,
    encoding: "utf8",
    env: testEnvironment(variables),
    timeout: 60_000,
    killSignal: "SIGKILL",
  });
  if (error !== undefined) throw error;
  return { code: status ?? -1, stdout, stderr };
}

export interface RunningTheta {
  readonly process: ChildProcess;
  readonly done: Promise<ThetaRun>;
}

/** The same without waiting; a process that a signal ends has the code -1. */
export function startTheta(
  directory: string,
  args: readonly string[],
  variables: Readonly<Record<string, string>> = {},
  timeout = 60_000,
): RunningTheta {
  const child = spawn(process.execPath, [entryPoint(), ...args], {
    cwd: directory,
    env: testEnvironment(variables),
    stdio: ["ignore", "pipe", "pipe"],
    timeout,
    killSignal: "SIGKILL",
  });
  const done = new Promise<ThetaRun>((resolve, reject) => {
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
    child.on("error", reject);
    child.on("close", (code) => resolve({ code: code ?? -1, stdout, stderr }));
  });
  return { process: child, done };
}

function entryPoint(): string {
  if (!existsSync(THETA)) throw new Error(`${THETA} is not there: run \`npm run build\``);
  return THETA;
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
