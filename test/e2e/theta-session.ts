// Many commands in few processes, because starting one takes longer than most commands: each runs the same run(), with
// the same two streams, that dist/theta.js runs once. theta-process.ts is for what a process of its own must show.

import { spawn, type ChildProcessWithoutNullStreams } from "node:child_process";
import { mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build as bundle } from "esbuild";
import { afterAll, beforeAll } from "vitest";
import { testEnvironment, type ThetaRun } from "./theta-process.ts";

const REPOSITORY = fileURLToPath(new URL("../../", import.meta.url));
/** Ends a stream's share of one command; session-main.ts writes it. */
const END_OF_RUN = "\u001e\n";

interface Waiting {
  readonly resolve: (run: ThetaRun) => void;
  readonly reject: (error: Error) => void;
  readonly timer: NodeJS.Timeout;
}

/** One process that runs one command at a time. */
class Session {
  readonly #process: ChildProcessWithoutNullStreams;
  #waiting: Waiting | undefined;
  #stdout = "";
  #stderr = "";

  constructor(main: string) {
    this.#process = spawn(process.execPath, [main], { env: testEnvironment({}) });
    this.#process.stdout.setEncoding("utf8").on("data", (text: string) => this.#heard((this.#stdout += text)));
    this.#process.stderr.setEncoding("utf8").on("data", (text: string) => this.#heard((this.#stderr += text)));
    this.#process.on("close", (code) =>
      this.#end(new Error(`the process ended with ${code}\n${this.#stdout}\n${this.#stderr}`)),
    );
  }

  run(directory: string, args: readonly string[], limitMs: number): Promise<ThetaRun> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#end(new Error(`theta ${args.join(" ")} took longer than ${limitMs} ms`));
        this.close();
      }, limitMs);
      this.#waiting = { resolve, reject, timer };
      this.#process.stdin.write(`${JSON.stringify({ directory, args })}\n`);
    });
  }

  close(): void {
    this.#process.kill("SIGKILL");
  }

  #heard(text: string): void {
    if (!text.endsWith(END_OF_RUN) || !this.#stdout.endsWith(END_OF_RUN) || !this.#stderr.endsWith(END_OF_RUN)) return;
    const stdout = this.#stdout.slice(0, -END_OF_RUN.length);
    // The code stands behind what the command itself printed.
    const [, stderr, code] = /^([^]*)\u001e(\d+)\u001e\n$/.exec(this.#stderr)!;
    this.#stdout = this.#stderr = "";
    const waiting = this.#waiting;
    this.#waiting = undefined;
    clearTimeout(waiting?.timer);
    waiting?.resolve({ code: Number(code), stdout, stderr: stderr! });
  }

  #end(error: Error): void {
    clearTimeout(this.#waiting?.timer);
    this.#waiting?.reject(error);
    this.#waiting = undefined;
  }
}

/** Call it once in a test file. A session that failed is replaced by a fresh one. */
export function useSession(): (directory: string, args: readonly string[], limitMs?: number) => Promise<ThetaRun> {
  let folder = "";
  let session: Session | undefined;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "theta-session-"));
    symlinkSync(join(REPOSITORY, "node_modules"), join(folder, "node_modules"));
    symlinkSync(join(REPOSITORY, "build/Release/theta.node"), join(folder, "theta.node"));
    await bundle({
      entryPoints: [join(REPOSITORY, "test/e2e/session-main.ts")],
      outfile: join(folder, "main.mjs"),
      bundle: true,
      platform: "node",
      format: "esm",
      external: ["libsql", "typescript", "vitest", "esbuild"],
      banner: { js: 'import { createRequire as c } from "node:module"; const require = c(import.meta.url);' },
    });
  });
  afterAll(() => {
    session?.close();
    rmSync(folder, { recursive: true });
  });
  return async (directory, args, limitMs = 20_000) => {
    session ??= new Session(join(folder, "main.mjs"));
    try {
      return await session.run(directory, args, limitMs);
    } catch (error) {
      session.close();
      session = undefined;
      throw error;
    }
  };
}
