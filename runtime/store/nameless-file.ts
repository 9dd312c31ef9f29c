// Files for what is needed until a build ends.

import { openSync, rmSync } from "node:fs";

/** Its blocks go back with the descriptor, also when the process is killed. `path`: where it is for a moment. */
export function openNameless(path: string): number {
  const fd = openSync(path, "w+");
  rmSync(path, { force: true });
  return fd;
}
