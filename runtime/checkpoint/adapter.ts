// A LoRA adapter as PEFT saves it: adapter_config.json and adapter_model.safetensors. Pairs lora_A with lora_B and
// checks that they fit each other; whether they fit a base is the compiler's question.

import {
  type Adapter,
  type LoraModule,
  type SourceProblem,
  type TensorInfo,
  isFloat,
} from "../../compiler/checkpoint.ts";
import { printable } from "../../dsl/printable.ts";
import { type AdapterConfig, readAdapterConfig } from "./adapter-config.ts";
import { sortByBytes } from "./byte-order.ts";
import { fail, orProblem, quoted, shapeText } from "./problem.ts";
import { readSafetensorsHeader, untied } from "./safetensors-header.ts";
import { type OpenedFiles, type SourceFile, inside, kindOf, missing, namesIn } from "./source-file.ts";

const CONFIG = "adapter_config.json";
const WEIGHTS = "adapter_model.safetensors";

/** As `readModel`. */
export function readAdapter(path: string, display: string, opened: OpenedFiles): Adapter | SourceProblem {
  return orProblem(() => {
    const directory = { path, display: printable(display) };
    const kind = kindOf(directory);
    if (kind === undefined) missing(directory);
    if (kind !== "directory") {
      fail(
        "source-kind",
        `${directory.display} is not a directory with ${CONFIG} and ${WEIGHTS}`,
        "name the adapter's directory",
      );
    }
    const names = namesIn(directory);
    if (!names.includes(CONFIG)) notAnAdapter(directory, names);
    const config = readAdapterConfig(inside(directory, CONFIG), opened);
    if (!names.includes(WEIGHTS)) noWeights(directory, names);
    const file = inside(directory, WEIGHTS);
    const modules = pairModules(untied(readSafetensorsHeader(file, opened)), config, file);
    if (modules.size === 0) fail("empty-checkpoint", `${file.display} holds no tensors`);
    return { kind: "adapter", path, display, modules };
  });
}

function notAnAdapter(directory: SourceFile, names: readonly string[]): never {
  const { display } = directory;
  if (names.includes("model.safetensors") || names.includes("model.safetensors.index.json")) {
    fail("source-kind", `${display} is a model, not an adapter`, 'declare it with "model"');
  }
  fail("source-format", `${display} holds no ${CONFIG}`);
}

function noWeights(directory: SourceFile, names: readonly string[]): never {
  if (names.includes("adapter_model.bin")) {
    const help = "load it with PEFT and save it again: save_pretrained writes safetensors";
    fail("source-format", `${directory.display} holds adapter_model.bin, but no ${WEIGHTS}`, help);
  }
  fail("source-format", `${directory.display} holds no ${WEIGHTS}`);
}

const HALVES = [
  ["A", ".lora_A.weight"],
  ["B", ".lora_B.weight"],
] as const;

/** What else PEFT saves, by the end of its name; the last one takes modules_to_save and the biases of the base. */
const UNSERVED: readonly (readonly [ending: string, what: string])[] = [
  [".lora_magnitude_vector.weight", "belongs to DoRA"],
  [".lora_magnitude_vector", "belongs to DoRA"],
  [".lora_embedding_A", "adapts an embedding"],
  [".lora_embedding_B", "adapts an embedding"],
  [".bias", "is a trained bias"],
  ["", "is neither a lora_A nor a lora_B, but a module that was trained as a whole"],
];

const PREFIX = "base_model.model.";

/** Sorted by module, by bytes. */
function pairModules(
  tensors: ReadonlyMap<string, TensorInfo>,
  config: AdapterConfig,
  file: SourceFile,
): ReadonlyMap<string, LoraModule> {
  const halves = { A: new Map<string, TensorInfo>(), B: new Map<string, TensorInfo>() };
  for (const tensor of tensors.values()) {
    const name = tensor.name.startsWith(PREFIX) ? tensor.name.slice(PREFIX.length) : tensor.name;
    const half = HALVES.find(([, ending]) => name.endsWith(ending));
    if (half === undefined) {
      const [, what] = UNSERVED.find(([ending]) => name.endsWith(ending))!;
      return fail("adapter-unsupported", `${file.display}: tensor ${quoted(tensor.name)} ${what}, which is not served`);
    }
    const [role, suffix] = half;
    const module = name.slice(0, -suffix.length);
    const other = halves[role].get(module);
    if (other !== undefined) {
      const sentence = `tensors ${quoted(other.name)} and ${quoted(tensor.name)} are the same lora_${role}`;
      fail("bad-adapter", `${file.display}: ${sentence}`);
    }
    halves[role].set(module, tensor);
  }
  const modules = new Map<string, LoraModule>();
  for (const module of sortByBytes([...new Set([...halves.A.keys(), ...halves.B.keys()])])) {
    const a = halves.A.get(module);
    const b = halves.B.get(module);
    if (a === undefined || b === undefined) {
      const lacks = a === undefined ? "lora_A" : "lora_B";
      return fail("bad-adapter", `${file.display}: module ${quoted(module)} has no ${lacks}`);
    }
    modules.set(module, toModule(module, a, b, config, file));
  }
  return modules;
}

function toModule(module: string, a: TensorInfo, b: TensorInfo, config: AdapterConfig, file: SourceFile): LoraModule {
  for (const { name, dtype, shape } of [a, b]) {
    const what = `${file.display}: tensor ${quoted(name)}`;
    if (!isFloat(dtype))
      fail("bad-adapter", `${what} has the dtype ${dtype}; adapters are F64, F32, F16, BF16, F8_E4M3 or F8_E5M2`);
    if (shape.length > 2) {
      fail("adapter-unsupported", `${what} ${shapeText(shape)} adapts a convolution, which is not served`);
    }
    if (shape.length < 2) fail("bad-adapter", `${what} must have two dimensions, not ${shapeText(shape)}`);
  }
  const rank = a.shape[0]!;
  const what = `${file.display}: module ${quoted(module)}`;
  if (b.shape[1] !== rank) {
    fail(
      "adapter-rank",
      `${what} has lora_A ${shapeText(a.shape)} and lora_B ${shapeText(b.shape)}, whose ranks differ`,
    );
  }
  const { rank: configured, scaling } = config.scalingOf(module);
  if (configured !== rank) {
    fail(
      "adapter-rank",
      `${what} has rank ${rank}, but ${CONFIG} says ${configured}`,
      "r and rank_pattern must be those of the training",
    );
  }
  return { module, a, b, rank, scaling, transposed: config.transposed };
}
