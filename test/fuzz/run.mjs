// npm run fuzz -- --runs N --seed S [--only recipes|headers|indices|adapters|tasks]: random inputs of these kinds, in a
// process of its own. One that crashes or does not come back is found, too: the input that it had is printed.

import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { countGiven, scriptArguments, wrongUsage } from "../support/script-arguments.mjs";

const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..");
/** No input takes so long on the busiest machine; only one that never ends does. */
const SILENT_MS = 60_000;

const script = import.meta.url;
const values = scriptArguments(script, {
  runs: { type: "string", default: "10000" },
  seed: { type: "string", default: String(Date.now() % 2 ** 31) },
  only: { type: "string", default: "all" },
});
const runs = countGiven(script, values, "runs");
const KINDS = ["all", "recipes", "headers", "indices", "adapters", "tasks"];
if (!/^\d+$/.test(values.seed)) wrongUsage(script, `--seed takes a number, not "${values.seed}"`);
if (!KINDS.includes(values.only)) wrongUsage(script, `there is no kind ${values.only}`);

const folder = mkdtempSync(join(tmpdir(), "theta-fuzz-"));
process.on("exit", () => rmSync(folder, { recursive: true }));
symlinkSync(join(root, "build/Release/theta.node"), join(folder, "theta.node"));
await build({
  entryPoints: [join(root, "test/fuzz/fuzz-main.ts")],
  outfile: join(folder, "main.mjs"),
  bundle: true,
  platform: "node",
  format: "esm",
  logLevel: "warning",
});

console.log(`seed ${values.seed}`);
const inProgress = join(folder, "input.json");
const child = spawn(process.execPath, [join(folder, "main.mjs"), values.only, String(runs), values.seed, inProgress], {
  stdio: ["ignore", "inherit", "inherit"],
});
const watch = setInterval(() => {
  const written = statSync(inProgress, { throwIfNoEntry: false })?.mtimeMs;
  if (written !== undefined && Date.now() - written > SILENT_MS) child.kill("SIGKILL");
}, 1000);
child.on("exit", (code, signal) => {
  clearInterval(watch);
  if (signal !== null) {
    console.error(`ended by ${signal} (SIGKILL: it did not come back) on ${readFileSync(inProgress, "utf8")}`);
  }
  process.exitCode = code ?? 1;
});
