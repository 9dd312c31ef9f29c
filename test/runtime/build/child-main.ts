// See child.ts: prints a line a phase and the summary; a failure's exit code is its own.

import { writeSync } from "node:fs";
import { Failure } from "../../../runtime/failure.ts";
import type { BuildContext } from "../../../runtime/build-context.ts";
import { Workspace, type Recipe } from "./workspace.ts";

const [root, json] = process.argv.slice(2);
const { recipe, options } = JSON.parse(json!) as { readonly recipe: Recipe; readonly options: Partial<BuildContext> };
try {
  const say = (phase: string): void => void writeSync(1, `${phase}\n`);
  const summary = await new Workspace(root).build(recipe, options, undefined, { phase: say });
  writeSync(1, `${JSON.stringify(summary)}\n`);
} catch (error) {
  writeSync(2, `${String(error)}\n`);
  process.exitCode = error instanceof Failure ? error.exitCode : 70;
}
