// Builds and plans a recipe's text in a directory, in this process: the loader, the compiler, the engine and the store
// are the real ones.

import { join } from "node:path";
import type { Diagnostic } from "../../../dsl/diagnostic.ts";
import { build, type BuildSummary } from "../../../runtime/build.ts";
import type { BuildContext } from "../../../runtime/build-context.ts";
import type { LoadedRecipe } from "../../../runtime/cli/load-recipe.ts";
import { planBuild, type Plan } from "../../../runtime/plan.ts";
import { diagnosticText } from "../../support/compile-text.ts";
import { loadText } from "../load-text.ts";

export interface Built extends BuildSummary {
  /** `output:tensor` of each action that ran. */
  readonly ran: readonly string[];
  readonly published: readonly string[];
  readonly diagnostics: readonly Diagnostic[];
}

/** What a test has otherwise than others. */
type Otherwise = Partial<Pick<BuildContext, "engine" | "store" | "force">>;

export async function buildText(directory: string, text: string, otherwise: Otherwise = {}): Promise<Built> {
  const loaded = loadText(directory, text);
  const ran: string[] = [];
  const published: string[] = [];
  const diagnostics: Diagnostic[] = [];
  const observer = {
    phase: () => undefined,
    work: () => undefined,
    bytes: () => undefined,
    actionDone: ({ output, tensor, how }: { readonly output: string; readonly tensor: string; readonly how: string }) =>
      void (how === "run" && ran.push(`${output}:${tensor}`)),
    gateJudged: () => undefined,
    outputPublished: ({ path }: { readonly path: string }) => void published.push(path),
    diagnostic: (diagnostic: Diagnostic) => void diagnostics.push(diagnostic),
  };
  const given = { ...context(directory, loaded), ...otherwise };
  const summary = await build(tensorsOf(loaded), given, observer, new AbortController().signal);
  return { ...summary, ran, published, diagnostics };
}

export async function planText(
  directory: string,
  text: string,
  options = { hash: false },
  otherwise: Otherwise = {},
): Promise<Plan> {
  const loaded = loadText(directory, text);
  const given = { ...context(directory, loaded), ...otherwise };
  return planBuild(tensorsOf(loaded), given, options, new AbortController().signal);
}

function tensorsOf({ tensors, diagnostics }: LoadedRecipe): NonNullable<LoadedRecipe["tensors"]> {
  if (tensors === undefined) throw new Error(diagnosticText(diagnostics));
  return tensors;
}

function context(directory: string, { opened, graph }: LoadedRecipe): BuildContext {
  return {
    opened,
    store: join(directory, ".theta"),
    engine: { threads: 2, memory: 64 * 2 ** 20, chunk: 2 ** 16 },
    recipe: "merge.theta",
    recipeDigest: `sha256:${"0".repeat(64)}`,
    parameters: graph!.parameters,
    version: "0.0.0-test",
    noWait: false,
    force: false,
    keepGoing: false,
    adopt: false,
    trustRemoteStat: false,
  };
}
