// Eight builds at once on one store, builds by another user, and disks too small: nothing is corrupted, nothing hangs, and
// each output is what an undisturbed build gives. `npm run test:torture` does the same with a gigabyte.

import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, cpSync, existsSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, expect, test } from "vitest";
import { equalFiles, filesOf, OUTPUTS, TenOutputs, type Files } from "./ten-outputs.ts";
import { startTheta, theta, THETA } from "./theta-process.ts";

const TORTURE = process.env["THETA_TORTURE"] === "all";
const BYTES = TORTURE ? 100e6 : 1e6;
const DISK = TORTURE ? "100m" : "1m";
const NOBODY = 65_534;
const ROOT = process.getuid?.() === 0;

const project = new TenOutputs(BYTES);
project.clean("0.5");
project.clean("0.25");
afterAll(() => project.remove());
beforeEach(() => {
  for (const name of ["dist", ".theta"]) rmSync(join(project.root, name), { recursive: true, force: true });
});

function expectClean(names: readonly string[], variants: readonly string[] = ["0.5"]): void {
  for (const name of names) {
    const found = filesOf(project.output(name));
    const right = variants.some((variant) => equalFiles(found, project.clean(variant).get(name)!));
    expect(right, `${name} is none of ${variants.join()}`).toBe(true);
  }
}

function weights(files: Files): Files {
  return new Map([...files].filter(([name]) => name.endsWith(".safetensors")));
}

test("eight builds of the same recipe make each tensor once", async () => {
  const runs = OUTPUTS.slice(0, 8).map(() => startTheta(project.root, ["build", "--json"]).done);
  const ended = await Promise.all(runs);
  expect(ended.map(({ code, stderr }) => (code === 0 ? 0 : stderr))).toEqual(ended.map(() => 0));
  const ran = ended.map(({ stdout }) => stdout.split('"how":"run"').length - 1);
  expect(ran.reduce((sum, count) => sum + count)).toBe(250);
  expectClean(OUTPUTS);
}, 120_000);

test("eight builds of different recipes share a store", async () => {
  const runs = OUTPUTS.slice(0, 8).map((name, at) => {
    project.writeRecipe(`r${at}.theta`, [name, OUTPUTS[(at + 1) % 8]!]);
    return startTheta(project.root, ["build", `r${at}.theta`, "-p", `w=${at % 2 === 0 ? 0.5 : 0.25}`]).done;
  });
  const ended = await Promise.all(runs);
  expect(ended.map(({ code, stderr }) => (code === 0 ? 0 : stderr))).toEqual(ended.map(() => 0));
  // Side files name the recipe.
  for (const name of OUTPUTS.slice(0, 8)) {
    const [found, ...clean] = [
      filesOf(project.output(name)),
      ...["0.5", "0.25"].map((w) => project.clean(w).get(name)!),
    ];
    expect(clean.some((files) => equalFiles(weights(found), weights(files)))).toBe(true);
  }
  expect(theta(project.root, ["build"]).code).toBe(0);
  expectClean(OUTPUTS);
  expect(theta(project.root, ["cache", "verify"]).code).toBe(0);
}, 120_000);

test.skipIf(!ROOT)("another user: refused where nothing may be written, right where it may", () => {
  const asNobody = (): ReturnType<typeof spawnSync> =>
    spawnSync(process.execPath, [THETA, "build"], {
      cwd: project.root,
      uid: NOBODY,
      gid: NOBODY,
      encoding: "utf8",
      env: { PATH: process.env["PATH"], HOME: "/", NO_COLOR: "1" },
      timeout: 60_000,
    });
  expect(theta(project.root, ["build"]).code).toBe(0);
  const refused = asNobody();
  expect(refused.status, String(refused.stderr)).toBe(73);
  expect(refused.stderr).toMatch(/cannot be written/);
  expectClean(OUTPUTS);
  execFileSync("chmod", ["-R", "a+rwX", join(project.root, ".theta"), join(project.root, "dist")]);
  rmSync(project.output("o3"), { recursive: true });
  const shared = asNobody();
  expect(shared.status, String(shared.stderr)).toBe(0);
  expectClean(OUTPUTS);
  expect(theta(project.root, ["build", "-p", "w=0.25"]).code).toBe(0);
  expectClean(OUTPUTS, ["0.25"]);
});

test.skipIf(!ROOT)("another user builds where root never did", () => {
  const own = join(project.root, "own");
  mkdirSync(own);
  for (const name of ["base", "tune"]) cpSync(join(project.root, name), join(own, name), { recursive: true });
  project.writeRecipe("merge.theta", ["o0"], own);
  execFileSync("chown", ["-R", `${NOBODY}:${NOBODY}`, own]);
  for (const name of ["base", "tune"]) chmodSync(join(own, name), 0o555);
  const run = spawnSync(process.execPath, [THETA, "build"], {
    cwd: own,
    uid: NOBODY,
    gid: NOBODY,
    encoding: "utf8",
    env: { PATH: process.env["PATH"], HOME: "/", NO_COLOR: "1" },
  });
  expect(run.status, run.stderr).toBe(0);
  expect(equalFiles(filesOf(join(own, "dist/o0")), project.clean("0.5").get("o0")!)).toBe(true);
});

let mounted: string | undefined;
function mountDisk(path: string): boolean {
  mkdirSync(path, { recursive: true });
  const { status } = spawnSync("mount", ["-t", "tmpfs", "-o", `size=${DISK}`, "theta-test", path]);
  if (status === 0) mounted = path;
  return status === 0;
}
afterEach(() => {
  if (mounted !== undefined) execFileSync("umount", [mounted]);
  mounted = undefined;
});

test.for([
  { what: "the store", place: "disk", flags: ["--store", "disk/store"] },
  { what: "the outputs", place: "dist", flags: [] },
])(
  "a disk too small for $what: 71, what is there stays whole, and with room it is made",
  ({ place, flags }, { skip }) => {
    if (!mountDisk(join(project.root, place))) skip("no file system can be mounted here (only root can)");
    const { code, stderr } = theta(project.root, ["build", ...flags]);
    expect(code, stderr).toBe(71);
    expect(stderr).toMatch(/needed/);
    expectClean(OUTPUTS.filter((name) => existsSync(project.output(name))));
    execFileSync("mount", ["-o", "remount,size=4g", join(project.root, place)]);
    const roomy = theta(project.root, ["build", ...flags]);
    expect(roomy.code, roomy.stderr).toBe(0);
    expectClean(OUTPUTS);
  },
);
