// Settings files through the command line: the wrong ones are refused by file and key, programs are not run.

import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { jsonRefusal, refusal } from "./refusal.ts";
import { theta } from "./theta-process.ts";
import { useSession } from "./theta-session.ts";

const SETTINGS_ARE_WRONG = 78;
const session = useSession();
let space: string;
beforeAll(() => void (space = mkdtempSync(join(tmpdir(), "theta-settings-"))));
afterAll(() => rmSync(space, { recursive: true, force: true }));

function projectWith(files: Readonly<Record<string, string>>): string {
  const project = mkdtempSync(join(space, "project-"));
  for (const [path, text] of Object.entries({ "merge.theta": "theta 1\n", ...files })) {
    mkdirSync(dirname(join(project, path)), { recursive: true });
    writeFileSync(join(project, path), text);
  }
  return project;
}

test.each([
  [".thetarc", "threds: 3", "threds: no such setting; did you mean threads?"],
  [".thetarc", "- 3", "takes an object, not a list"],
  [".thetarc", "just words", 'takes an object, not "just words"'],
  [".thetarc.json", '{"speed": 3}', "speed: no such setting; settings are store, threads, memory, device, color"],
  [".thetarc.json", '{"threads": "many"}', 'threads: takes a whole number from 1 to 1024, not "many"'],
  [".thetarc.json", '{"threads": 0}', "threads: takes a whole number from 1 to 1024, not 0"],
  [".thetarc.json", '{"threads": 2.5}', "threads: takes a whole number from 1 to 1024, not 2.5"],
  [".thetarc.json", '{"store": ""}', 'store: takes a path, not ""'],
  [".thetarc.json", '{"store": "a\\u0000b"}', 'store: takes a path, not "a\\u0000b"'],
  [".thetarc.json", '{"store": {"path": "x"}}', "store: takes a path, not an object"],
  [".thetarc.json", '{"memory": "1MiB"}', "memory in DIR/.thetarc.json must be at least 64MiB, not 1MiB"],
  [".thetarc.json", '{"threads": 1, "threads": 2}', 'the file has the key "threads" twice, at character 16'],
  [".thetarc.json", '{"threads": 1,}', 'a key must be a string, found "}", at character 15'],
  [".thetarc.json", '{"__proto__": {}}', "__proto__: no such setting"],
  [".thetarc.json", '{"$import": "other.json"}', "$import: no such setting"],
  [".thetarc.json", '{"\\u001b[31m": 1}', "\\x1b[31m: no such setting"],
  [".thetarc.yaml", "memory: 512", 'memory: takes a size, such as "512MiB" or "2GB", not 512'],
  [".thetarc.yaml", "color: red", 'color: takes auto, always or never, not "red"'],
  [".thetarc.yml", "a: [1", "unexpected end of the stream within a flow collection (2:1)"],
  [".thetarc.yml", "threads: 1\nthreads: 2", "duplicated mapping key (2:1)"],
  ["theta.config.json", '{"device": "gpu"}', 'device: takes auto or cpu, not "gpu"'],
  ["package.json", '{"theta": {"devise": "cpu"}}', "devise: no such setting; did you mean device?"],
  ["package.json", '{"theta": ', "expected a value"],
])("%s: %s", async (file, text, wanted) => {
  const project = projectWith({ [file]: text });
  const run = await session(project, ["check"]);
  refusal(run, SETTINGS_ARE_WRONG);
  expect(run.stderr).toContain(join(project, file));
  expect(run.stderr).toContain(wanted.replace("DIR", project));
  jsonRefusal(await session(project, ["build", "--json"]), SETTINGS_ARE_WRONG);
});

test("what has no end is not read", async () => {
  const project = projectWith({});
  const [pipe, device] = [join(project, ".thetarc"), join(project, "device.json")];
  spawnSync("mkfifo", [pipe]);
  symlinkSync("/dev/zero", device);
  const run = await session(project, ["check"]);
  expect(refusal(run, SETTINGS_ARE_WRONG)).toBe("config-unreadable");
  expect(run.stderr).toContain(`${pipe}: this is a named pipe, not a file`);
  const named = await session(project, ["check", "--config", "device.json"]);
  expect(refusal(named, SETTINGS_ARE_WRONG)).toBe("config-unreadable");
  expect(named.stderr).toContain("device.json: this is a device, not a file");
});

