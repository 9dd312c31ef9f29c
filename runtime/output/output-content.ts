// Everything of an output but its weights: index, side files of the donor, model card, theta.json. The same recipe over
// the same inputs gives the same bytes, on every machine and whatever is cached.

import { statSync } from "node:fs";
import { basename, dirname } from "node:path";
import { nodesUnder, rootOf, strategiesIn } from "../../compiler/graph-walk.ts";
import { METHODS } from "../../compiler/methods/method-table.ts";
import type { Dtype, TensorInfo } from "../../compiler/checkpoint.ts";
import type { Action, OutputGraph, StatisticMember, Operation } from "../../compiler/tensor-graph.ts";
import { modelCard } from "../checkpoint/model-card.ts";
import { tensorBytes } from "../checkpoint/safetensors-writer.ts";
import {
  sideFileFolder,
  sideFileNames,
  sideFiles,
  type SideFile,
  type SideFileDonors,
} from "../checkpoint/side-files.ts";
import { checkpointDigest, THETA_FILE, thetaFileContent, type RecordedInput } from "../checkpoint/theta-file.ts";
import type { OpenedFiles } from "../checkpoint/source-file.ts";
import { EXIT, Failure } from "../failure.ts";
import type { LockedInputs } from "../lock-file/hold-to-lock.ts";
import { sha256 } from "../store/sha256.ts";

export interface ContentFacts {
  /** `checkpointDigest` of the output's tensors. */
  readonly digest: string;
  readonly shardNames: readonly string[];
  readonly index: { readonly name: string; readonly content: Uint8Array } | undefined;
  readonly recipe: string;
  readonly version: string;
  /** Of an input's payload; known for every tensor that an action of the output reads, and for all of a vector's base. */
  readonly payload: (tensor: TensorInfo) => string | undefined;
  /** What the donors' files must be, under `--locked`. */
  readonly locked: LockedInputs | undefined;
}

const MODEL_CARD = "README.md";

/** theta.json first. Throws a Failure (66) when a side file cannot be read. */
export function outputContent(graph: OutputGraph, facts: ContentFacts): readonly SideFile[] {
  const { kind, output } = graph;
  const { digest, recipe, version } = facts;
  const inputs = inputsOf(graph, facts.payload);
  const title = basename(output.path);
  const card = modelCard({ kind, title, recipe, methods: methodsOf(graph), inputs, digest, version });
  const files: readonly SideFile[] = [
    ...(facts.index === undefined ? [] : [facts.index]),
    { name: MODEL_CARD, content: card },
    ...(kind === "model" ? donated(graph, facts.locked) : []),
  ];
  const baseDigest = graph.base && digestOf(graph.base.tensors.values(), facts.payload);
  const theta = thetaFileContent({
    kind,
    digest,
    ...(baseDigest !== undefined && { base: { digest: baseDigest } }),
    aliases: graph.aliases,
    recipe,
    inputs,
    files: [...facts.shardNames, ...files.map(({ name }) => name)].sort(),
    version,
  });
  return [{ name: THETA_FILE, content: theta }, ...files];
}

/** Names of what outputContent() gives, known before there is a digest; none of side files that cannot be listed. */
export function contentNames(graph: OutputGraph, index: ContentFacts["index"]): readonly string[] {
  const given = graph.kind === "model" ? sideFileNames(donorsOf(graph), graph.configChanges) : undefined;
  return [THETA_FILE, MODEL_CARD, ...(index === undefined ? [] : [index.name]), ...(given ?? [])];
}

/** Equal for equal content, without reading what is only copied. */
export function contentStamp(files: readonly SideFile[]): string {
  const lines = files.map((file) => {
    if ("content" in file) return `${file.name} ${sha256(file.content)}`;
    const { dev, ino, size, mtimeNs, ctimeNs } = statSync(file.copyOf, { bigint: true });
    return `${file.name} ${[dev, ino, size, mtimeNs, ctimeNs].join(":")}`;
  });
  return sha256(lines.join("\n"));
}

function donorsOf({ donor, output: { tokenizer, config } }: OutputGraph): SideFileDonors {
  return { model: donor, ...(tokenizer && { tokenizer }), ...(config && { config }) };
}

