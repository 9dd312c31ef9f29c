// `npm run test:package`: what a user does, which takes minutes. Packs theta, installs the package into another project,
// makes a recipe there and builds it; then builds the addon with node-gyp from the same sources and loads it.

import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../", import.meta.url));
const space = mkdtempSync(join(tmpdir(), "theta-package-"));
try {
  installPackage(join(space, "user"));
  buildWithNodeGyp(join(space, "gyp"));
} finally {
  rmSync(space, { recursive: true });
}

function installPackage(project) {
  run(root, "npm", "pack", "--pack-destination", space);
  const tarball = readdirSync(space).find((name) => name.endsWith(".tgz"));
  mkdirSync(project);
  writeFileSync(join(project, "package.json"), '{"private": true}\n');
  run(project, "npm", "install", "--foreground-scripts", join(space, tarball));
  run(project, "npx", "theta", "--version");
  run(project, "npx", "theta", "init", "demo");
  run(project, "npx", "theta", "build", "demo/merge.theta");
  const again = run(project, "npx", "theta", "plan", "--detailed-exitcode", "demo/merge.theta");
  if (!again.includes("up to date")) throw new Error(`the second build has work:\n${again}`);
}

function buildWithNodeGyp(copy) {
  mkdirSync(copy);
  for (const name of ["native", "binding.gyp", "package.json"])
    cpSync(join(root, name), join(copy, name), { recursive: true });
  symlinkSync(join(root, "node_modules"), join(copy, "node_modules"));
  run(copy, "npx", "node-gyp", "rebuild");
  const addon = createRequire(import.meta.url)(join(copy, "build/Release/theta.node"));
  console.log(`node-gyp built theta.node for ${addon.variant()}`);
}

/** Returns what it printed; throws unless it exits with 0. */
function run(directory, command, ...args) {
  console.log(`+ ${[command, ...args].join(" ")}`);
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd: directory, encoding: "utf8" });
  if (error) throw error;
  if (status !== 0) throw new Error(`exit code ${status}\n${stdout}${stderr}`);
  return stdout + stderr;
}
