// How the addon is built and found: what is missing is said in words, and both builds are made of the same sources.

import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { expect, test } from "vitest";
import { loadAddon } from "../../../native/index.ts";
import { folder } from "./payload-file.ts";

const native = fileURLToPath(new URL("../../../native/", import.meta.url));

interface Sources {
  readonly binding: readonly string[];
  readonly core: readonly string[];
  readonly variants: Readonly<
    Record<string, readonly { readonly name: string; readonly sources: readonly string[] }[]>
  >;
}
const list = JSON.parse(readFileSync(join(native, "sources.json"), "utf8")) as Sources;

test("without tools the build names the packages to install", () => {
  const nothing = join(folder, "no tools");
  mkdirSync(nothing);
  const { status, stderr } = spawnSync(process.execPath, [join(native, "build.mjs"), "--out", join(folder, "out")], {
    encoding: "utf8",
    env: { PATH: nothing },
  });
  expect(status).toBe(1);
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

test("every C++ file of native/ is in sources.json, once", () => {
  const listed = [
    ...list.binding,
    ...list.core,
    ...Object.values(list.variants).flatMap((all) => all.flatMap((v) => v.sources)),
  ];
  const there = readdirSync(native, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".cpp"));
  expect(listed.sort()).toEqual(there.sort());
});

test("binding.gyp builds every variant", () => {
  const gyp = readFileSync(join(native, "..", "binding.gyp"), "utf8");
  for (const { name } of list.variants["x64"]!) expect(gyp).toContain(`"target_name": "theta_${name}"`);
});

test("an addon that is not there, or not for here, is said to be so", async () => {
  const elsewhere = join(folder, "elsewhere", "native");
  mkdirSync(elsewhere, { recursive: true });
  for (const file of ["index.ts", "addon-types.ts"]) copyFileSync(join(native, file), join(elsewhere, file));
  const { loadAddon: load } = (await import(pathToFileURL(join(elsewhere, "index.ts")).href)) as {
    loadAddon: typeof loadAddon;
  };
  expect(load).toThrow(
    expect.objectContaining({
      code: "addon-missing",
      message: expect.stringContaining("has not been built") as string,
    }),
  );
  writeFileSync(join(elsewhere, "theta.node"), "not a shared library");
  expect(load).toThrow(
    expect.objectContaining({
      code: "addon-missing",
      message: expect.stringContaining("was built for another system") as string,
    }),
  );
});

test("THETA_ISA picks a variant, or is refused", () => {
  const addon = loadAddon();
  const variants = addon.variants;
  const variant = (): string => addon.variant();
  expect(variants.at(-1)).toBe("plain");
  expect(variant()).toBe(variants[0]);
  const before = process.env["THETA_ISA"];
  try {
    for (const name of variants) {
      process.env["THETA_ISA"] = name;
      expect(variant()).toBe(name);
    }
    process.env["THETA_ISA"] = "sse9";
    expect(loadAddon).toThrow(
      expect.objectContaining({
        code: "usage",
        message: `THETA_ISA is sse9, which is no instruction set; available: ${variants.join(", ")}`,
      }),
    );
    process.env["THETA_ISA"] = process.arch === "x64" ? "neon" : "avx2";
    expect(variant).toThrow(/which this CPU or build does not have; available: /);
  } finally {
    if (before === undefined) delete process.env["THETA_ISA"];
    else process.env["THETA_ISA"] = before;
  }
});
