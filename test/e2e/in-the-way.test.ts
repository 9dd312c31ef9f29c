// Something of another kind lies where the store or an output has a file or a folder: every command says so, none calls it
// a mistake of theta's, and once it is gone the next build is right.

import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { digests } from "./read-output.ts";
import { refusal } from "./refusal.ts";
import { theta } from "./theta-process.ts";
import { useSession } from "./theta-session.ts";

const session = useSession();
let project: string;
let clean: unknown;

beforeAll(() => {
  project = realpathSync(mkdtempSync(join(tmpdir(), "theta-in-the-way-")));
  theta(project, ["init"]);
  expect(theta(project, ["build"]).code).toBe(0);
  clean = digests(join(project, "dist/mixed"));
});
afterAll(() => rmSync(project, { recursive: true }));

const COMMANDS = [
  "plan",
  "build",
  "cache status",
  "cache verify",
  "cache verify --repair",
  "cache gc",
  "why dist/mixed",
];
const PLACES = ["locks", "shards", "outputs", "builds", "partial", "trash", "statistics", "version", "index.sqlite"];

test.each(PLACES)("%s in the store", async (name) => {
  const place = join(project, ".theta", name);
  renameSync(place, join(project, "aside"));
  for (const command of COMMANDS) {
    rmSync(place, { recursive: true, force: true });
    if (statSync(join(project, "aside")).isDirectory()) writeFileSync(place, "in the way");
    else mkdirSync(join(place, "in the way"), { recursive: true });
    const run = await session(project, command.split(" "));
    if (run.code !== 0 && run.code !== 3) expect(refusal(run, 73)).toMatch(/^store-not-(readable|writable)$/);
  }
  rmSync(place, { recursive: true, force: true });
  renameSync(join(project, "aside"), place);
  expect((await session(project, ["build"])).code).toBe(0);
  expect(digests(join(project, "dist/mixed"))).toEqual(clean);
});

test("a file in place of the output", async () => {
  rmSync(join(project, "dist/mixed"), { recursive: true });
  writeFileSync(join(project, "dist/mixed"), "in the way");
  const plan = await session(project, ["plan", "--quiet"]);
  expect(plan).toMatchObject({ code: 0, stdout: "" });
  expect(plan.stderr).toContain("error[output-not-ours]");
  for (const adopt of [[], ["--adopt"]]) {
    const run = await session(project, ["build", ...adopt]);
    expect(refusal(run, 73)).toBe("output-not-ours");
    expect(run.stderr).toContain('the output "dist/mixed" exists and is not a directory');
  }
  rmSync(join(project, "dist/mixed"));
  expect((await session(project, ["build"])).code).toBe(0);
  expect(digests(join(project, "dist/mixed"))).toEqual(clean);
});

test("a directory of somebody's in place of the output: a plan says so, and what a build that adopts it would do", async () => {
  const place = join(project, "dist/mixed");
  const store = ["--store", join(project, "another")];
  rmSync(place, { recursive: true });
  mkdirSync(place);
  writeFileSync(join(place, "notes.txt"), "mine");
  const plan = await session(project, ["plan", ...store]);
  expect(plan).toMatchObject({ code: 0 });
  expect(plan.stderr).toContain("error[output-not-ours]");
  expect(plan.stdout).toContain('dist/mixed: not built (the directory "dist/mixed" exists and theta did not write it)');
  const json = await session(project, ["plan", "--json", "--detailed-exitcode", ...store]);
  expect(json.code).toBe(2);
  const { outputs } = JSON.parse(json.stdout) as { outputs: readonly object[] };
  expect(outputs).toMatchObject([{ state: "refused", refusal: { code: "output-not-ours", exit_code: 73 }, nodes: [] }]);
  expect((await session(project, ["plan", "--adopt", ...store])).stdout).toContain("dist/mixed: built");
});

test("a file of somebody's in an output, where the next build would put one of its own: told before the work", async () => {
  const place = join(project, "dist/mixed");
  rmSync(place, { recursive: true });
  expect((await session(project, ["build"])).code).toBe(0);
  const [donated, mine] = [join(project, "models/base/generation_config.json"), join(place, "generation_config.json")];
  writeFileSync(donated, "{}");
  writeFileSync(mine, "mine");
  const plan = await session(project, ["plan"]);
  expect(plan.code).toBe(0);
  expect(plan.stderr).toContain("error[foreign-file]");
  expect(plan.stderr).toContain(
    '"dist/mixed" holds generation_config.json, which theta did not write and would replace',
  );
  const shards = join(project, "another", "shards");
  const refused = await session(project, ["build", "--store", join(project, "another")]);
  expect(refusal(refused, 73)).toBe("foreign-file");
  expect(readdirSync(shards)).toEqual([]);
  expect(readFileSync(mine, "utf8")).toBe("mine");
  expect((await session(project, ["build", "--adopt"])).code).toBe(0);
  expect(readFileSync(mine, "utf8")).toBe("{}");
  expect(digests(place)).toEqual(clean);
});

test("a directory of somebody's where theta had a file: told before the work", async () => {
  const card = join(project, "dist/mixed", "README.md");
  rmSync(card);
  mkdirSync(card);
  writeFileSync(join(card, "mine"), "mine");
  const plan = await session(project, ["plan", "-p", "strength=0.5"]);
  expect(plan.stdout).toContain(
    'dist/mixed: not built ("dist/mixed" holds README.md/mine, which theta did not write and would replace)',
  );
  rmSync(card, { recursive: true });
  expect((await session(project, ["build"])).code).toBe(0);
});
