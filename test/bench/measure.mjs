// What a command takes: wall and processor seconds, anonymous memory.

import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";

const SAMPLE_MS = 25; // every 10 ms took 3 % of a core from builds that use all of them
const CLOCK_TICKS = 100; // per second; what Linux reports to user space on every architecture that Node runs on

/** Processor seconds and anonymous memory of a process now, or undefined when it is gone. */
function sample(pid) {
  try {
    const [, user, system] = /^.*\) (?:\S+ ){11}(\d+) (\d+)/.exec(readFileSync(`/proc/${pid}/stat`, "utf8"));
    const anonymous = /^RssAnon:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"));
    if (anonymous === null) return undefined; // a zombie has no memory
    return { cpu: (Number(user) + Number(system)) / CLOCK_TICKS, anonymous: 1024 * Number(anonymous[1]) };
  } catch (error) {
    if (error.code === "ENOENT" || error.code === "ESRCH") return undefined;
    throw error;
  }
}

/** Runs a command: wall and processor seconds, peak anonymous bytes (sampled), standard output. */
export function measure(command, args, options = {}) {
  return new Promise((resolve, reject) => {
    const started = performance.now();
    const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"], ...options });
    const peak = { cpu: 0, anonymous: 0 };
    const timer = setInterval(() => {
      const now = sample(child.pid);
      if (now === undefined) return;
      peak.cpu = now.cpu;
      peak.anonymous = Math.max(peak.anonymous, now.anonymous);
    }, SAMPLE_MS);
    let [stdout, stderr] = ["", ""];
    child.stdout.on("data", (chunk) => (stdout += chunk));
    child.stderr.on("data", (chunk) => (stderr += chunk));
    child.on("error", reject);
    child.on("close", (code) => {
      clearInterval(timer);
      const seconds = (performance.now() - started) / 1000;
      if (code === 0) resolve({ seconds, ...peak, stdout });
      else
        reject(
          new Error(`${command} ${args.join(" ")} exited with ${code}:\n${stdout.slice(-2000)}${stderr.slice(-2000)}`),
        );
    });
  });
}

export const median = (values) => {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
};
