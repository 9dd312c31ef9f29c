// `theta check`: all that can be said without reading a payload.

import { diagnosticToJson } from "../../../dsl/render-diagnostic.ts";
import { EXIT } from "../../failure.ts";
import type { Flags } from "../command-line.ts";
import { findRecipe } from "../find-recipe.ts";
import { exitCodeOf, loadRecipe } from "../load-recipe.ts";
import { countDiagnostics, createDiagnosticPrinter } from "../report-diagnostics.ts";
import { loadSettings } from "../settings.ts";
import { useColor, writeJson, writeMessage } from "../terminal.ts";

export async function check(path: string | undefined, flags: Flags): Promise<number> {
  const place = findRecipe(path, process.cwd());
  const settings = await loadSettings(flags, place.directory);
  const { diagnostics, tensors } = loadRecipe(place, flags, settings.store);
  const code = exitCodeOf(diagnostics);
  if (flags.json) {
    writeJson({ schema: "theta.check/1", ok: code === EXIT.done, diagnostics: diagnostics.map(diagnosticToJson) });
  }
  diagnostics.forEach(createDiagnosticPrinter(useColor(settings.color), flags.quiet ?? false));
  if (!flags.quiet) {
    const counted = countDiagnostics(diagnostics);
    const outputs =
      tensors?.outputs.map(({ output, actions }) => `${output.display} (${actions.length} tensors)`) ?? [];
    const good = `${place.display} is right: ${outputs.length > 0 ? outputs.join(", ") : "no outputs"}`;
    writeMessage(code === EXIT.done ? `${good}${counted && `; ${counted}`}\n` : `${place.display}: ${counted}\n`);
  }
  return code;
}