test("a directory in place of settings is not passed over, but one above the project is nobody's business", async () => {
  const project = projectWith({ "lib/merge.theta": "theta 1\n", "package.json": "{}" });
  mkdirSync(join(dirname(project), ".thetarc.yaml"), { recursive: true });
  expect(await session(join(project, "lib"), ["check"])).toMatchObject({ code: 0 });
  mkdirSync(join(project, ".thetarc"));
  const run = await session(join(project, "lib"), ["check"]);
  expect(refusal(run, SETTINGS_ARE_WRONG)).toBe("config-unreadable");
  expect(run.stderr).toContain(`${join(project, ".thetarc")}: this is a directory, not a file`);
  rmSync(join(dirname(project), ".thetarc.yaml"), { recursive: true });
});

const PROGRAMS = ["js", "cjs", "mjs", "ts", "cts", "mts"].flatMap((end) => [`.thetarc.${end}`, `theta.config.${end}`]);

test.each(PROGRAMS)("%s is refused, not run", async (file) => {
  const project = projectWith({ [file]: `import("node:fs").then((fs) => fs.writeFileSync("ran", ""));` });
  expect(refusal(await session(project, ["check"]), SETTINGS_ARE_WRONG)).toBe("config-is-a-program");
  expect(refusal(await session(project, ["check", "--config", file]), SETTINGS_ARE_WRONG)).toBe("config-is-a-program");
  expect(existsSync(join(project, "ran"))).toBe(false);
});

test.each([
  [".config/config.js", `import("node:fs").then((fs) => fs.writeFileSync("ran", ""));`],
  [".config/config.json", `{"cosmiconfig": {"searchPlaces": ["other.json"]}}`],
])("what would steer the library that finds settings is left alone: %s", (file, text) => {
  const project = projectWith({ ".thetarc.json": '{"threads": 1}', [file]: text, "other.json": '{"speed": 3}' });
  expect(theta(project, ["build"])).toMatchObject({ code: 0 });
  expect(existsSync(join(project, "ran"))).toBe(false);
});

test("--config names the file", async () => {
  const project = projectWith({ "good.json": '{"threads": 1}', "bad.yaml": "threads: x", "a.toml": "x = 1" });
  expect(await session(project, ["check", "--config", "good.json"])).toMatchObject({ code: 0 });
  for (const file of ["bad.yaml", "a.toml", "missing.json", "."]) {
    const run = await session(project, ["check", "--config", file]);
    refusal(run, SETTINGS_ARE_WRONG);
    expect(run.stderr).toContain(file);
  }
});

test("flag beats environment beats project beats user", () => {
  const project = projectWith({
    ".thetarc.json": '{"store": "project-store", "threads": 2}',
    "user/theta/config.yaml": "store: user-store\nthreads: 9999",
  });
  const wrongUser = theta(project, ["build"], { XDG_CONFIG_HOME: join(project, "user") });
  expect(refusal(wrongUser, SETTINGS_ARE_WRONG)).toBe("config-invalid");
  expect(wrongUser.stderr).toContain(join(project, "user/theta/config.yaml"));

  writeFileSync(join(project, "user/theta/config.yaml"), "store: user-store\n");
  const stores = ["user/theta/user-store", "project-store", "variable-store", "flag-store"].map((path) =>
    join(project, path),
  );
  const environment = { XDG_CONFIG_HOME: join(project, "user") };
  const made = (): boolean[] => stores.map((store) => existsSync(store));
  expect(
    theta(project, ["build", "--store", "flag-store"], { ...environment, THETA_STORE: "variable-store" }).code,
  ).toBe(0);
  expect(made()).toEqual([false, false, false, true]);
  expect(theta(project, ["build"], { ...environment, THETA_STORE: "variable-store" }).code).toBe(0);
  expect(made()).toEqual([false, false, true, true]);
  expect(theta(project, ["build"], environment).code).toBe(0);
  expect(made()).toEqual([false, true, true, true]);
  rmSync(join(project, ".thetarc.json"));
  expect(theta(project, ["build"], environment).code).toBe(0);
  expect(made()).toEqual([true, true, true, true]);
});
