// What `npm pack` ships, and what an installation says on a machine that lacks something. test/e2e/install-package.mjs
// installs the package for real.

import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { builtinModules } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, test } from "vitest";
import { tooOldNode } from "../../runtime/cli/node-version.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const readJson = (path: string): unknown => JSON.parse(readFileSync(join(ROOT, path), "utf8"));
const MANIFEST = readJson("package.json") as {
  readonly engines: { readonly node: string };
  readonly dependencies: Readonly<Record<string, string>>;
};

describe("the package", () => {
  let files: readonly string[];
  beforeAll(() => {
    const run = spawnSync("npm", ["pack", "--dry-run", "--json", "--ignore-scripts"], { cwd: ROOT, encoding: "utf8" });
    const packed = JSON.parse(run.stdout) as readonly { readonly files: readonly { readonly path: string }[] }[];
    files = packed[0]!.files.map(({ path }) => path);
  });

  test("holds what compiles the addon", () => {
    const sources = readdirSync(join(ROOT, "native"), { recursive: true, encoding: "utf8" })
      .filter((path) => /\.(?:h|cpp)$/.test(path))
      .map((path) => `native/${path}`);
    expect(files).toEqual(expect.arrayContaining(sources));
    expect(files).toEqual(
      expect.arrayContaining([
        "binding.gyp",
        "native/CMakeLists.txt",
        "native/build.mjs",
        "native/package.json",
        "native/sources.json",
      ]),
    );
  });

  test("holds the bundle and the documents that README.md leads to", () => {
    expect(files).toEqual(
      expect.arrayContaining([
        "dist/theta.js",
        "dist/theta-program.js",
        "dist/theta-compile.js",
        "dist/package.json",
        "dist/LICENSES.txt",
        "LICENSE",
        "README.md",
      ]),
    );
    const linked = [...readFileSync(join(ROOT, "README.md"), "utf8").matchAll(/\]\(([A-Z]+\.md)\)/g)];
    expect(linked.length).toBeGreaterThan(2);
    for (const [, document] of linked) expect(files).toContain(document);
  });

  test("holds nothing else", () => {
    const allowed =
      /^(?:dist\/theta[\w-]*\.js|dist\/package\.json|dist\/LICENSES\.txt|native\/.*|binding\.gyp|package\.json|LICENSE|[A-Z]+\.md)$/;
    expect(files.filter((path) => !allowed.test(path))).toEqual([]);
  });

  test("imports nothing that it does not depend on", () => {
    const known = new Set([...Object.keys(MANIFEST.dependencies), ...builtinModules, "typescript"]);
    const bundle = readdirSync(join(ROOT, "dist")).filter((name) => name.endsWith(".js"));
    // Behind a quote is code that a library would write.
    const names = /(?<!['`])\brequire\d?(?:\.resolve)?\("([^"]+)"\)/g;
    const imported = bundle.flatMap((name) =>
      [...readFileSync(join(ROOT, "dist", name), "utf8").matchAll(names)].map((match) => match[1]!),
    );
    expect(imported).toContain("libsql");
    expect(imported.filter((name) => !/^(?:\.|node:)/.test(name) && !known.has(name))).toEqual([]);
  });
});

describe("a machine that lacks something", () => {
  /** The installation with these programs and no others. */
  function installWith(programs: readonly string[]): { readonly code: number | null; readonly stderr: string } {
    const folder = mkdtempSync(join(tmpdir(), "theta-path-"));
    for (const program of programs) {
      const found = spawnSync("sh", ["-c", `command -v ${program}`], { encoding: "utf8" }).stdout.trim();
      symlinkSync(found, join(folder, program));
    }
    const args = [join(ROOT, "native/build.mjs"), "--out", join(folder, "build")];
    const { status, stderr } = spawnSync(process.execPath, args, { encoding: "utf8", env: { PATH: folder } });
    rmSync(folder, { recursive: true });
    return { code: status, stderr };
  }

  test("CMake, a compiler and make", () => {
    const { code, stderr } = installWith([]);
    expect(code).toBe(1);
    expect(stderr).toMatchInlineSnapshot(`
      "theta compiles its native part when it is installed, and this machine lacks
        - CMake 3.22 or newer (cmake is not on the PATH)
        - a C++20 compiler (none of c++, g++, clang++ can be run)
        - Ninja or make
      Install:
        Debian, Ubuntu   sudo apt-get install g++ cmake ninja-build
        Fedora           sudo dnf install gcc-c++ cmake ninja-build
      "
    `);
  });

  test("a compiler alone", () => {
    const { code, stderr } = installWith(["cmake", "ninja"]);
    expect(code).toBe(1);
    expect(stderr).toContain("a C++20 compiler (none of c++, g++, clang++ can be run)");
    expect(stderr).not.toContain("CMake 3.22");
  });

  test("a Node that is new enough", () => {
    const [least] = /\d+\.\d+/.exec(MANIFEST.engines.node)!;
    for (const version of ["16.20.2", "18.20.8", "20.18.3"]) {
      expect(tooOldNode(version)).toContain(`theta needs Node ${least} or later; this is Node ${version}`);
    }
    for (const version of [`${least}.0`, "20.20.2", "22.11.0", "24.0.0", process.versions.node]) {
      expect(tooOldNode(version)).toBeUndefined();
    }
  });
});
