// Builds theta.node: `node native/build.mjs [--out DIR] [-DNAME=VALUE …]`. DIR is build/ unless given; options are those
// of CMakeLists.txt, such as -DTHETA_TESTS=ON. Runs as npm's install script, in a checkout and in somebody's
// node_modules; prints one line when all is well.

import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import os from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const [major, minor] = process.versions.node.split(".").map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  fail(`theta needs Node 20.19 or later; this is Node ${process.versions.node}`);
}

const native = dirname(fileURLToPath(import.meta.url));
const { values } = parseArgs({
  options: { out: { type: "string" }, define: { type: "string", short: "D", multiple: true, default: [] } },
});
const out = resolve(values.out ?? join(native, "..", "build"));
const addon = join(out, "Release", "theta.node");
const stampFile = join(out, "theta-build.json");
/** What the configuration in `out` was made from: with anything else it must be made again. */
const stamp = JSON.stringify({ native, node: process.execPath, arch: process.arch, define: values.define }, null, 2);

const start = Date.now();
const before = modified(addon);
const configured = existsSync(join(out, "CMakeCache.txt")) && readIfThere(stampFile) === stamp;
if (!configured) configure();
const built = run("cmake", ["--build", out, "--config", "Release", "--parallel", String(os.availableParallelism())]);
if (built.status !== 0) fail(`theta.node could not be built:\n${built.output}`);
const seconds = ((Date.now() - start) / 1000).toFixed(1);
console.log(modified(addon) === before ? `${addon} is up to date` : `${addon} built in ${seconds} s`);

function configure() {
  checkTools();
  rmSync(join(out, "CMakeCache.txt"), { force: true });
  rmSync(join(out, "CMakeFiles"), { recursive: true, force: true });
  const cmakeJs = locateCmakeJs();
  const options = values.define.map((option) => `--CD${option}`);
  const result = run(process.execPath, [cmakeJs, "configure", "--directory", native, "--out", out, ...options]);
  if (result.status !== 0) fail(`the build of theta.node could not be configured:\n${result.output}`);
  writeFileSync(stampFile, stamp);
}

/** cmake-js is a dependency, not always below us: npm puts it beside theta in somebody's node_modules. */
function locateCmakeJs() {
  const require = createRequire(import.meta.url);
  try {
    const manifest = require.resolve("cmake-js/package.json");
    return join(dirname(manifest), JSON.parse(readFileSync(manifest, "utf8")).bin["cmake-js"]);
  } catch {
    fail("cmake-js is not installed; run: npm ci");
  }
}

function checkTools() {
  const missing = [];
  const cmake = run("cmake", ["--version"]);
  const [, major, minor] = /version (\d+)\.(\d+)/.exec(cmake.output) ?? [];
  if (cmake.status !== 0) missing.push("CMake 3.22 or newer (cmake is not on the PATH)");
  else if (Number(major) < 3 || (Number(major) === 3 && Number(minor) < 22)) {
    missing.push(`CMake 3.22 or newer (${major}.${minor} is installed)`);
  }
  const program = "#include <bit>\n#include <span>\nunsigned f(std::span<unsigned> s) { return std::rotr(s[0], 1); }\n";
  const compilers = process.env["CXX"] ? [process.env["CXX"]] : ["c++", "g++", "clang++"];
  const compiler = compilers.find((name) => run(name, ["--version"]).status === 0);
  if (compiler === undefined) missing.push(`a C++20 compiler (none of ${compilers.join(", ")} can be run)`);
  else if (run(compiler, ["-std=c++20", "-fsyntax-only", "-x", "c++", "-"], program).status !== 0) {
    missing.push(`a C++20 compiler, such as GCC 11 or Clang 14 (${compiler} is older or has no standard library)`);
  }
  if (run("ninja", ["--version"]).status !== 0 && run("make", ["--version"]).status !== 0)
    missing.push("Ninja or make");
  if (missing.length === 0) return;
  fail(
    [
      "theta compiles its native part when it is installed, and this machine lacks",
      ...missing.map((tool) => `  - ${tool}`),
      "Install:",
      "  Debian, Ubuntu   sudo apt-get install g++ cmake ninja-build",
      "  Fedora           sudo dnf install gcc-c++ cmake ninja-build",
    ].join("\n"),
  );
}

function run(command, args, input) {
  const result = spawnSync(command, args, { encoding: "utf8", input: input ?? "", maxBuffer: 1 << 28 });
  return { status: result.status, output: `${result.stdout ?? ""}${result.stderr ?? ""}` };
}

function modified(file) {
  return statSync(file, { throwIfNoEntry: false })?.mtimeMs;
}

function readIfThere(file) {
  return existsSync(file) ? readFileSync(file, "utf8") : undefined;
}

function fail(message) {
  console.error(message.trimEnd());
  process.exit(1);
}
