// npm run test:oracle -- --cases 200 --seed 1: black-box conformance against the strict oracle (conformance.py), in a Python
// environment of its own with numpy and safetensors.

import { spawnSync } from "node:child_process";
import { existsSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const theta = join(here, "..", "..", "dist", "theta.js");

function run(command, args, options = {}) {
  const { status, error } = spawnSync(command, args, { stdio: "inherit", ...options });
  if (error !== undefined) throw error;
  return status ?? 1;
}

/** Path of a Python that has the packages; a half-made environment is made again. */
function python() {
  const environment = join(here, ".venv");
  const interpreter = join(environment, "bin", "python");
  const works = () => spawnSync(interpreter, ["-c", "import numpy, safetensors"], { stdio: "ignore" }).status === 0;
  if (existsSync(interpreter) && works()) return interpreter;
  rmSync(environment, { recursive: true, force: true });
  if (run("python3", ["-m", "venv", environment]) !== 0) return undefined;
  if (run(interpreter, ["-m", "pip", "install", "--quiet", "numpy==2.4.6", "safetensors==0.8.0"]) !== 0)
    return undefined;
  return interpreter;
}

function main() {
  if (!existsSync(theta)) {
    process.stderr.write(`${theta} is not there: run \`npm run build\` first.\n`);
    return 1;
  }
  const interpreter = python();
  if (interpreter === undefined) return 1;
  return run(interpreter, [join(here, "conformance.py"), "--theta", theta, ...process.argv.slice(2)]);
}

process.exitCode = main();
