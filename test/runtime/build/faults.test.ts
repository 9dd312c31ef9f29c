// Every system call that writes, publishes or takes away is made to fail, and to be the one that is not reached any more.
// What is published is whole all the same, the exit code is a documented one, and the next build gives what a clean one
// gives. A few of them here; `npm run test:faults` walks through all.

import { existsSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { MOUNT, STRACE } from "../../support/system-tools.ts";
import { useChildren } from "./child.ts";
import { constantModel, filesOf, mergedNumbers, numbersOf } from "./constant-model.ts";
import { Workspace } from "./workspace.ts";

const ALL = process.env["THETA_FAULTS"] === "all";

const CALLS = [
  "fallocate",
  "fdatasync",
  "fsync",
  "ftruncate",
  "link",
  "mkdir",
  "pwrite64",
  "rename",
  "renameat2",
  "rmdir",
  "unlink",
] as const;
const FAULTS = ["error=EIO", "error=ENOSPC", "error=EDQUOT", "signal=KILL"] as const;
type Call = (typeof CALLS)[number];
type Fault = (typeof FAULTS)[number];

/** What is tried where not all are: the last is which of the calls. */
const SAMPLE: readonly (readonly [Call, Fault, number])[] = [
  ["fdatasync", "error=ENOSPC", 2],
  ["pwrite64", "error=EDQUOT", 1],
  ["mkdir", "error=EDQUOT", 1],
  ["rename", "signal=KILL", 2],
  ["renameat2", "signal=KILL", 1],
  ["unlink", "error=EIO", 1],
];

const TENSORS = 4;
const spawnBuild = useChildren();
let space: Workspace;
beforeEach(async () => {
  space = new Workspace();
  space.write("base", constantModel(TENSORS, 1024, 1));
  space.write("tune", constantModel(TENSORS, 1024, 3));
  await space.build(recipe(0.5));
  writeFileSync(space.path("dist/m/notes"), "mine");
});
afterEach(() => space.remove());

/** Two shards. */
function recipe(weight: number, output = "dist/m") {
  return { outputs: [output], weight, shard: 8192 };
}

/** Builds with a call that goes wrong. `within`: runs strace. */
function underFault(call: Call, fault: Fault, when: number, weight: number, within: readonly string[] = []) {
  const inject = [`trace=${call}`, `inject=${call}:${fault}:when=${when}`].flatMap((rule) => ["-e", rule]);
  const under = [...within, "strace", "-f", "-qq", "-o", space.path("trace"), ...inject];
  return spawnBuild(space, recipe(weight), {}, under).done;
}

/** False when the build made fewer such calls. */
async function buildWithFault(
  call: Call,
  fault: Fault,
  when: number,
  weight: number,
  within?: readonly string[],
): Promise<boolean> {
  const { code, error } = await underFault(call, fault, when, weight, within);
  const what = `${call} ${when} ${fault}: ${error}`;
  if (fault === "signal=KILL") return code === null || code === 137;
  expect([0, 66, 71, 73], what).toContain(code);
  return readFileSync(space.path("trace"), "utf8").includes("INJECTED");
}

/** Whole is also what no loader finds the way into. */
async function expectWhole(what: string, weight: number, before: number): Promise<void> {
  if (existsSync(space.path("dist/m/model.safetensors.index.json"))) {
    const [now, then] = [weight, before].map((one) => mergedNumbers(TENSORS, one));
    expect([now, then], what).toContainEqual(numbersOf(space.path("dist/m")));
  }
  const { status } = await space.build(recipe(weight));
  expect(status, what).toBe("done");
  await space.build(recipe(weight, "clean/m"), { store: space.path("clean-store") });
  const built = new Map(filesOf(space.path("dist/m")));
  expect(built.get("notes")?.toString(), what).toBe("mine");
  built.delete("notes");
  const clean = filesOf(space.path("clean/m"));
  expect([...built.keys()].sort(), what).toEqual([...clean.keys()].sort());
  for (const [name, bytes] of built) expect(bytes.equals(clean.get(name)!), `${what}: ${name}`).toBe(true);
  expect(readdirSync(space.path("dist")), what).toEqual(["m"]);
  expect((await space.build(recipe(weight))).phases, what).toEqual(["look-up"]);
}

/** All of them, one after the other, on one project. */
async function walk(call: Call, fault: Fault, within?: readonly string[]): Promise<void> {
  let before = 0.5;
  for (let when = 1, injected = true; injected; when++) {
    injected = await buildWithFault(call, fault, when, when, within);
    await expectWhole(`${call} ${when} ${fault}`, when, before);
    before = when;
  }
}

describe.skipIf(!STRACE)("a build survives", () => {
  test.each(SAMPLE)("%s, %s, the call number %i", async (call, fault, when) => {
    expect(await buildWithFault(call, fault, when, 1)).toBe(true);
    await expectWhole(`${call} ${when} ${fault}`, 1, 0.5);
  });

  test.each([1, 2, 3])("a quota that has no room for a store: the folder number %i", async (when) => {
    rmSync(space.path(".theta"), { recursive: true });
    const { code, error } = await underFault("mkdir", "error=EDQUOT", when, 1);
    expect([code, error]).toEqual([71, expect.stringContaining(`${space.path(".theta")}: the disk quota is used up`)]);
  });
});

describe.skipIf(!STRACE || !ALL)("a build survives every", { timeout: 600_000 }, () => {
  for (const call of CALLS) test.each(FAULTS)(`${call}, %s`, (fault) => walk(call, fault));

  describe.skipIf(!MOUNT)("in an output that is a mount point,", () => {
    for (const call of ["fsync", "mkdir", "rename", "unlink"] as const) {
      test.each(FAULTS)(`${call}, %s`, (fault) => {
        const output = space.path("dist/m");
        const script = `mount --bind ${output} ${output} && exec "$@"`;
        return walk(call, fault, ["unshare", "-rm", "sh", "-c", script, "sh"]);
      });
    }
  });
});
