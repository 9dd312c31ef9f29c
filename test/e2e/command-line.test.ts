// What the command line refuses besides recipes and checkpoints: arguments, missing recipes, outputs and stores that
// cannot be written, locks; each with its documented exit code and a sentence.

import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { spawnSync } from "node:child_process";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { f32, makeModelDirectory } from "../support/tensors.ts";
import { jsonRefusal, refusal } from "./refusal.ts";
import { theta } from "./theta-process.ts";
import { useSession } from "./theta-session.ts";

const RECIPE = `theta 1
param weight: number(min: 0, max: 2) = 1
base  start = "base"
model tuned = "tuned"
merge it onto start using sum { tuned weight weight }
output "out" = it
`;

const session = useSession();
let space: string;
beforeAll(() => void (space = mkdtempSync(join(tmpdir(), "theta-command-line-"))));
afterAll(() => rmSync(space, { recursive: true, force: true }));

function project(recipe: string | Uint8Array = RECIPE): string {
  const directory = mkdtempSync(join(space, "project-"));
  for (const [at, name] of ["base", "tuned"].entries()) {
    makeModelDirectory(join(directory, name), { "a.weight": f32([2], [at, 1]), "b.weight": f32([2], [1, at]) });
  }
  writeFileSync(join(directory, "merge.theta"), recipe);
  return directory;
}

describe("usage is 64", () => {
  test.each<readonly [args: readonly string[], sentence: string, help: string]>([
    [["bild"], "there is no verb bild", "did you mean build?"],
    [["chekc", "merge.theta"], "there is no verb chekc", "did you mean check?"],
    [["help", "explian"], "there is no verb explian", "did you mean explain?"],
    [["merge"], "there is no verb merge", "a recipe in this directory is written ./merge"],
    [["help", "breadcrumbs"], "there is no verb breadcrumbs", "METHODS.md has the methods"],
    [["build", "--dry-run"], "theta build has no flag --dry-run", "theta plan says what a build would do"],
    [["--thread", "2"], "theta build has no flag --thread", "did you mean --threads?"],
    [["plan", "--hsah"], "theta plan has no flag --hsah", "did you mean --hash?"],
    [["check", "--format", "dot"], "theta check has no flag --format", "theta help check lists the flags"],
    [["-x"], "theta build has no flag -x", "theta --help lists the flags"],
    [["build", "a.theta", "b.theta"], "theta build takes one path", "theta help build"],
    [["build", "--threads"], "--threads needs a value", "write --threads <n>"],
    [["plan", ""], "what stands behind plan is empty", "leave it out"],
    [["plan", "--store", ""], "what stands behind --store is empty", "leave it out"],
    [["plan", "--store="], "what stands behind --store= is empty", "leave it out"],
    [["build", "--threads", "0"], '--threads must be a whole number from 1 to 1024, not "0"', ""],
    [["build", "--memory", "1MiB"], "--memory must be at least 64MiB, not 1MiB", ""],
    [["build", "--memory", "lots"], "--memory must be a number and a unit", ""],
    [["build", "--device", "cuda:0"], "this version of theta runs on the CPU only", "leave it out"],
    [["check", "--color", "blue"], '--color must be auto, always or never, not "blue"', ""],
    [["explain", "--format", "dott"], "--format must be one of text, dot, mermaid, json", "did you mean dot?"],
    [["explain", "--level", "x"], '--level must be one of recipe, tensor, not "x"', ""],
    [["explain", "--level", "recipe", "--tensor", "*"], "--tensor goes with --level tensor", "leave --level out"],
    [["explain", "--tensor", "*weigt"], "matches no tensor of an output", 'did you mean "*weight"?'],
    [["explain", "--tensor", "zzz"], "matches no tensor of an output", "a glob is matched with whole names"],
    [["explain", "--tensor", "["], "is no glob: a [ is not closed", ""],
    [["check", "-p", "weight"], '-p "weight" is not NAME=VALUE', "-p maths_weight=0.4"],
    [["build", "--only", "outt"], '--only "outt" is no output of the recipe', 'it has "out"'],
    [["-C", "nowhere"], "-C nowhere: there is no such directory", ""],
    [["-C", "merge.theta"], "-C merge.theta: it cannot be entered", ""],
  ])("%j", async (args, sentence, help) => {
    const directory = project();
    const run = await session(directory, args);
    refusal(run, 64);
    expect(run.stderr).toContain(sentence);
    expect(run.stderr).toContain(help);
    expect(run.stdout).toBe("");
    jsonRefusal(await session(directory, [...args, "--json"]), 64);
  });

  test("in the environment, too", () => {
    const directory = project();
    for (const [name, value] of [
      ["THETA_CHUNK", "9"],
      ["THETA_ISA", "mmx"],
      ["THETA_THREADS", "-1"],
    ] as const) {
      const run = theta(directory, ["build"], { [name]: value });
      refusal(run, 64);
      expect(run.stderr).toContain(name);
    }
  });
});

