// A model in the hub's conventions: a directory with one model.safetensors or with shards and their index, or one
// .safetensors file. What transformers would load from a directory is what is read here.

import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Checkpoint, SourceProblem } from "../../compiler/checkpoint.ts";
import { printable } from "../../dsl/printable.ts";
import { layerSettings } from "./config-layers.ts";
import { CONFIG_FILE, modelConfig, parseConfig, readConfigText } from "./model-config.ts";
import { fail, orProblem, quoted } from "./problem.ts";
import { type SafetensorsHeader, readSafetensorsHeader } from "./safetensors-header.ts";
import { readShards } from "./shard-index.ts";
import {
  type OpenedFiles,
  type SourceFile,
  inside,
  isNamed,
  kindOf,
  missing,
  namesIn,
  parentOf,
} from "./source-file.ts";
import { THETA_FILE, readThetaFile } from "./theta-file.ts";
import { tiedNames } from "./tied-names.ts";

/** `path` is absolute, `display` what the recipe says; every file that is opened is added to `opened`. */
export function readModel(path: string, display: string, opened: OpenedFiles): Checkpoint | SourceProblem {
  return orProblem(() => {
    const source = { path, display: printable(display) };
    const kind = kindOf(source);
    if (kind === undefined) missing(source);
    return kind === "directory" ? readDirectory(source, display, opened) : readSingleFile(source, display, opened);
  });
}

function readDirectory(directory: SourceFile, display: string, opened: OpenedFiles): Checkpoint {
  const names = namesIn(directory);
  if (names.includes(THETA_FILE) && readThetaFile(inside(directory, THETA_FILE), opened).kind === "vector") {
    const help = `declare it with "vector", and "on" its base`;
    fail("source-kind", `${directory.display} is a vector that theta wrote, not a model`, help);
  }
  const weights = readWeights(directory, names, opened);
  return toCheckpoint(directory.path, display, weights, directory, names.includes(CONFIG_FILE), opened);
}

function readSingleFile(file: SourceFile, display: string, opened: OpenedFiles): Checkpoint {
  if (!file.path.endsWith(".safetensors")) {
    const sentence = `${file.display} is not a .safetensors file`;
    fail("source-format", sentence, FOREIGN.test(file.path) ? CONVERT : "name a directory or a .safetensors file");
  }
  const weights = readSafetensorsHeader(file, opened);
  const directory = parentOf(file);
  const hasConfig = isNamed(inside(directory, CONFIG_FILE));
  return toCheckpoint(file.path, display, weights, directory, hasConfig, opened);
}

function toCheckpoint(
  path: string,
  display: string,
  { tensors, tied }: SafetensorsHeader,
  directory: SourceFile,
  hasConfig: boolean,
  opened: OpenedFiles,
): Checkpoint {
  if (tensors.size === 0) fail("empty-checkpoint", `${printable(display)} holds no tensors`);
  const file = inside(directory, CONFIG_FILE);
  const text = hasConfig ? readConfigText(file, opened) : undefined;
  const config = {
    ...modelConfig(text === undefined ? undefined : parseConfig(text, file), tensors, file),
    ...(text === undefined ? {} : { layers: layerSettings(text, file.display) }),
  };
  const aliases = new Map([...tied, ...(config.tieWordEmbeddings ? tiedNames(tensors, tied) : [])]);
  return { kind: "model", path, display, tensors, aliases, config };
}

/** In the order in which transformers looks: where there is one file as well as an index, the one file is loaded. */
const WEIGHTS: readonly (readonly [name: string, kind: "file" | "index"])[] = [
  ["model.safetensors", "file"],
  ["model.safetensors.index.json", "index"],
  ["diffusion_pytorch_model.safetensors", "file"],
  ["diffusion_pytorch_model.safetensors.index.json", "index"],
];

/** All tensors of a directory whose content is `names`. */
export function readWeights(directory: SourceFile, names: readonly string[], opened: OpenedFiles): SafetensorsHeader {
  const [name, kind] = WEIGHTS.find(([candidate]) => names.includes(candidate)) ?? noWeights(directory, names);
  const file = inside(directory, name);
  return kind === "file" ? readSafetensorsHeader(file, opened) : readShards(directory, file, opened);
}

const FOREIGN = /\.(?:bin|pt|pth|ckpt|gguf|ggml|h5|msgpack|onnx|npz)$/;
const CONVERT = "convert it to safetensors first, for example with transformers' save_pretrained";

/** Says what the directory is instead. */
function noWeights(directory: SourceFile, names: readonly string[]): never {
  const { display } = directory;
  if (names.includes("adapter_config.json") || names.includes("adapter_model.safetensors")) {
    fail("source-kind", `${display} is an adapter, not a model`, `declare it with "adapter", and "on" its base`);
  }
  if (names.includes("snapshots") && names.includes("blobs")) {
    fail(
      "source-format",
      `${display} is a folder of the hub's cache, not a model`,
      `name one of its snapshots: ${display}/snapshots/…`,
    );
  }
  const loose = names.filter((name) => name.endsWith(".safetensors"));
  const shard = loose.find((name) => /-\d+-of-\d+\.safetensors$/.test(name));
  if (shard !== undefined) {
    fail(
      "bad-index",
      `${display} holds shards such as ${quoted(shard)}, but no model.safetensors.index.json`,
      "add the index, or name one .safetensors file",
    );
  }
  if (loose.length > 0) {
    const listed = loose.slice(0, 3).map(quoted).join(", ") + (loose.length > 3 ? ` and ${loose.length - 3} more` : "");
    const help = `name one file: "${display}/${printable(loose[0]!)}"`;
    fail("source-ambiguous", `${display} holds ${listed}, but no model.safetensors and no index`, help);
  }
  const foreign = names.find((name) => FOREIGN.test(name));
  if (foreign !== undefined) {
    fail("source-format", `${display} holds ${quoted(foreign)}, but no safetensors file`, CONVERT);
  }
  const [model, ...others] = modelsIn(directory, names);
  const sentence = `${display} holds no model.safetensors and no model.safetensors.index.json`;
  if (model === undefined) fail("source-format", sentence);
  const help = `name a model in it: "${display}/${printable(model)}"${others.length > 0 ? " or another" : ""}`;
  fail("source-format", sentence, help);
}

/** More are a folder of something else. */
const MOST_LOOKED_AT = 100;

/** Names of directories in it that hold a model. */
function modelsIn({ path }: SourceFile, names: readonly string[]): readonly string[] {
  return names
    .slice(0, MOST_LOOKED_AT)
    .filter((name) => WEIGHTS.some(([weights]) => existsSync(join(path, name, weights))));
}
