// The program as V8 takes it: its text, and the code that an earlier run compiled it to, if there is any for this Node.
// Half of what a short command takes would be compiling. Node itself keeps code from version 22 on, where it writes into a
// folder for temporary files; this only ever reads, from beside the program.

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { Script } from "node:vm";

const DIST = import.meta.dirname;
/** A function's expression in ASCII; see runtime/bundle.mjs. */
const PROGRAM = join(DIST, "theta-program.js");
/** A digest of the program and of what follows it, then V8's code. */
export const CODE = join(DIST, "theta-program.code");
const require = createRequire(PROGRAM);
const DIGEST_BYTES = 32;

/** Code of another Node, or of other flags, is as good as none: V8 refuses it. */
export function loadProgram() {
  const text = readFileSync(PROGRAM);
  return { text, script: new Script(text.toString("latin1"), { filename: PROGRAM, cachedData: codeOf(text) }) };
}

/** Does what `process.argv` says, and ends the process. */
export function runProgram({ script }) {
  script.runInThisContext()(requireForProgram, PROGRAM, DIST);
}

/** libsql's code is in the program; its binaries lie where libsql finds them, which need not be where theta does. */
function requireForProgram(name) {
  return (name.startsWith("@libsql/") ? createRequire(require.resolve("libsql")) : require)(name);
}

export function digestOf(text, code) {
  return createHash("sha256").update(text).update(code).digest();
}

/** V8 believes any code behind a good beginning, for any text of the same length. */
function codeOf(text) {
  let kept;
  try {
    kept = readFileSync(CODE);
  } catch {
    // What is not there, or cannot be read, would only have saved time.
    return undefined;
  }
  const code = kept.subarray(DIGEST_BYTES);
  return digestOf(text, code).equals(kept.subarray(0, DIGEST_BYTES)) ? code : undefined;
}
