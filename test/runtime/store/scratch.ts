// A temporary directory that a test file cleans up.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach } from "vitest";

/** Call it once in a test file; the function it returns gives paths in this test's own directory. */
export function useScratch(): (...parts: readonly string[]) => string {
  let root = "";
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "theta-store-"));
  });
  afterEach(() => rmSync(root, { recursive: true }));
  return (...parts) => join(root, ...parts);
}
