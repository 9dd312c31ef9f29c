// Large recipes take a moment each. They are compiled in a process of their own, because one that hangs cannot be
// interrupted; what counts is the time of the processor, so that a busy machine changes nothing.

import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { afterAll, beforeAll, expect, test } from "vitest";
import { LARGE_RECIPES } from "./large-recipes.ts";

/** Each takes less than two seconds; what grows exponentially takes forever. */
const LONGEST_MS = 15_000;
/** And no text is longer than this for want of sharing. */
const MOST_CHARACTERS = 40_000_000;
/** Of the clock, for one recipe. */
const SILENT_MS = 120_000;

interface Answer {
  readonly name: string;
  readonly milliseconds?: number;
  readonly characters: number;
  readonly error?: string;
}

const answers = new Map<string, Answer>();
let last = "";
const folder = mkdtempSync(join(tmpdir(), "theta-large-"));

beforeAll(async () => {
  await build({
    entryPoints: [fileURLToPath(new URL("./large-main.ts", import.meta.url))],
    outfile: join(folder, "main.mjs"),
    bundle: true,
    platform: "node",
    format: "esm",
    logLevel: "warning",
  });
  const child = spawn(process.execPath, [join(folder, "main.mjs")], { stdio: ["ignore", "pipe", "inherit"] });
  const silence = setTimeout(() => child.kill("SIGKILL"), SILENT_MS);
  for await (const line of createInterface({ input: child.stdout })) {
    silence.refresh();
    const answer = JSON.parse(line) as Answer;
    last = answer.name;
    if (answer.milliseconds !== undefined) answers.set(answer.name, answer);
  }
  clearTimeout(silence);
}, 600_000);

afterAll(() => rmSync(folder, { recursive: true }));

test.each([...LARGE_RECIPES])("%s", (name, { refused }) => {
  const answer = answers.get(name);
  if (answer === undefined) throw new Error(`no answer; the process ended at "${last}"`);
  expect(answer.error).toBe(refused);
  expect(answer.milliseconds).toBeLessThan(LONGEST_MS);
  expect(answer.characters).toBeLessThan(MOST_CHARACTERS);
});