function donated(graph: OutputGraph, locked: LockedInputs | undefined): readonly SideFile[] {
  const opened: OpenedFiles = new Map();
  const donors = donorsOf(graph);
  const files = sideFiles(donors, bytesByDtype(graph.actions), graph.configChanges, opened);
  if ("kind" in files) {
    const { code, message, help } = files;
    throw new Failure(EXIT.input, message, { code, ...(help !== undefined && { help }) });
  }
  if (locked === undefined) return files;
  // Behind the listing: what it lacks would be left out of the output without a word.
  for (const one of [donors.model, donors.tokenizer, donors.config]) {
    if (one !== undefined) locked.checkComplete(sideFileFolder(one).path);
  }
  for (const [path, { sha256 }] of opened) if (sha256 !== undefined) locked.checkFile(path, `sha256:${sha256}`);
  return files.map((file) => ("copyOf" in file ? { ...file, digest: locked.fileDigest(file.copyOf) } : file));
}

function bytesByDtype(actions: readonly Action[]): ReadonlyMap<Dtype, number> {
  const bytes = new Map<Dtype, number>();
  for (const { tensor: name, dtype, shape } of actions) {
    bytes.set(dtype, (bytes.get(dtype) ?? 0) + tensorBytes({ name, dtype, shape }));
  }
  return bytes;
}

/**
 * Where the tensors come from, in the order in which the actions name them. The tensors of a source that the output
 * reads have digests whenever the output is finished, so what is said here depends on nothing else that is known.
 */
function inputsOf({ actions, statistics }: OutputGraph, payload: ContentFacts["payload"]): readonly RecordedInput[] {
  // Imported recipes may spell two places alike: by source and directory.
  const places = new Map<string, { readonly source: string; readonly read: Set<TensorInfo> }>();
  const ofFile = new Map<string, Map<string, Set<TensorInfo>>>();
  const readFrom = (source: string, file: string): Set<TensorInfo> => {
    const files = ofFile.get(source) ?? new Map<string, Set<TensorInfo>>();
    ofFile.set(source, files);
    let read = files.get(file);
    if (read !== undefined) return read;
    const place = `${source}\0${dirname(file)}`;
    ({ read } = places.get(place) ?? { read: new Set() });
    places.set(place, { source, read });
    files.set(file, read);
    return read;
  };
  // What is only measured is in no action.
  for (const { inputs } of [...actions, ...measuredFor(actions, statistics)]) {
    for (const { checkpoint: source, tensor } of inputs) readFrom(source, tensor.file).add(tensor);
  }
  return [...places.values()].map(({ source, read }) => ({ source, digest: digestOf(read, payload) }));
}

/** What the sizes are of that the actions' factors come from, or the ranks that they draw by, and those that these in turn come from. */
function measuredFor(actions: readonly Action[], statistics: OutputGraph["statistics"]): readonly StatisticMember[] {
  const found = new Set<number>();
  const programs = actions.map(({ program }) => program);
  for (const { operations } of programs) {
    for (const operation of operations) {
      for (const number of measuredBy(operation)) {
        if (found.has(number)) continue;
        found.add(number);
        programs.push(...statistics[number]!.members.map(({ program }) => program));
      }
    }
  }
  return [...found].flatMap((number) => statistics[number]!.members);
}

/** Numbers of statistics. */
function measuredBy(operation: Operation): readonly number[] {
  if (operation.op === "lines") return [operation.own, operation.like];
  return operation.op === "model-della" ? [operation.statistic] : [];
}

function digestOf(tensors: Iterable<TensorInfo>, payload: ContentFacts["payload"]): string {
  const entries = [...tensors].map((tensor) => {
    const { name, dtype, shape } = tensor;
    return { name, dtype, shape, digest: payload(tensor)! };
  });
  return checkpointDigest(entries);
}

/** Rows of the method table that the actions run, in the table's order; of what leaves no operation of its own, all. */
function methodsOf({ output, actions }: OutputGraph): readonly string[] {
  const used = new Set<string>();
  for (const { program } of actions) for (const operation of program.operations) used.add(methodOf(operation));
  // An operator multiplies, too, and a stack only renames.
  const nodes = [...nodesUnder(rootOf(output))];
  const scales = nodes.some((node) => node.kind === "model-method" && node.method === "scale");
  const stacks = nodes.some(({ kind }) => kind === "stack");
  const strategies = nodes.flatMap((node) => (node.kind === "vector-method" ? strategiesIn(node.strategy) : []));
  return [...METHODS.values()]
    .filter(({ name, op }) => {
      if (name === "stack") return stacks;
      if (op === "lines") return strategies.some(({ method }) => method === name);
      return op !== undefined && used.has(op) && (op !== "multiply" || scales);
    })
    .map(({ name }) => name);
}

/** A mask over a model is an operation of its own. */
function methodOf(operation: Operation): Operation["op"] {
  if (operation.op === "model-della") return "della";
  if (operation.op === "model-cut") return operation.dropTop > 0 ? "breadcrumbs" : "magnitude";
  return operation.op;
}
