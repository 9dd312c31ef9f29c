// Every hostile source is refused with its own sentence, at once, without a byte of payload and without an exception.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createCompilerHost } from "../../runtime/compiler-host.ts";
import { HOSTILE_SOURCES } from "./hostile-sources.ts";
import type { HostileSource } from "./hostile-source.ts";

/** Far above what any of them takes on a busy machine, far below a hang. */
const LONGEST_MS = 30_000;

let space: string;
beforeAll(() => void (space = mkdtempSync(join(tmpdir(), "theta-hostile-"))));
afterAll(() => rmSync(space, { recursive: true, force: true }));

function read(source: HostileSource, path: string): unknown {
  const host = createCompilerHost();
  switch (source.kind) {
    case "model":
      return host.readModel(path, "bad");
    case "adapter":
      return host.readAdapter(path, "bad");
    case "vector":
      return host.readVector(path, "bad");
  }
}

test.for(HOSTILE_SOURCES)("$kind: $name", (source) => {
  const path = join(mkdtempSync(join(space, "case-")), "bad");
  source.make(path);
  const start = performance.now();
  const answer = read(source, path);
  expect(performance.now() - start).toBeLessThan(LONGEST_MS);
  expect(answer).toMatchObject({ kind: "problem", code: source.code, message: source.message });
  expect(source.message).not.toMatch(/[\p{Cc}\p{Cf}]/u);
  expect(source.message.length).toBeLessThan(600);
});

test("no two of them are called the same", () => {
  const names = HOSTILE_SOURCES.map((one) => `${one.kind} ${one.name}`);
  expect(new Set(names).size).toBe(names.length);
});
