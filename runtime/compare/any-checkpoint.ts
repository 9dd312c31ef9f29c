// Whatever lies at a path, as its tensors: a .safetensors file, a model directory, an adapter, a vector. Reads headers
// only. Unlike a recipe, a user who names a path need not say what it is.

import type { Adapter, Checkpoint, SourceProblem, StoredVector, TensorInfo } from "../../compiler/checkpoint.ts";
import { printable } from "../../dsl/printable.ts";
import { readAdapter } from "../checkpoint/adapter.ts";
import { compareByBytes } from "../checkpoint/byte-order.ts";
import { readModel } from "../checkpoint/model-directory.ts";
import { orProblem } from "../checkpoint/problem.ts";
import { type OpenedFiles, type SourceFile, inside, kindOf, namesIn, parentOf } from "../checkpoint/source-file.ts";
import { THETA_FILE, readThetaFile } from "../checkpoint/theta-file.ts";
import { readVector } from "../checkpoint/vector-directory.ts";
import { EXIT, Failure } from "../failure.ts";
import { ADAPTER_CONFIG, type CheckpointFacts, adapterFacts, configFacts, outputFacts } from "./checkpoint-facts.ts";

export interface AnyCheckpoint {
  readonly kind: "model" | "adapter" | "vector";
  readonly path: string;
  /** As the user typed it. */
  readonly display: string;
  /** By stored name, sorted by bytes; an adapter's under the names of its file. */
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  /** Other name → stored name. */
  readonly aliases: ReadonlyMap<string, string>;
  readonly facts: CheckpointFacts;
}

/** `path` is absolute. Files that are opened are added to `opened`. Throws a Failure (66). */
export function readAnyCheckpoint(path: string, display: string, opened: OpenedFiles): AnyCheckpoint {
  const answer = orProblem(() => {
    const source = { path, display: printable(display) };
    const names = kindOf(source) === "directory" ? namesIn(source) : undefined;
    const found = readTensors(source, display, names ?? [], opened);
    return found.kind === "problem" ? found : withFacts(found, source, names, opened);
  });
  if (answer.kind !== "problem") return answer;
  const { code, message, help } = answer;
  throw new Failure(EXIT.input, message, { code, ...(help !== undefined && { help }) });
}

function readTensors(
  { path, display: printed }: SourceFile,
  display: string,
  names: readonly string[],
  opened: OpenedFiles,
): Checkpoint | Adapter | StoredVector | SourceProblem {
  if (names.includes(THETA_FILE)) {
    const file = inside({ path, display: printed }, THETA_FILE);
    if (readThetaFile(file, opened).kind === "vector") return readVector(path, display, opened);
  }
  // Some models come with an adapter's configuration beside their weights.
  const hasWeights = names.some((name) => /^model\.safetensors(?:\.index\.json)?$/.test(name));
  return names.includes(ADAPTER_CONFIG) && !hasWeights
    ? readAdapter(path, display, opened)
    : readModel(path, display, opened);
}

/** `names`: what the directory holds; undefined for a file, of which its folder's config.json tells. */
function withFacts(
  found: Checkpoint | Adapter | StoredVector,
  source: SourceFile,
  names: readonly string[] | undefined,
  opened: OpenedFiles,
): AnyCheckpoint {
  const { kind, path, display } = found;
  if (found.kind === "adapter") {
    const tensors = [...found.modules.values()].flatMap(({ a, b }) => [a, b]);
    tensors.sort((a, b) => compareByBytes(a.name, b.name));
    const facts = { adapter: adapterFacts(found, inside(source, ADAPTER_CONFIG), opened) };
    return { kind, path, display, tensors: new Map(tensors.map((t) => [t.name, t])), aliases: new Map(), facts };
  }
  const { tensors, aliases } = found;
  const directory = names === undefined ? parentOf(source) : source;
  const facts = {
    ...configFacts(directory, names ?? namesIn(directory), opened),
    ...(found.kind === "model" &&
      found.config.quantization !== undefined && { quantization: found.config.quantization }),
    ...(names?.includes(THETA_FILE) && { output: outputFacts(inside(source, THETA_FILE), opened) }),
  };
  return { kind, path, display, tensors, aliases, facts };
}
