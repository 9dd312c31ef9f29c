// Outputs whose directory cannot be exchanged or renamed, as on overlayfs and on file systems without the call: the real
// ones where this machine may mount them, else what the kernel answers there, put in by strace.

import { mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { f32 } from "../../support/tensors.ts";
import { MOUNT, STRACE } from "../../support/system-tools.ts";
import { useChildren } from "./child.ts";
import { useWorkspace } from "./use-workspace.ts";

const spawnBuild = useChildren();
const space = useWorkspace(async (space) => {
  space.write("base", { a: f32([2], [1, 2]) });
  space.write("tune", { a: f32([2], [3, 4]) });
  mkdirSync(space.path("dist/m"), { recursive: true });
  await space.build(RECIPE);
  writeFileSync(space.path("dist/m/notes"), "mine");
});

const RECIPE = { outputs: ["dist/m"] };
const OTHER = { outputs: ["dist/m"], weight: 0.25 };

function firstNumber(file: string): number {
  const bytes = readFileSync(file);
  return bytes.readFloatLE(8 + Number(bytes.readBigUInt64LE(0)));
}

/** strace, under which these calls with one of these paths as their first fail. */
function refusing(inject: string, ...paths: readonly string[]): readonly string[] {
  const filter = paths.flatMap((path) => ["-P", space.path("dist", path)]);
  return ["strace", "-f", "-qq", "-o", space.path("refused"), ...filter, "-e", `inject=${inject}`];
}

function refused(): readonly string[] {
  const lines = readFileSync(space.path("refused"), "utf8").split("\n");
  return lines.filter((line) => line.includes("INJECTED")).map((line) => /[a-z0-9]+(?=\()/.exec(line)![0]);
}

describe.skipIf(!STRACE)("where the kernel refuses", () => {
  test.each([
    ["the exchange", "renameat2:error=EINVAL", ["renameat2"]],
    ["any renaming, as overlayfs does", "rename,renameat2:error=EXDEV", ["renameat2", "rename"]],
    ["any renaming of what is in use", "rename,renameat2:error=EBUSY", ["renameat2", "rename"]],
  ])("%s", async (_, inject, calls) => {
    expect(await spawnBuild(space, OTHER, {}, refusing(inject, "m", ".m.theta-new")).done).toMatchObject({ code: 0 });
    expect(refused()).toEqual(calls);
    expect(firstNumber(space.path("dist/m/model.safetensors"))).toBe(1.5);
    expect(readFileSync(space.path("dist/m/notes"), "utf8")).toBe("mine");
    expect(readdirSync(space.path("dist/m")).sort()).toEqual(["README.md", "model.safetensors", "notes", "theta.json"]);
    expect(readdirSync(space.path("dist"))).toEqual(["m"]);
    expect((await space.build(OTHER)).phases).toEqual(["look-up"]);
  });

  test("even the files: exit code 73, and nothing of theta's is left", async () => {
    const under = refusing("rename,renameat2:error=EXDEV", "m", ".m.theta-new", "m/.theta-new/README.md");
    const failed = await spawnBuild(space, OTHER, {}, under).done;
    expect(failed).toMatchObject({ code: 73, error: expect.stringContaining("EXDEV") as string });
    expect(readdirSync(space.path("dist"))).toEqual(["m"]);
    // The only file of weights is away before anything else is moved.
    expect(readdirSync(space.path("dist/m"))).toEqual(["README.md", "notes", "theta.json"]);
    expect((await space.build(OTHER)).status).toBe("done");
    expect(firstNumber(space.path("dist/m/model.safetensors"))).toBe(1.5);
  });
});

test.skipIf(!MOUNT)("in a lower layer of overlayfs, as in every container image", async () => {
  for (const name of ["upper", "work"]) mkdirSync(space.path("layers", name), { recursive: true });
  const layers = `lowerdir=${space.path("dist")},upperdir=${space.path("layers/upper")},workdir=${space.path("layers/work")}`;
  const script = `mount -t overlay overlay -o ${layers} ${space.path("dist")} && exec "$@"`;
  const under = ["unshare", "-rm", "sh", "-c", script, "sh"];
  const { code, error } = await spawnBuild(space, OTHER, {}, under).done;
  expect([code, error]).toEqual([0, ""]);
  expect(firstNumber(space.path("layers/upper/m/model.safetensors"))).toBe(1.5);
  expect(readdirSync(space.path("layers/upper"))).toEqual(["m"]);
});