test("help lists each verb before the flags, and each verb's help its own flags", async () => {
  const { stdout, code } = await session(space, ["--help"]);
  expect(code).toBe(0);
  expect(stdout.indexOf("Verbs:")).toBeLessThan(stdout.indexOf("Flags of every recipe:"));
  expect(stdout).toMatch(/\n\nWithout a verb, theta builds\.[^]*\n$/);
  const verbs = [...stdout.matchAll(/^ {2}([a-z]+) /gm)].map(([, verb]) => verb!).filter((verb) => verb !== "help");
  expect(verbs).toHaveLength(10);
  for (const verb of verbs) {
    const run = await session(space, ["help", verb]);
    expect(run.stdout, verb).toMatch(new RegExp(`^Usage: theta ${verb}[^]*--json`));
    expect((await session(space, [verb, "--help"])).stdout).toBe(run.stdout);
  }
});

describe("a recipe that is not there or no text", () => {
  test("where a parameter without -p stands for it", async () => {
    const { code, stderr } = await session(project(), ["build", "maths_weight=0.4"]);
    expect(code).toBe(66);
    expect(stderr).toContain("help: a parameter is given with -p: -p maths_weight=0.4\n");
  });

  test.each<readonly [what: string, make: (directory: string) => string, exitCode: number, code: string]>([
    ["nothing", () => "nothing.theta", 66, "recipe-missing"],
    ["below a file", () => "merge.theta/x", 66, "recipe-missing"],
    ["a directory without one", () => "base", 64, "usage"],
    ["a directory without one, as a path", () => "./base", 66, "recipe-missing"],
    [
      "a directory named like one",
      (directory) => (mkdirSync(join(directory, "d.theta")), "d.theta"),
      66,
      "recipe-missing",
    ],
    [
      "a link that leads nowhere",
      (directory) => (symlinkSync("x", join(directory, "l.theta")), "l.theta"),
      66,
      "source-missing",
    ],
    [
      "a link to itself",
      (directory) => (symlinkSync("l.theta", join(directory, "l.theta")), "l.theta"),
      66,
      "source-unreadable",
    ],
    ["a device", () => "/dev/zero", 66, "source-not-a-file"],
    [
      "a named pipe",
      (directory) => (spawnSync("mkfifo", [join(directory, "p.theta")]), "./p.theta"),
      66,
      "source-not-a-file",
    ],
    ["a checkpoint", () => "base/model.safetensors", 65, "not-utf8"],
    ["a program", () => process.execPath, 66, "source-too-large"],
    [
      "UTF-16",
      (directory) => (writeFileSync(join(directory, "u.theta"), "\ufefftheta 1\n", "utf16le"), "u.theta"),
      65,
      "not-utf8",
    ],
    [
      "Latin-1",
      (directory) => (writeFileSync(join(directory, "u.theta"), "theta 1\n# é\n", "latin1"), "u.theta"),
      65,
      "not-utf8",
    ],
    ["empty", (directory) => (writeFileSync(join(directory, "e.theta"), ""), "e.theta"), 65, "version-missing"],
  ])("%s", async (_, make, exitCode, code) => {
    const directory = project();
    const path = make(directory);
    for (const verb of ["check", "plan", "explain", "build"]) {
      // A bare word behind a verb is a path; only without a verb it is taken for one.
      const args = code === "usage" ? [path] : [verb, path];
      expect(refusal(await session(directory, args), exitCode)).toBe(code);
    }
  });

  test("no recipe here or above", () => {
    const directory = mkdtempSync(join(space, "empty-"));
    const run = theta(directory, []);
    expect(refusal(run, 66)).toBe("recipe-missing");
    expect(run.stderr).toContain("theta init");
  });

  test("the nearest directory above that has one", async () => {
    const directory = project();
    mkdirSync(join(directory, "deep/er"), { recursive: true });
    const run = await session(join(directory, "deep/er"), ["check"]);
    expect(run).toMatchObject({ code: 0, stderr: "../../merge.theta is right: out (2 tensors)\n" });
  });
});

test("of many outputs a check names the first", async () => {
  const outputs = Array.from({ length: 300 }, (_, at) => `output "out/${at}" = tuned\n`);
  const run = await session(project(`theta 1\nmodel tuned = "tuned"\n${outputs.join("")}`), ["check"]);
  const named = [0, 1, 2, 3].map((at) => `out/${at} (2 tensors)`).join(", ");
  expect(run).toMatchObject({ code: 0, stderr: `merge.theta is right: ${named} and 296 more outputs\n` });
});

