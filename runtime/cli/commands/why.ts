// `theta why`: what the last build did to an output, and why. Reads the recipe for its names, and records for the rest.

import { parseGlob, type Glob } from "../../../compiler/glob.ts";
import { nearestGlob } from "../../../compiler/header-checks/near-glob.ts";
import { diagnosticToJson } from "../../../dsl/render-diagnostic.ts";
import { shortened } from "../../../dsl/shortened.ts";
import { EXIT, Failure } from "../../failure.ts";
import { choose, History, type Why } from "../../history/why.ts";
import { resolveLinks } from "../../output/real-place.ts";
import { storeFailure } from "../../store/store-failure.ts";
import { existingStore, storePaths } from "../../store/store-paths.ts";
import type { Flags } from "../invocation.ts";
import { findRecipe } from "../find-recipe.ts";
import { chooseOutputs, exitCodeOf, loadGraph } from "../load-recipe.ts";
import { whyJson } from "../report/why-json.ts";
import { whyText } from "../report/why-text.ts";
import { createDiagnosticPrinter } from "../report-diagnostics.ts";
import { loadSettings } from "../settings.ts";
import { useColor, writeJson, writeOutput } from "../terminal.ts";
import { findWhyTarget, type WhyTarget } from "../why-target.ts";

export interface OutputAnswer {
  /** As the recipe spells it. */
  readonly display: string;
  readonly why: Why;
}

export async function why(name: string, path: string | undefined, flags: Flags): Promise<number> {
  const file = findRecipe(path, process.cwd());
  const settings = await loadSettings(flags, file.directory);
  const { diagnostics, graph } = loadGraph(file, flags);
  const errors = diagnostics.filter(({ severity }) => severity === "error");
  errors.forEach(createDiagnosticPrinter(useColor(settings.color), flags.quiet ?? false));
  if (graph === undefined) {
    if (flags.json) writeJson({ schema: "theta.why/1", ok: false, diagnostics: errors.map(diagnosticToJson) });
    return exitCodeOf(diagnostics);
  }
  const target = findWhyTarget(name, graph, chooseOutputs(graph, flags.only));
  const glob = globOf(target);
  const { all, damaged } = ask(settings.store, target);
  const answers = all.map(({ display, why: told }) => ({ display, why: narrowed(told, glob, target.role) }));
  refuseUnknownTensor(target, glob, all, answers);
  if (flags.json) writeJson(whyJson(target, answers));
  else if (!flags.quiet) writeOutput(whyText(target, answers, damaged, flags.verbose ?? false));
  return EXIT.done;
}

function ask(
  store: string,
  { outputs }: WhyTarget,
): { readonly all: readonly OutputAnswer[]; readonly damaged: History["damaged"] } {
  try {
    const history = new History(existingStore(store) ?? storePaths(store));
    const all = outputs.map(({ display, path }) => ({ display, why: history.why(resolveLinks(path)) }));
    return { all, damaged: history.damaged };
  } catch (error) {
    throw storeFailure(error, store, "read");
  }
}

function narrowed(told: Why, glob: Glob | undefined, role: string | undefined): Why {
  if (told.state !== "told") return told;
  return { ...told, tensors: choose(told.output, told.tensors, glob, role) };
}

function globOf({ tensor }: WhyTarget): Glob | undefined {
  if (tensor === undefined) return undefined;
  const glob = parseGlob(tensor);
  if (!("problem" in glob)) return glob;
  const message = `${JSON.stringify(shortened(tensor))} is no glob: ${glob.problem}`;
  throw new Failure(EXIT.usage, message, { code: "bad-glob" });
}

/** Only where a record knows the tensors: of an output that was never built nothing is wrong with the question. */
function refuseUnknownTensor(
  { name, tensor = "" }: WhyTarget,
  glob: Glob | undefined,
  all: readonly OutputAnswer[],
  answers: readonly OutputAnswer[],
): void {
  const tensorsOf = (list: readonly OutputAnswer[]): readonly string[] =>
    list.flatMap(({ why: told }) => (told.state === "told" ? told.tensors.map((each) => each.tensor.name) : []));
  const known = tensorsOf(all);
  if (glob === undefined || known.length === 0 || tensorsOf(answers).length > 0) return;
  const near = glob.alternatives.length === 1 ? nearestGlob(glob.alternatives[0]!, known) : undefined;
  throw new Failure(EXIT.usage, `${JSON.stringify(shortened(tensor))} is no tensor of ${name}`, {
    code: "no-such-tensor",
    help:
      near === undefined
        ? `a glob is matched with whole names, such as ${JSON.stringify(known[0])}`
        : `did you mean ${JSON.stringify(near.glob)}? it matches ${near.name}`,
  });
}
