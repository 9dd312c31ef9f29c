// What this machine lets a test do with the system's tools; tests that need more than that are skipped.

import { spawnSync } from "node:child_process";
import { tmpdir } from "node:os";

/** Makes system calls fail and counts them. */
export const STRACE = spawnSync("strace", ["--version"]).status === 0;

/** In a name space of its own, as nobody in particular. */
export const MOUNT = spawnSync("unshare", ["-rm", "mount", "-t", "tmpfs", "none", tmpdir()]).status === 0;
