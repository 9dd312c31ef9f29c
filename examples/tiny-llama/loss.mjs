// Loads the base, the fine-tunes and the merges with transformers and prints their losses (loss.py). Keeps PyTorch in a
// virtual environment of the example, .venv, which the first run fills: about 5 GB and a minute or two.

import { spawnSync } from "node:child_process";
import { existsSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const MERGES = ["dist/assistant", "dist/soup"];
const PACKAGES = ["torch==2.13.0", "transformers==5.23.0", "safetensors", "numpy"];

function run(command, args) {
  const { status, error } = spawnSync(command, args, { cwd: here, stdio: "inherit" });
  if (error !== undefined) throw error;
  return status ?? 1;
}

/** Path of a Python that has the packages. A half-made environment is made again. */
function python() {
  const environment = join(here, ".venv");
  const interpreter = join(environment, "bin", "python");
  const works = () => spawnSync(interpreter, ["-c", "import torch, transformers"], { stdio: "ignore" }).status === 0;
  if (existsSync(interpreter) && works()) return interpreter;
  process.stderr.write(`Installing ${PACKAGES.join(", ")} into ${environment}\n`);
  rmSync(environment, { recursive: true, force: true });
  if (run("python3", ["-m", "venv", environment]) !== 0) return undefined;
  if (run(interpreter, ["-m", "pip", "install", "--quiet", ...PACKAGES]) !== 0) return undefined;
  return interpreter;
}

function main() {
  const missing = MERGES.find((directory) => !existsSync(join(here, directory, "config.json")));
  if (missing !== undefined) {
    process.stderr.write(`${missing} is not there: run \`theta build\` in ${here} first.\n`);
    return 1;
  }
  const interpreter = python();
  if (interpreter === undefined) return 1;
  return run(interpreter, ["loss.py", ...["base", "python", "c", "prose"].map((name) => `data/${name}`), ...MERGES]);
}

process.exitCode = main();
