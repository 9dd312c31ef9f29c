// `theta check`: all that can be said without reading a payload.

import type { OutputGraph } from "../../../compiler/tensor-graph.ts";
import { counted } from "../../../dsl/counted.ts";
import { printable } from "../../../dsl/printable.ts";
import { diagnosticToJson } from "../../../dsl/render-diagnostic.ts";
import { EXIT } from "../../failure.ts";
import type { Flags } from "../invocation.ts";
import { findRecipe } from "../find-recipe.ts";
import { exitCodeOf, loadRecipe } from "../load-recipe.ts";
import { lockedInputs } from "../make-build-context.ts";
import { countDiagnostics, createDiagnosticPrinter } from "../report-diagnostics.ts";
import { loadSettings } from "../settings.ts";
import { useColor, writeJson, writeMessage } from "../terminal.ts";

export async function check(path: string | undefined, flags: Flags): Promise<number> {
  const file = findRecipe(path, process.cwd());
  const settings = await loadSettings(flags, file.directory);
  const loaded = loadRecipe(file, flags, settings.store);
  const { diagnostics, tensors } = loaded;
  const code = exitCodeOf(diagnostics);
  if (flags.locked && code === EXIT.done) lockedInputs(loaded);
  if (flags.json) {
    writeJson({ schema: "theta.check/1", ok: code === EXIT.done, diagnostics: diagnostics.map(diagnosticToJson) });
  }
  diagnostics.forEach(createDiagnosticPrinter(useColor(settings.color), flags.quiet ?? false));
  if (!flags.quiet) {
    const counted = countDiagnostics(diagnostics);
    const good = `${printable(file.display)} is right: ${describeOutputs(tensors?.outputs ?? [])}`;
    writeMessage(
      code === EXIT.done ? `${good}${counted && `; ${counted}`}\n` : `${printable(file.display)}: ${counted}\n`,
    );
  }
  return code;
}

/** So many outputs fit in a line with their names. */
const MOST_NAMED = 4;

function describeOutputs(outputs: readonly OutputGraph[]): string {
  if (outputs.length === 0) return "no outputs";
  const rest = outputs.slice(MOST_NAMED);
  const named = outputs
    .slice(0, MOST_NAMED)
    .map(({ output, actions }) => `${printable(output.display)} (${counted(actions.length, "tensor")})`);
  return named.join(", ") + (rest.length === 0 ? "" : ` and ${counted(rest.length, "more output")}`);
}
