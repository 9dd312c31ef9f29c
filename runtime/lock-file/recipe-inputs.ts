// What a recipe reads, as the lock file names it: lists, sources, their tensors and the small files beside them that can
// change an output. Payloads are for those who know digests.

import { isAbsolute, join, relative } from "node:path";
import type { CompilerHost, SourceProblem, TensorInfo } from "../../compiler/checkpoint.ts";
import { donorOf, rootOf, sourcesUnder, type SourceNode } from "../../compiler/graph-walk.ts";
import type { CheckpointNode, ExpectNode, OutputNode, RecipeGraph } from "../../compiler/recipe-graph.ts";
import { NodeNumbers } from "../../compiler/same-node.ts";
import { SourceFailure } from "../checkpoint/problem.ts";
import { donatedFiles, sideFileFolder, type SideFileRole } from "../checkpoint/side-files.ts";
import { inside, type OpenedFiles, readWhole, type SourceFile } from "../checkpoint/source-file.ts";
import { EXIT, Failure } from "../failure.ts";
import type { SourceKind } from "./lock-file.ts";

export interface InputFile {
  /** Absolute. */
  readonly path: string;
  /** `sha256:<hex>` of what was read. */
  readonly digest: string;
}

export interface RecipeSource {
  /** As the recipe declares it; several names may read one place. */
  readonly names: readonly string[];
  readonly kind: SourceKind;
  /** Absent when only outputs read it that were not asked for. */
  readonly content?: {
    /** By stored name. */
    readonly tensors: ReadonlyMap<string, TensorInfo>;
    readonly files: ReadonlyMap<string, InputFile>;
  };
}

export interface RecipeInputs {
  readonly lists: RecipeGraph["lists"];
  /** By path, as the lock file spells it. */
  readonly sources: ReadonlyMap<string, RecipeSource>;
}

export interface ReadRecipe {
  readonly graph: RecipeGraph;
  /** Those that are asked for. */
  readonly outputs: readonly OutputNode[];
  /** The one that has read their headers. */
  readonly host: CompilerHost & { readonly opened: OpenedFiles };
  /** Absolute: of the root recipe. */
  readonly directory: string;
}

/** Throws a Failure (66) when a file beside the weights cannot be read. */
export function recipeInputs({ graph, outputs, host, directory }: ReadRecipe): RecipeInputs {
  const numbers = new NodeNumbers();
  const made = new Set(outputs.map((output) => numbers.of(rootOf(output))));
  const judged = graph.expectations.filter(({ target }) => made.has(numbers.of(target)));
  const wanted = new Set(nodesOf(outputs, judged).map(placeOf));
  const donated = donatedBy(graph.outputs);
  const sources = new Map<string, RecipeSource>();
  for (const node of nodesOf(graph.outputs, graph.expectations)) {
    const path = isAbsolute(node.display) ? node.display : relative(directory, node.path) || ".";
    const known = sources.get(path);
    const names = new Set([...(known?.names ?? []), node.name]);
    const read = wanted.has(placeOf(node)) ? contentOf(node, host, donated.get(node.path) ?? []) : undefined;
    const content = read && { ...read, files: new Map([...(known?.content?.files ?? []), ...read.files]) };
    sources.set(path, { kind: KINDS[node.kind], ...known, names: [...names], ...(content && { content }) });
  }
  return { lists: graph.lists, sources };
}

const KINDS = { checkpoint: "model", adapter: "adapter", "stored-vector": "vector" } as const;

/** What each kind of source is read by, beside its weights. */
const CONFIGURATIONS = {
  checkpoint: "config.json",
  adapter: "adapter_config.json",
  "stored-vector": "theta.json",
} as const;

function placeOf({ kind, path }: SourceNode): string {
  return `${kind}\0${path}`;
}

function nodesOf(outputs: readonly OutputNode[], expectations: readonly ExpectNode[]): readonly SourceNode[] {
  const judged = expectations.flatMap(({ target, predicates }) => [
    target,
    ...predicates.flatMap(({ against }) => against ?? []),
  ]);
  const donors = outputs.flatMap(({ tokenizer, config }) => [tokenizer ?? [], config ?? []].flat());
  return sourcesUnder(...outputs.map(rootOf), ...judged, ...donors);
}

/** By the donor's path: which of its side files the outputs take over. */
function donatedBy(outputs: readonly OutputNode[]): ReadonlyMap<string, readonly SideFileRole[]> {
  const roles = new Map<string, readonly SideFileRole[]>();
  const add = (role: SideFileRole, { path }: CheckpointNode): void => {
    const known = roles.get(path) ?? [];
    if (!known.includes(role)) roles.set(path, [...known, role]);
  };
  for (const { value, tokenizer, config } of outputs) {
    if (value.kind !== "model") continue;
    const donor = donorOf(value.node);
    add("tokenizer", tokenizer ?? donor);
    add("model", config ?? donor);
  }
  return roles;
}

function contentOf(
  node: SourceNode,
  host: ReadRecipe["host"],
  roles: readonly SideFileRole[],
): NonNullable<RecipeSource["content"]> {
  try {
    return { tensors: tensorsOf(node, host), files: filesOf(node, host.opened, roles) };
  } catch (error) {
    if (!(error instanceof SourceFailure)) throw error;
    const { code, message, help } = error.problem;
    throw new Failure(EXIT.input, message, { code, ...(help !== undefined && { help }) }, error);
  }
}

function tensorsOf(node: SourceNode, host: CompilerHost): ReadonlyMap<string, TensorInfo> {
  const { path, display } = node;
  switch (node.kind) {
    case "checkpoint":
      return known(host.readModel(path, display)).tensors;
    case "stored-vector":
      return known(host.readVector(path, display)).tensors;
    case "adapter": {
      const modules = [...known(host.readAdapter(path, display)).modules.values()];
      return new Map(modules.flatMap(({ a, b }) => [a, b]).map((tensor) => [tensor.name, tensor]));
    }
  }
}

function known<T extends { readonly kind: string }>(source: T | SourceProblem): T {
  if (source.kind === "problem") throw new SourceFailure(source as SourceProblem);
  return source as T;
}

/** What the compiler has read stands with the digest of the bytes that it was given. */
function filesOf(
  { kind, path, display }: SourceNode,
  opened: OpenedFiles,
  roles: readonly SideFileRole[],
): ReadonlyMap<string, InputFile> {
  const folder = sideFileFolder({ path, display });
  const configuration = inside(folder, CONFIGURATIONS[kind]);
  const taken = roles.flatMap((role) => donatedFiles({ path, display }, role));
  const files = new Map<string, InputFile>();
  const add = (name: string, file: SourceFile): void => {
    const sha256 = opened.get(file.path)?.sha256 ?? sha256Of(file);
    files.set(name, { path: file.path, digest: `sha256:${sha256}` });
  };
  if (opened.has(configuration.path)) add(CONFIGURATIONS[kind], configuration);
  for (const { name, copyOf } of taken) add(name, { path: copyOf, display: join(folder.display, name) });
  return files;
}

/** Tokenizers are the largest of them. */
const LARGEST_SIDE_FILE = 1_000_000_000;

function sha256Of(file: SourceFile): string {
  const opened: OpenedFiles = new Map();
  readWhole(file, opened, LARGEST_SIDE_FILE);
  return opened.get(file.path)!.sha256!;
}
