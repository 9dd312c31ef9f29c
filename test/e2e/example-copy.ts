// A copy of an example in a temporary directory, without what a build or an environment left in the original.

import { cpSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";

const EXAMPLES = fileURLToPath(new URL("../../examples/", import.meta.url));
const LEFT_OUT = new Set(["dist", ".theta", ".venv"]);

/** The copy's path. The caller removes it. */
export function copyExample(name: string): string {
  const copy = join(mkdtempSync(join(tmpdir(), "theta-example-")), name);
  cpSync(join(EXAMPLES, name), copy, { recursive: true, filter: (path) => !LEFT_OUT.has(basename(path)) });
  return copy;
}
