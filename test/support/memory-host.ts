// A compiler host without files: checkpoints are written down as names, dtypes and shapes. For tests of the compiler,
// which reads headers only.

import type {
  Adapter,
  Checkpoint,
  CompilerHost,
  LayerSetting,
  LoraModule,
  SourceProblem,
  StoredVector,
  TensorInfo,
} from "../../compiler/checkpoint.ts";

/** `"bf16 [4, 8]"`, `"f32 []"`. */
export type TensorText = string;

export interface MemoryModel {
  readonly tensors: Readonly<Record<string, TensorText>>;
  /** Tied name → stored name. */
  readonly tied?: Readonly<Record<string, string>>;
  readonly quantization?: string;
  readonly layers?: readonly LayerSetting[];
  /** What its config.json says of the embeddings and of the tokens. */
  readonly saysTied?: boolean;
  readonly vocabulary?: number;
  readonly computation?: Readonly<Record<string, string>>;
}

export interface MemoryAdapter {
  /** Module → `[out, in]` of its weight. */
  readonly modules: Readonly<Record<string, readonly [number, number]>>;
  readonly rank?: number;
  readonly alpha?: number;
  readonly transposed?: boolean;
}

export interface MemorySources {
  /** By the path that the recipe writes. */
  readonly models?: Readonly<Record<string, MemoryModel>>;
  readonly adapters?: Readonly<Record<string, MemoryAdapter>>;
  readonly vectors?: Readonly<Record<string, MemoryModel>>;
  readonly recipes?: Readonly<Record<string, string>>;
}

/** The directory that paths of recipes are resolved against. */
export const MEMORY_ROOT = "/recipes";

const BYTES: Readonly<Record<string, number>> = { f64: 8, f32: 4, f16: 2, bf16: 2, i64: 8, i32: 4, u8: 1, bool: 1 };

export function memoryHost(sources: MemorySources): CompilerHost {
  const models = new Map(entries(sources.models, (path, display, model) => modelOf(path, display, model)));
  const adapters = new Map(entries(sources.adapters, (path, display, adapter) => adapterOf(path, display, adapter)));
  const vectors = new Map(entries(sources.vectors, (path, display, model) => vectorOf(path, display, model)));
  const recipes = new Map(entries(sources.recipes, (_path, _display, text) => ({ text })));
  return {
    readRecipe: (path) => recipes.get(path) ?? absent(path),
    readModel: (path) => models.get(path) ?? absent(path),
    readAdapter: (path) => adapters.get(path) ?? absent(path),
    readVector: (path) => vectors.get(path) ?? absent(path),
    listSources: (pattern) => {
      const parts = pattern.split("*");
      return [...models.keys(), ...adapters.keys()]
        .filter((path) => path.startsWith(parts[0]!) && path.endsWith(parts.at(-1)!))
        .sort();
    },
  };
}

function entries<T, R>(
  record: Readonly<Record<string, T>> | undefined,
  make: (path: string, display: string, value: T) => R,
): [string, R][] {
  return Object.entries(record ?? {}).map(([display, value]) => {
    const path = `${MEMORY_ROOT}/${display}`;
    return [path, make(path, display, value)];
  });
}

function absent(path: string): SourceProblem {
  return { kind: "problem", code: "source-missing", message: `${path.slice(MEMORY_ROOT.length + 1)} does not exist` };
}

function modelOf(path: string, display: string, model: MemoryModel): Checkpoint {
  const file = `${path}/model.safetensors`;
  let offset = 0;
  const tensors = new Map<string, TensorInfo>();
  for (const [name, text] of Object.entries(model.tensors).sort(byName)) {
    const tensor = tensorOf(name, text, file, offset);
    offset += tensor.bytes;
    tensors.set(name, tensor);
  }
  return {
    kind: "model",
    path,
    display,
    tensors,
    aliases: new Map(Object.entries(model.tied ?? {})),
    config: {
      tieWordEmbeddings: model.tied !== undefined,
      ...(model.saysTied === undefined ? {} : { saysTied: model.saysTied }),
      vocabularies: model.vocabulary === undefined ? [] : [{ path: ["vocab_size"], tokens: model.vocabulary }],
      computation: new Map(Object.entries(model.computation ?? {})),
      ...(model.layers === undefined ? {} : { layers: model.layers }),
      ...(model.quantization === undefined ? {} : { quantization: model.quantization }),
    },
  };
}

function vectorOf(path: string, display: string, model: MemoryModel): StoredVector {
  const { tensors, aliases } = modelOf(path, display, model);
  return { kind: "vector", path, display, tensors, aliases, baseDigest: `sha256:${"0".repeat(64)}` };
}

function adapterOf(path: string, display: string, adapter: MemoryAdapter): Adapter {
  const { rank = 2, alpha = 4, transposed = false } = adapter;
  const file = `${path}/adapter_model.safetensors`;
  let offset = 0;
  const next = (name: string, shape: readonly number[]) => {
    const tensor = tensorOf(name, `f32 [${shape.join(", ")}]`, file, offset);
    offset += tensor.bytes;
    return tensor;
  };
  const modules = new Map<string, LoraModule>();
  for (const [module, [out, into]] of Object.entries(adapter.modules)) {
    const a = next(`${module}.lora_A.weight`, [rank, into]);
    const b = next(`${module}.lora_B.weight`, [out, rank]);
    modules.set(module, { module, a, b, rank, scaling: alpha / rank, transposed });
  }
  return { kind: "adapter", path, display, modules };
}

function tensorOf(name: string, text: TensorText, file: string, offset: number): TensorInfo {
  const match = /^(\w+) \[([\d, ]*)\]$/.exec(text);
  if (match === null) throw new Error(`not a tensor: ${text}`);
  const dtype = match[1]!;
  const shape = match[2] === "" ? [] : match[2]!.split(", ").map(Number);
  const bytes = shape.reduce((product, size) => product * size, 1) * (BYTES[dtype] ?? 1);
  return { name, dtype: dtype.toUpperCase(), shape, file, offset, bytes };
}

function byName([left]: [string, unknown], [right]: [string, unknown]): number {
  return Buffer.compare(Buffer.from(left), Buffer.from(right));
}
