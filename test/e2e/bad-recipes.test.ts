// Every recipe that parser or analysis must refuse, through the command line: exit code 65, its diagnostic's code on both
// streams, nothing written. The wording is held by the snapshots of test/dsl and test/compiler/front.

import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { PRELUDE, type RefusedCase } from "../compiler/front/refused/case.ts";
import { MERGES } from "../compiler/front/refused/merges.ts";
import { NAMES } from "../compiler/front/refused/names.ts";
import { OPERATORS } from "../compiler/front/refused/operators.ts";
import { OUTPUTS } from "../compiler/front/refused/outputs.ts";
import { PARAMETERS } from "../compiler/front/refused/parameters.ts";
import { VALUES } from "../compiler/front/refused/values.ts";
import { jsonRefusal, refusal } from "./refusal.ts";
import { useSession } from "./theta-session.ts";

/** 66 where an import is missing: the recipe may be right. */
const exitCodeOf = (code: string): number => (code === "source-missing" ? 66 : 65);

const session = useSession();
let space: string;
beforeAll(() => void (space = mkdtempSync(join(tmpdir(), "theta-bad-recipes-"))));
afterAll(() => rmSync(space, { recursive: true, force: true }));

function projectOf(recipe: string, files: Readonly<Record<string, string>> = {}): string {
  const project = mkdtempSync(join(space, "project-"));
  writeFileSync(join(project, "merge.theta"), recipe);
  for (const [path, text] of Object.entries(files)) {
    const place = join(project, path.replace(/^\/project\//, ""));
    mkdirSync(dirname(place), { recursive: true });
    writeFileSync(place, text);
  }
  return project;
}

/** The parameters as the command line takes them; a parameter file is written. */
function argumentsOf({ parameters = {}, allowOutside = false }: RefusedCase, project: string): string[] {
  const args = allowOutside ? ["--allow-outside"] : [];
  for (const { from, name } of Object.values(parameters)) {
    if (from === "flag") {
      args.push("-p", name.source.text);
    } else if (!args.includes("--params")) {
      writeFileSync(join(project, "params.json"), name.source.text);
      args.push("--params", "params.json");
    }
  }
  return args;
}

async function expectRefused(project: string, args: readonly string[], code: string): Promise<void> {
  const before = readdirSync(project);
  expect(refusal(await session(project, ["check", ...args]), exitCodeOf(code))).toBe(code);
  const { codes } = jsonRefusal(await session(project, ["build", "--json", ...args]), exitCodeOf(code));
  expect(codes).toContain(code);
  expect(readdirSync(project)).toEqual(before);
}

const ANALYSED = Object.entries({ ...NAMES, ...OPERATORS, ...PARAMETERS, ...VALUES, ...MERGES, ...OUTPUTS });

test.for(ANALYSED)("%s", async ([, refused]) => {
  const project = projectOf(`${PRELUDE}\n${refused.body}\n`, refused.files);
  await expectRefused(project, argumentsOf(refused, project), refused.code);
});

const PARSED = join(import.meta.dirname, "../dsl/refused");

test.for(readdirSync(PARSED).filter((name) => name.endsWith(".theta")))("%s", async (name) => {
  const diagnostics = readFileSync(join(PARSED, name.replace(".theta", ".diagnostics.txt")), "utf8");
  const code = /error\[([a-z0-9-]+)\]/.exec(diagnostics)![1]!;
  await expectRefused(projectOf(readFileSync(join(PARSED, name), "utf8")), [], code);
});

test("there are at least ninety of them", () => {
  expect(ANALYSED.length).toBeGreaterThan(90);
});
