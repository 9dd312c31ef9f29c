// What a command takes: wall and processor seconds, anonymous memory.

import { spawn } from "node:child_process";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** What looks on takes part of the processor: every 10 ms took 3 % of a core from builds that use all of them. */
const SAMPLE_MS = 100;
const CLOCK_TICKS = 100; // per second; what Linux reports to user space on every architecture that Node runs on

/** Anonymous memory of a process now, or undefined when it is gone. */
function anonymousOf(pid) {
  try {
    const anonymous = /^RssAnon:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"));
    return anonymous === null ? undefined : 1024 * Number(anonymous[1]); // a zombie has no memory
  } catch (error) {
    if (error.code === "ENOENT" || error.code === "ESRCH") return undefined;
    throw error;
  }
}

/** Processor seconds of the children that have ended. */
function childrenSeconds() {
  const [, user, system] = /^.*\) (?:\S+ ){13}(\d+) (\d+)/.exec(readFileSync("/proc/self/stat", "utf8"));
  return (Number(user) + Number(system)) / CLOCK_TICKS;
}

/**
 * Runs a command: wall and processor seconds (of several at once, those of all that ended meanwhile), peak anonymous bytes
 * (sampled), standard output. What it prints goes to files: reading it from a pipe would be work beside the command's.
 */
export async function measure(command, args, options = {}) {
  const folder = mkdtempSync(join(tmpdir(), "theta-bench-output-"));
  const [out, err] = ["out", "err"].map((name) => join(folder, name));
  const descriptors = [out, err].map((path) => openSync(path, "w"));
  try {
    const before = childrenSeconds();
    const ran = await run(command, args, { ...options, stdio: ["ignore", ...descriptors] });
    const stdout = readFileSync(out, "utf8");
    if (ran.code !== 0) {
      const printed = `${stdout.slice(-2000)}${readFileSync(err, "utf8").slice(-2000)}`;
      throw new Error(`${command} ${args.join(" ")} exited with ${ran.code}:\n${printed}`);
    }
    return { seconds: ran.seconds, anonymous: ran.anonymous, cpu: childrenSeconds() - before, stdout };
  } finally {
    for (const descriptor of descriptors) closeSync(descriptor);
    rmSync(folder, { recursive: true });
  }
}

function run(command, args, options) {
  return new Promise((resolve, reject) => {
    const started = performance.now();
    const child = spawn(command, args, options);
    let anonymous = 0;
    const timer = setInterval(() => (anonymous = Math.max(anonymous, anonymousOf(child.pid) ?? 0)), SAMPLE_MS);
    child.on("error", (error) => {
      clearInterval(timer);
      reject(error);
    });
    child.on("close", (code) => {
      clearInterval(timer);
      resolve({ code, seconds: (performance.now() - started) / 1000, anonymous });
    });
  });
}

export const median = (values) => {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
};
