// Builds in a process of its own: bundled once a test file, so that it can be killed like the real thing.

import { spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build as bundle } from "esbuild";
import { afterAll, beforeAll } from "vitest";
import type { BuildSummary } from "../../../runtime/build.ts";
import type { BuildContext } from "../../../runtime/build-context.ts";
import type { Recipe, Workspace } from "./workspace.ts";

export interface Child {
  readonly process: ChildProcess;
  /** Resolves when it says that it computes, or when it ended before. */
  readonly computing: Promise<void>;
  readonly done: Promise<{
    readonly code: number | null;
    readonly summary: BuildSummary | undefined;
    readonly error: string;
  }>;
}

const repository = fileURLToPath(new URL("../../../", import.meta.url));

/** `under`: a command that runs the build, such as strace with its flags. Call it once in a test file. */
export function useChildren(): (
  space: Workspace,
  recipe: Recipe,
  options?: Partial<BuildContext>,
  under?: readonly string[],
) => Child {
  let folder = "";
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "theta-child-"));
    symlinkSync(join(repository, "node_modules"), join(folder, "node_modules"));
    symlinkSync(join(repository, "build/Release/theta.node"), join(folder, "theta.node"));
    await bundle({
      entryPoints: [join(repository, "test/runtime/build/child-main.ts")],
      outfile: join(folder, "main.mjs"),
      bundle: true,
      platform: "node",
      format: "esm",
      external: ["libsql", "vitest", "esbuild"],
    });
  });
  afterAll(() => rmSync(folder, { recursive: true }));
  return (space, recipe, options = {}, under = []) => {
    const main = [process.execPath, join(folder, "main.mjs"), space.root, JSON.stringify({ recipe, options })];
    const [program, ...args] = [...under, ...main] as [string, ...string[]];
    const child = spawn(program, args);
    let output = "";
    let error = "";
    child.stderr.on("data", (data: Buffer) => (error += data.toString()));
    const done = new Promise<Awaited<Child["done"]>>((resolve) => {
      child.on("close", (code) => {
        const last = output.trim().split("\n").at(-1) ?? "";
        resolve({ code, summary: last.startsWith("{") ? (JSON.parse(last) as BuildSummary) : undefined, error });
      });
    });
    const computing = new Promise<void>((resolve) => {
      child.on("close", () => resolve());
      child.stdout.on("data", (data: Buffer) => {
        output += data.toString();
        if (output.includes("compute\n")) resolve();
      });
    });
    return { process: child, computing, done };
  };
}
