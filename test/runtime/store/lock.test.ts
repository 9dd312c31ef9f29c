// Who holds a lock is said by its file, which outlives its holders.

import { hostname } from "node:os";
import { readFileSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { loadAddon } from "../../../native/index.ts";
import { isHeld, tryLock } from "../../../runtime/store/lock.ts";
import { useScratch } from "./scratch.ts";

const scratch = useScratch();
const calls = loadAddon();
const ME = `process ${process.pid} on ${hostname()}`;

test.each(["", "process 1\n", `process ${"9".repeat(300)} on a machine with a longer name\nand more\n`])(
  "the file names its holder alone, whatever it said before: %j",
  (before) => {
    const path = scratch("lock");
    if (before !== "") writeFileSync(path, before);
    const lock = tryLock(calls, path);
    if (isHeld(lock)) throw new Error("nobody holds it");
    expect(readFileSync(path, "utf8")).toBe(`${ME}\n`);
    expect(tryLock(calls, path)).toEqual({ holder: ME });
    lock.release();
    const next = tryLock(calls, path);
    expect(isHeld(next)).toBe(false);
    if (!isHeld(next)) next.release();
  },
);

test("what is left of an earlier holder behind the present one's line is not told", () => {
  const path = scratch("lock");
  const lock = tryLock(calls, path);
  if (isHeld(lock)) throw new Error("nobody holds it");
  writeFileSync(path, "process 7 on here\ns 4711 on there\n");
  expect(tryLock(calls, path)).toEqual({ holder: "process 7 on here" });
  writeFileSync(path, "\n");
  expect(tryLock(calls, path)).toEqual({ holder: "another process" });
  lock.release();
});
