// dist/theta-compile.js: runs a few commands in a folder of its own and keeps what V8 compiled of the program for them. Part of
// an installation, since such code is for one version of Node. It is a convenience: without it theta starts more slowly, so
// whatever goes wrong here is said and is no failure.

import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { CODE, digestOf, loadProgram, runProgram } from "./program.mjs";

/** Every command reads all the code that is kept, so it is what a build needs, and others need most of that. */
const COMMANDS = [
  ["theta.js", "init"],
  ["theta-compile.js", "--child", "build"],
  ["theta-compile.js", "--child", "build"],
];
const DIST = dirname(CODE);

if (process.argv[2] === "--child") runAndKeep();
else compile();

function compile() {
  let folder;
  try {
    rmSync(CODE, { force: true });
    folder = mkdtempSync(join(tmpdir(), "theta-compile-"));
    const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("THETA_")));
    for (const [script, ...args] of COMMANDS) {
      spawnSync(process.execPath, [join(DIST, script), ...args], { cwd: folder, env, stdio: "ignore" });
    }
    if (!existsSync(CODE)) console.log(`${CODE} could not be written: theta will start more slowly`);
  } catch (error) {
    console.log(`theta is not compiled, and will start more slowly: ${error.message}`);
  } finally {
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  }
}

/** One command, as theta.js would run it. The code that it leaves has that of the runs before it. */
function runAndKeep() {
  process.argv.splice(2, 1);
  const program = loadProgram();
  process.on("exit", () => keep(program));
  runProgram(program);
}

/** Written beside the file first: a command may be reading that. */
function keep({ text, script }) {
  const code = script.createCachedData();
  const fresh = `${CODE}.${process.pid}`;
  try {
    writeFileSync(fresh, Buffer.concat([digestOf(text, code), code]));
    renameSync(fresh, CODE);
  } finally {
    rmSync(fresh, { force: true });
  }
}
