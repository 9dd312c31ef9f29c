// theta starts from code that V8 compiled when it was installed. It must start as well without, and from damaged code; and
// starting writes nothing.

import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createHash } from "node:crypto";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { Script } from "node:vm";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { testEnvironment, THETA } from "./theta-process.ts";

const DIST = dirname(THETA);
const CODE = "theta-program.code";

let dist: string;
beforeEach(() => {
  dist = join(mkdtempSync(join(tmpdir(), "theta-start-")), "dist");
  cpSync(DIST, dist, { recursive: true });
  // As in the package, whose own type the bundle's must override.
  writeFileSync(join(dirname(dist), "package.json"), '{"type": "module"}\n');
});
afterEach(() => rmSync(dirname(dist), { recursive: true }));

function run(script: string, ...args: readonly string[]): { readonly status: number | null; readonly stdout: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(dist, script), ...args], {
    encoding: "utf8",
    env: testEnvironment({}),
  });
  expect(stderr).toBe("");
  return { status, stdout };
}
const version = (): string => run("theta.js", "--version").stdout;

test("no module of Node is loaded for what theta does not do", () => {
  const hook = join(dirname(dist), "hook.cjs");
  writeFileSync(hook, 'process.on("exit", () => console.log(process.moduleLoadList.join("\\n")));\n');
  const { stdout } = spawnSync(process.execPath, ["--require", hook, join(dist, "theta.js"), "--version"], {
    encoding: "utf8",
    env: testEnvironment({}),
  });
  expect(stdout).toContain("\nNativeModule crypto\n");
  expect(stdout).not.toContain("NativeModule child_process");
});

const contents = (): readonly string[] =>
  readdirSync(dist).map((name) => {
    const { mtimeMs, size } = statSync(join(dist, name));
    return `${name} ${size} ${mtimeMs}`;
  });

/** Whether V8 takes the code that is kept for the program beside it. */
function isTaken(): boolean {
  const filename = join(dist, "theta-program.js");
  const cachedData = readFileSync(join(dist, CODE)).subarray(32);
  return new Script(readFileSync(filename, "latin1"), { filename, cachedData }).cachedDataRejected === false;
}

test("the bundle has code that this Node takes, and starting writes nothing", () => {
  expect(isTaken()).toBe(true);
  const before = contents();
  expect(version()).toMatch(/^\d+\.\d+\.\d+\n$/);
  expect(contents()).toEqual(before);
});

describe("code that is", () => {
  const path = (): string => join(dist, CODE);
  const flipped = (at: (bytes: Buffer) => number) => (): void => {
    const bytes = readFileSync(path());
    bytes[at(bytes)]! ^= 0xff;
    writeFileSync(path(), bytes);
  };
  /** Rightly signed, and not what V8 wrote. */
  const otherwise = (): void => {
    const [text, code] = [readFileSync(join(dist, "theta-program.js")), Buffer.from("not of this V8")];
    writeFileSync(path(), Buffer.concat([createHash("sha256").update(text).update(code).digest(), code]));
  };
  test.each([
    ["missing", () => rmSync(path())],
    ["empty", () => writeFileSync(path(), "")],
    ["cut off", () => writeFileSync(path(), readFileSync(path()).subarray(0, 50_000))],
    ["a directory", () => (rmSync(path()), mkdirSync(path()))],
    ["flipped at its beginning", flipped(() => 0)],
    ["flipped in the middle, where V8 does not look", flipped(({ length }) => length >> 1)],
    ["of another V8", otherwise],
  ])("%s is not used", (_, damage) => {
    const before = version();
    damage();
    expect(version()).toBe(before);
  });

  test("of another text of the same length is not used", () => {
    const program = join(dist, "theta-program.js");
    const text = readFileSync(program, "utf8");
    const [number] = version().trimEnd().split("\n");
    const other = number!.replace(/\d/g, "8");
    expect(other).not.toBe(number);
    writeFileSync(program, text.replaceAll(JSON.stringify(number), JSON.stringify(other)));
    expect(version()).toBe(`${other}\n`);
  });
});

describe("theta-compile.js", () => {
  test("makes the code anew", () => {
    rmSync(join(dist, CODE));
    expect(run("theta-compile.js")).toEqual({ status: 0, stdout: "" });
    expect(isTaken()).toBe(true);
    expect(readdirSync(dist).sort()).toEqual(readdirSync(DIST).sort());
  });

  test("is no failure where nothing can be written", () => {
    rmSync(join(dist, CODE));
    mkdirSync(join(dist, CODE));
    const { status, stdout } = run("theta-compile.js");
    expect(status).toBe(0);
    expect(stdout).toContain("will start more slowly");
    expect(version()).toMatch(/^\d/);
  });
});
