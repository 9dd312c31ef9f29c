// `theta lock`: writes down what the inputs of a recipe are, for `--locked` to hold to.

import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { counted } from "../../../dsl/counted.ts";
import { printable } from "../../../dsl/printable.ts";
import { EXIT, Failure } from "../../failure.ts";
import { type Difference, differences } from "../../lock-file/differences.ts";
import { hashSources } from "../../lock-file/hash-sources.ts";
import { mismatch } from "../../lock-file/hold-to-lock.ts";
import { type LockFile, lockFilePath, lockFileText, readLockFile, sourceDigest } from "../../lock-file/lock-file.ts";
import { recipeInputs } from "../../lock-file/recipe-inputs.ts";
import { replaceFileAndSync } from "../../store/durable.ts";
import { isNoSpace, systemErrorName, systemErrorText } from "../../system-error.ts";
import type { Flags } from "../invocation.ts";
import { findRecipe, type RecipeFile } from "../find-recipe.ts";
import { exitCodeOf, loadRecipe } from "../load-recipe.ts";
import { makeBuildContext } from "../make-build-context.ts";
import { createDiagnosticPrinter } from "../report-diagnostics.ts";
import { loadSettings } from "../settings.ts";
import { formatBytes } from "../../size.ts";
import { useColor, writeJson, writeMessage } from "../terminal.ts";

export async function lock(path: string | undefined, flags: Flags, signal: AbortSignal): Promise<number> {
  if (flags.only.length > 0) {
    const help = "build --locked --only OUTPUT compares what that output reads";
    throw new Failure(EXIT.usage, "theta lock takes the whole recipe, not --only", { code: "usage", help });
  }
  const file = findRecipe(path, process.cwd());
  const settings = await loadSettings(flags, file.directory);
  const loaded = loadRecipe(file, flags, settings.store);
  loaded.diagnostics.forEach(createDiagnosticPrinter(useColor(settings.color), flags.quiet ?? false));
  const code = exitCodeOf(loaded.diagnostics);
  if (code !== EXIT.done || loaded.read === undefined) return code;
  const inputs = recipeInputs(loaded.read);
  const target = lockFilePath(file.path);
  const display = lockFilePath(file.display);
  const before = lockBefore(target, display, flags);
  const onReading = (bytes: number): void => {
    if (!flags.quiet) writeMessage(`Hashing ${formatBytes(bytes)}\n`);
  };
  const now = await hashSources(inputs, makeBuildContext(loaded, settings, flags), onReading, signal);
  const digests = new Map(
    [...inputs.sources].flatMap(([source, { content }]) =>
      [...content!.tensors].map(([name, tensor]) => [tensor, now.sources.get(source)!.tensors.get(name)!.digest]),
    ),
  );
  const changes = before === undefined ? [] : differences(before, inputs, (tensor) => digests.get(tensor));
  if (flags.check && changes.length > 0) throw mismatch(basename(display), changes);
  const text = lockFileText(now);
  const outcome = before === undefined ? "written" : readFileSync(target, "utf8") === text ? "holds" : "rewritten";
  if (outcome !== "holds" && !flags.check) write(target, display, text);
  if (flags.json) writeJson(resultOf(display, now, outcome, changes));
  else if (!flags.quiet) writeMessage(describe(file, display, now, flags.check ? "holds" : outcome, changes));
  return EXIT.done;
}

/** A damaged one is what `--check` finds, and what a new one replaces. */
function lockBefore(target: string, display: string, { check }: Flags): LockFile | undefined {
  let before: LockFile | undefined;
  try {
    before = readLockFile({ path: target, display: printable(display) });
  } catch (error) {
    if (check || !(error instanceof Failure) || error.details.code !== "bad-lock-file") throw error;
  }
  if (before !== undefined || !check) return before;
  const help = "write it with theta lock";
  throw new Failure(EXIT.input, `there is no ${display} to check`, { code: "lock-file-missing", help });
}

function write(target: string, display: string, text: string): void {
  try {
    replaceFileAndSync(target, text);
  } catch (error) {
    const name = systemErrorName(error);
    if (name === undefined) throw error;
    const message = `${display} cannot be written: ${systemErrorText(error)}`;
    if (isNoSpace(name)) throw new Failure(EXIT.resources, message, { code: "disk-full" }, error);
    throw new Failure(EXIT.output, message, { code: "lock-file-not-writable" }, error);
  }
}

/** `rewritten`: as it is now, in the spelling of this version. */
type Outcome = "written" | "rewritten" | "holds";

function resultOf(display: string, now: LockFile, outcome: Outcome, changes: readonly Difference[]): object {
  return {
    schema: "theta.locked/1",
    path: display,
    outcome,
    sources: [...now.sources].map(([path, { kind, tensors }]) => ({
      path,
      kind,
      tensors: tensors.size,
      digest: sourceDigest(tensors),
    })),
    lists: Object.fromEntries(now.lists),
    changes: changes.map(({ message, digests }) => ({ message, ...digests })),
  };
}

/** So many changes are told one by one. */
const MOST_SHOWN = 20;

function describe(
  recipe: RecipeFile,
  display: string,
  { sources }: LockFile,
  outcome: Outcome,
  changes: readonly Difference[],
): string {
  const tensors = [...sources.values()].reduce((sum, source) => sum + source.tensors.size, 0);
  const size = `${counted(sources.size, "source")} of ${printable(recipe.display)}, ${counted(tensors, "tensor")}`;
  const name = printable(display);
  const lines = changes.slice(0, MOST_SHOWN).map(({ message }) => `  ${printable(message)}`);
  if (changes.length > MOST_SHOWN) lines.push(`  and ${changes.length - MOST_SHOWN} more`);
  return `${lines.map((line) => `${line}\n`).join("")}${name} ${outcome}: ${size}\n`;
}
