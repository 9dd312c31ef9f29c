// Any one byte of any file of a store, overwritten by an ordinary write: the build after it is right.

import { chmodSync, closeSync, openSync, readFileSync, readdirSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { f32 } from "../../support/tensors.ts";
import { useWorkspace } from "../build/use-workspace.ts";

const RECIPE = { outputs: ["dist/m"] };
const space = useWorkspace((space) => {
  for (const [name, value] of [
    ["base", 1],
    ["tune", 3],
  ] as const) {
    space.write(name, { a: f32([4, 4], new Array<number>(16).fill(value)), b: f32([2], [value, -value]) });
  }
});

function overwrite(path: string, at: number, value: number): void {
  chmodSync(path, 0o644);
  const fd = openSync(path, "r+");
  writeSync(fd, Buffer.of(value), 0, 1, at);
  closeSync(fd);
}

/** The index, the sidecar, or the record of the output. */
function fileIn(folder: string): string | undefined {
  const name = readdirSync(space.path(folder)).find((file) => file === "index.sqlite" || file.endsWith(".json"));
  return name && space.path(folder, name);
}

/** Relative to the output; all bytes of it. */
function content(): Record<string, string> {
  const folder = space.path("dist/m");
  return Object.fromEntries(readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), "latin1")]));
}

const TIMES = 24;

for (const folder of [".theta", ".theta/shards", ".theta/outputs"]) {
  for (const deleted of [true, false]) {
    test(`in ${folder}, with the output ${deleted ? "deleted" : "in place"}`, async () => {
      await space.build(RECIPE);
      const clean = content();
      for (let time = 0; time < TIMES; time++) {
        // A shard that was dropped while its output was in place is not missed.
        if (fileIn(folder) === undefined) {
          rmSync(space.path(".theta"), { recursive: true });
          await space.build(RECIPE);
        }
        const path = fileIn(folder)!;
        const bytes = readFileSync(path);
        // Most of a database is empty.
        const used = [...bytes.keys()].filter((place) => bytes[place] !== 0);
        const at = used[Math.floor((used.length * (time + 0.5)) / TIMES)]!;
        const was = bytes[at]!;
        if (deleted) rmSync(space.path("dist"), { recursive: true });
        overwrite(path, at, time % 2 === 0 ? was ^ 0xff : was ^ 1);
        const result = await space.build(RECIPE);
        expect([at, result.status]).toEqual([at, "done"]);
        expect(content()).toEqual(clean);
      }
    });
  }
}