describe("a parameter file", () => {
  test.each([
    ["missing", undefined, 66, "source-missing"],
    ["no JSON", "{weight: 1}", 66, "bad-parameter-file"],
    ["a list", "[1]", 66, "bad-parameter-file"],
    ["two equal keys", '{"weight": 1, "weight": 2}', 66, "bad-parameter-file"],
    ["not UTF-8", Buffer.from([0x7b, 0xff, 0x7d]), 66, "bad-parameter-file"],
    ["a value out of range", '{\n  "weight": 3\n}', 65, "parameter-range"],
    ["a value of the wrong kind", '{"weight": "heavy"}', 65, "wrong-kind"],
    ["an unknown name", '{"wieght": 1}', 65, "unknown-parameter"],
  ])("%s", async (_, text, exitCode, code) => {
    const directory = project();
    if (text !== undefined) writeFileSync(join(directory, "params.json"), text);
    const run = await session(directory, ["check", "--params", "params.json"]);
    expect(refusal(run, exitCode)).toBe(code);
    expect(run.stderr).toContain("params.json");
  });

  test("is shown with its line, an argument as it was typed", async () => {
    const directory = project();
    writeFileSync(join(directory, "params.json"), '{\n  "weight": 3\n}');
    const file = await session(directory, ["check", "--params", "params.json"]);
    expect(file.stderr).toContain(
      'params.json:2:13: error[parameter-range]: weight must be at least 0 and at most 2, not 3\n    2 |   "weight": 3\n',
    );
    const flag = await session(directory, ["check", "-p", "weight=1 +  2"]);
    expect(flag.stderr).toContain(
      "-p: error[parameter-range]: weight must be at least 0 and at most 2, not 3\n   -p | weight=1 +  2\n      |        ^^^^^^\n",
    );
  });
});

describe("an output that cannot be written is 73", () => {
  const recipe = (path: string): string => RECIPE.replace('"out"', JSON.stringify(path));

  test.each<readonly [what: string, path: string, make: (directory: string) => void, code: RegExp]>([
    ["a file", "out", (directory) => writeFileSync(join(directory, "out"), ""), /^output-not-/],
    ["below a file", "file/out", (directory) => writeFileSync(join(directory, "file"), ""), /^output-not-writable$/],
    ["a link to itself", "out", (directory) => symlinkSync("out", join(directory, "out")), /^output-not-writable$/],
    ["where nothing can be made", "/proc/deep/out", () => undefined, /^output-not-writable$/],
    ["a name that is too long", "x".repeat(300), () => undefined, /^output-not-writable$/],
    [
      "somebody's directory",
      "out",
      (directory) => (mkdirSync(join(directory, "out")), writeFileSync(join(directory, "out/thesis.tex"), "")),
      /^output-not-ours$/,
    ],
  ])("%s", async (_, path, make, code) => {
    const directory = project(recipe(path));
    make(directory);
    const before = readdirSync(directory).filter((name) => name !== ".theta");
    expect(refusal(await session(directory, ["build", "--allow-outside"]), 73)).toMatch(code);
    jsonRefusal(await session(directory, ["build", "--allow-outside", "--json"]), 73);
    expect(readdirSync(directory).filter((name) => name !== ".theta")).toEqual(before);
  });

  test.each(["file", "file/store", "/proc/store", "/dev/null"])("a store at %s", async (store) => {
    const directory = project();
    writeFileSync(join(directory, "file"), "");
    expect(refusal(await session(directory, ["build", "--store", store]), 73)).toBe("store-not-writable");
  });

  test("init writes over nothing", async () => {
    const directory = project();
    const run = await session(directory, ["init"]);
    expect(refusal(run, 73)).toBe("exists");
    expect(readFileSync(join(directory, "merge.theta"), "utf8")).toBe(RECIPE);
    expect(existsSync(join(directory, "models"))).toBe(false);
  });
});

test("as many merges on each other as are allowed fit the stack of a process", () => {
  const deep = Array.from({ length: 990 }, (_, at) => `merge m${at + 1} = linear(m${at}, tuned)`);
  const head = 'theta 1\nbase start = "base"\nmodel tuned = "tuned"\nmerge m0 = linear(start, tuned)\n';
  const directory = project(`${head}${deep.join("\n")}\noutput "out" = m990\n`);
  for (const verb of ["check", "plan"]) {
    const { code, stderr } = theta(directory, [verb]);
    expect(code, stderr).toBe(0);
  }
});
