// A recipe's path → graphs and diagnostics: what every command does first.

import { analyse } from "../../compiler/analyse.ts";
import { lower } from "../../compiler/lower.ts";
import type { OutputNode, RecipeGraph } from "../../compiler/recipe-graph.ts";
import type { TensorGraph } from "../../compiler/tensor-graph.ts";
import { decodeSource } from "../../dsl/decode.ts";
import type { Diagnostic } from "../../dsl/diagnostic.ts";
import { printable } from "../../dsl/printable.ts";
import { parse } from "../../dsl/parse.ts";
import type { OpenedFiles } from "../checkpoint/source-file.ts";
import { createCompilerHost } from "../compiler-host.ts";
import { EXIT, Failure } from "../failure.ts";
import type { ReadRecipe } from "../lock-file/recipe-inputs.ts";
import { checkOutputPlaces } from "../output/output-places.ts";
import { sha256 } from "../store/sha256.ts";
import type { Flags } from "./invocation.ts";
import type { RecipeFile } from "./find-recipe.ts";
import { readParameterInputs } from "./parameter-inputs.ts";
import { readNamedFile } from "./read-file.ts";

export interface LoadedRecipe {
  readonly file: RecipeFile;
  /** SHA-256 of the root recipe's bytes, `sha256:<hex>`. */
  readonly digest: string;
  readonly diagnostics: readonly Diagnostic[];
  /** The files whose headers were read, as they were then. */
  readonly opened: OpenedFiles;
  /** Present when nothing is wrong with the recipe itself. */
  readonly graph?: RecipeGraph;
  /** For the lock file; present with `graph`. */
  readonly read?: ReadRecipe;
  /** Present when the checkpoints' headers fit, too. */
  readonly tensors?: TensorGraph;
}

interface LoadedGraph {
  readonly host: ReturnType<typeof createCompilerHost>;
  /** As of LoadedRecipe. */
  readonly digest: string;
  readonly diagnostics: readonly Diagnostic[];
  readonly graph?: RecipeGraph;
}

/** What the recipe's text says, and its imports'. Reads no checkpoint but for what the text asks of its names. */
export function loadGraph(file: RecipeFile, flags: Flags): LoadedGraph {
  const host = createCompilerHost();
  const { path, display, directory } = file;
  const bytes = readNamedFile({ path, display: printable(display) }, host.opened);
  const digest = `sha256:${sha256(bytes)}`;
  const { source, diagnostics: unreadable } = decodeSource(bytes, display, directory);
  if (source === undefined) return { host, digest, diagnostics: unreadable };
  const { recipe, diagnostics: syntax } = parse(source);
  const { graph, diagnostics: meaning } = analyse(recipe, host, {
    parameters: readParameterInputs(flags),
    projectDirectory: file.directory,
    allowOutside: flags.allowOutside ?? false,
  });
  const diagnostics = [...syntax, ...meaning];
  const isSound = diagnostics.every(({ severity }) => severity !== "error");
  return { host, digest, diagnostics, ...(isSound && graph && { graph }) };
}

/**
 * `store` is absolute. Reads the recipe, its imports and the headers of its checkpoints; no payload.
 * @throws Failure: 66 the recipe or the file of --params cannot be read, 64 a flag is wrong
 */
export function loadRecipe(file: RecipeFile, flags: Flags, store: string): LoadedRecipe {
  const { host, digest, diagnostics: found, graph } = loadGraph(file, flags);
  const { opened } = host;
  if (graph === undefined) return { file, digest, opened, diagnostics: found };
  const outputs = chooseOutputs(graph, flags.only);
  const diagnostics = [...found, ...checkOutputPlaces(graph, { project: file.directory, store })];
  const lowered = lower(outputs, graph.expectations, host);
  diagnostics.push(...lowered.diagnostics);
  const read = { graph, outputs, host, directory: file.directory };
  return { file, digest, opened, diagnostics, graph, read, ...(lowered.tensors && { tensors: lowered.tensors }) };
}

/** Those that --only names, by their paths as the recipe spells them; all when there is no --only. */
export function chooseOutputs({ outputs }: RecipeGraph, only: readonly string[]): readonly OutputNode[] {
  if (only.length === 0) return outputs;
  const known = outputs.map(({ display }) => display);
  const unknown = only.find((name) => !known.includes(name));
  if (unknown === undefined) return outputs.filter(({ display }) => only.includes(display));
  throw new Failure(EXIT.usage, `--only ${JSON.stringify(unknown)} is no output of the recipe`, {
    code: "no-such-output",
    help:
      known.length > 0 ? `it has ${known.map((name) => JSON.stringify(name)).join(", ")}` : "it has no output at all",
  });
}

/** The exit code that the diagnostics ask for: 65 when the recipe is at fault, else 66 when an input is, else 0. */
export function exitCodeOf(diagnostics: readonly Diagnostic[]): number {
  const errors = diagnostics.filter(({ severity }) => severity === "error");
  if (errors.length === 0) return EXIT.done;
  return errors.every(({ subject }) => subject === "input") ? EXIT.input : EXIT.recipe;
}
