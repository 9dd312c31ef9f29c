// npm run test:sanitize: the C++ tests, built and run with sanitizers: memory and undefined behaviour first, then threads.
// Arguments name the sanitizers to use instead, such as `thread`. Takes a few minutes; builds are kept in build/.

import { spawnSync } from "node:child_process";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..");
const chosen = process.argv.slice(2);

/** By default a finding of UndefinedBehaviorSanitizer is printed and the program goes on, as if it had passed. */
const options = {
  ASAN_OPTIONS: "detect_stack_use_after_return=1:strict_string_checks=1",
  UBSAN_OPTIONS: "halt_on_error=1:print_stacktrace=1",
  TSAN_OPTIONS: "halt_on_error=1:second_deadlock_stack=1",
};

function run(what, command, args) {
  const start = Date.now();
  const { status, signal, error } = spawnSync(command, args, {
    cwd: root,
    stdio: "inherit",
    env: { ...process.env, ...options },
  });
  if (error) throw error;
  if (status !== 0) {
    console.error(`${what}: failed with ${signal ?? `exit code ${status}`}`);
    process.exit(1);
  }
  console.log(`${what}: ${((Date.now() - start) / 1000).toFixed(0)} s`);
}

for (const sanitizers of chosen.length > 0 ? chosen : ["address,undefined", "thread"]) {
  const out = join("build", `sanitize-${sanitizers.replace(",", "-")}`);
  const definitions = ["-DTHETA_TESTS=ON", `-DTHETA_SANITIZE=${sanitizers}`];
  run(`${sanitizers}: built`, process.execPath, [join("native", "build.mjs"), "--out", out, ...definitions]);
  run(`${sanitizers}: tested`, join(out, "theta_tests"), []);
}
