// npm run test:native: builds the C++ tests, in a folder of their own, and runs them. Says what failed, else one line. An
// argument runs the tests whose name holds it.

import { spawnSync } from "node:child_process";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..");

function run(command, args) {
  const { status, signal, error, stdout } = spawnSync(command, args, {
    cwd: root,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
  });
  if (error) throw error;
  if (status !== 0) {
    process.stdout.write(stdout);
    console.error(`${command}: failed with ${signal ?? `exit code ${status}`}`);
    process.exit(1);
  }
  return stdout;
}

const start = Date.now();
const out = join("build", "tests");
run(process.execPath, [join("native", "build.mjs"), "--out", out, "-DTHETA_TESTS=ON"]);
const passed = run(join(out, "theta_tests"), process.argv.slice(2)).match(/^ok /gm) ?? [];
console.log(`${passed.length} C++ tests built and passed in ${((Date.now() - start) / 1000).toFixed(0)} s`);
