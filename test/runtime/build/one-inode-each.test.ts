// Two outputs never share an inode, also when two builds look at one stored shard before either has linked it.

import { rmSync, statSync } from "node:fs";
import { expect, test } from "vitest";
import { f32 } from "../../support/tensors.ts";
import { STRACE } from "../../support/system-tools.ts";
import { useChildren } from "./child.ts";
import { useWorkspace } from "./use-workspace.ts";

const spawnBuild = useChildren();
const space = useWorkspace(async (space) => {
  space.write("base", { a: f32([2], [1, 2]) });
  space.write("tune", { a: f32([2], [3, 4]) });
  await space.build({ outputs: ["dist/m"] });
  rmSync(space.path("dist"), { recursive: true });
});

test.skipIf(!STRACE)("two builds link a shard at the same moment", async () => {
  const microseconds = 2_000_000;
  const late = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", `inject=link,linkat:delay_enter=${microseconds}`];
  const outputs = ["dist/n", "dist/o"];
  const builds = await Promise.all(outputs.map((output) => spawnBuild(space, { outputs: [output] }, {}, late).done));
  expect(builds.map(({ code, error }) => [code, error])).toEqual(outputs.map(() => [0, ""]));
  const inodes = outputs.map((output) => statSync(space.path(output, "model.safetensors")).ino);
  expect(new Set(inodes).size).toBe(2);
});
