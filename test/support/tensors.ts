// Checkpoints for tests. Written straight from the format's description and on purpose without the product's own
// reader and writer, so that a test which uses both compares two implementations.

import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync, writeSync } from "node:fs";
import { dirname, join } from "node:path";

export interface TestTensor {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data: Uint8Array;
}

export type TestTensors = Readonly<Record<string, TestTensor>>;

/** A tensor of F64, F32, F16 or BF16 from numbers, each rounded once to nearest even. */
function floats(dtype: string, shape: readonly number[], values: readonly number[]): TestTensor {
  const count = shape.reduce((product, size) => product * size, 1);
  if (count !== values.length)
    throw new Error(`shape ${JSON.stringify(shape)} wants ${count} values, not ${values.length}`);
  return { dtype, shape, data: encodeFloats(dtype, values) };
}

export const f64 = (shape: readonly number[], values: readonly number[]): TestTensor => floats("F64", shape, values);
export const f32 = (shape: readonly number[], values: readonly number[]): TestTensor => floats("F32", shape, values);
export const f16 = (shape: readonly number[], values: readonly number[]): TestTensor => floats("F16", shape, values);
export const bf16 = (shape: readonly number[], values: readonly number[]): TestTensor => floats("BF16", shape, values);

/** A tensor of any dtype from its raw bytes. */
export function raw(dtype: string, shape: readonly number[], data: Iterable<number>): TestTensor {
  return { dtype, shape, data: Uint8Array.from(data) };
}

export function encodeFloats(dtype: string, values: readonly number[]): Uint8Array {
  if (dtype === "F64") return new Uint8Array(Float64Array.from(values).buffer);
  if (dtype === "F32") return new Uint8Array(Float32Array.from(values).buffer);
  if (dtype === "F16") return new Uint8Array(Uint16Array.from(values, (value) => narrow(value, 5, 10)).buffer);
  if (dtype === "BF16") return new Uint8Array(Uint16Array.from(values, (value) => narrow(value, 8, 7)).buffer);
  throw new Error(`no float dtype: ${dtype}`);
}

export function decodeFloats(dtype: string, data: Uint8Array): number[] {
  const bytes = Uint8Array.from(data).buffer;
  if (dtype === "F64") return [...new Float64Array(bytes)];
  if (dtype === "F32") return [...new Float32Array(bytes)];
  if (dtype === "F16") return Array.from(new Uint16Array(bytes), (bits) => widen(bits, 5, 10));
  if (dtype === "BF16") return Array.from(new Uint16Array(bytes), (bits) => widen(bits, 8, 7));
  throw new Error(`no float dtype: ${dtype}`);
}

/** The bytes of a safetensors file; payloads lie in the order given, names are not sorted. */
export function safetensorsBytes(tensors: TestTensors, metadata?: Readonly<Record<string, string>>): Uint8Array {
  const header: [string, unknown][] = metadata === undefined ? [] : [["__metadata__", metadata]];
  let end = 0;
  for (const [name, { dtype, shape, data }] of Object.entries(tensors)) {
    header.push([name, { dtype, shape, data_offsets: [end, end + data.length] }]);
    end += data.length;
  }
  const members = header.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`);
  return safetensorsBytesOf(`{${members.join(",")}}`, ...Object.values(tensors).map((tensor) => tensor.data));
}

/** A file around any header, legal or not: its length, the header as it stands, the payload. */
export function safetensorsBytesOf(header: string | Uint8Array, ...payload: readonly Uint8Array[]): Uint8Array {
  const text = typeof header === "string" ? Buffer.from(header) : header;
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  return new Uint8Array(Buffer.concat([length, text, ...payload]));
}

/** Makes the directories above `path` as well. */
export function writeSafetensors(
  path: string,
  tensors: TestTensors,
  metadata?: Readonly<Record<string, string>>,
): void {
  mkdirSync(dirname(path), { recursive: true });
  const file = openSync(path, "w");
  writeSync(file, safetensorsBytes(tensors, metadata));
  closeSync(file);
}

/** Trusts the file: it is for files that are known to be right. */
export function readSafetensors(path: string): Map<string, TestTensor> {
  const bytes = readFileSync(path);
  const start = 8 + Number(bytes.readBigUInt64LE(0));
  const header = JSON.parse(bytes.toString("utf8", 8, start)) as Record<string, unknown>;
  const tensors = new Map<string, TestTensor>();
  for (const [name, value] of Object.entries(header)) {
    if (name === "__metadata__") continue;
    const entry = value as { dtype: string; shape: number[]; data_offsets: [number, number] };
    const [begin, end] = entry.data_offsets;
    tensors.set(name, { dtype: entry.dtype, shape: entry.shape, data: bytes.subarray(start + begin, start + end) });
  }
  return tensors;
}

interface ModelDirectoryOptions {
  /** Content of config.json; false leaves the file out. */
  readonly config?: object | false;
  /** Other files by their name in the directory. */
  readonly files?: Readonly<Record<string, string | Uint8Array>>;
  /** Names of tensors, shard by shard; absent: one model.safetensors. */
  readonly shards?: readonly (readonly string[])[];
}

/** A model directory in the hub's conventions; returns `directory`. */
export function makeModelDirectory(
  directory: string,
  tensors: TestTensors,
  options: ModelDirectoryOptions = {},
): string {
  const { config = { model_type: "llama", architectures: ["LlamaForCausalLM"] }, files = {}, shards } = options;
  mkdirSync(directory, { recursive: true });
  if (shards === undefined) {
    writeSafetensors(join(directory, "model.safetensors"), tensors, { format: "pt" });
  } else {
    const weightMap: Record<string, string> = {};
    shards.forEach((names, index) => {
      const file = `model-${fiveDigits(index + 1)}-of-${fiveDigits(shards.length)}.safetensors`;
      for (const name of names) weightMap[name] = file;
      const members = Object.fromEntries(names.map((name) => [name, tensors[name]!]));
      writeSafetensors(join(directory, file), members, { format: "pt" });
    });
    const total = Object.keys(weightMap).reduce((sum, name) => sum + tensors[name]!.data.length, 0);
    const index = { metadata: { total_size: total }, weight_map: weightMap };
    writeFileSync(join(directory, "model.safetensors.index.json"), JSON.stringify(index, null, 2));
  }
  if (config !== false) writeFileSync(join(directory, "config.json"), `${JSON.stringify(config, null, 2)}\n`);
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, name)), { recursive: true });
    writeFileSync(join(directory, name), content);
  }
  return directory;
}

/** A PEFT LoRA adapter directory; `config` is laid over the least that one needs. Returns `directory`. */
export function makeAdapterDirectory(directory: string, tensors: TestTensors, config: object = {}): string {
  writeSafetensors(join(directory, "adapter_model.safetensors"), tensors, { format: "pt" });
  const whole = { peft_type: "LORA", base_model_name_or_path: "base", r: 2, lora_alpha: 4, bias: "none", ...config };
  writeFileSync(join(directory, "adapter_config.json"), JSON.stringify(whole, null, 2));
  return directory;
}

function fiveDigits(number: number): string {
  return String(number).padStart(5, "0");
}

/** Bits of the IEEE format with these field widths that is nearest to `value`, ties to even. */
function narrow(value: number, exponentBits: number, fractionBits: number): number {
  const bias = 2 ** (exponentBits - 1) - 1;
  const sign = value < 0 || Object.is(value, -0) ? 2 ** (exponentBits + fractionBits) : 0;
  const infinity = (2 ** exponentBits - 1) * 2 ** fractionBits;
  if (Number.isNaN(value)) return infinity + 2 ** (fractionBits - 1);
  const magnitude = Math.abs(value);
  if (magnitude === Infinity) return sign + infinity;
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, magnitude);
  const exponent = Math.max((view.getUint16(0) >> 4) - 1023, 1 - bias);
  const units = magnitude / 2 ** (exponent - fractionBits);
  const floor = Math.floor(units);
  const up = units - floor > 0.5 || (units - floor === 0.5 && floor % 2 === 1);
  return sign + Math.min((exponent + bias - 1) * 2 ** fractionBits + floor + (up ? 1 : 0), infinity);
}

function widen(bits: number, exponentBits: number, fractionBits: number): number {
  const bias = 2 ** (exponentBits - 1) - 1;
  const sign = bits >= 2 ** (exponentBits + fractionBits) ? -1 : 1;
  const exponent = Math.floor(bits / 2 ** fractionBits) % 2 ** exponentBits;
  const fraction = bits % 2 ** fractionBits;
  if (exponent === 2 ** exponentBits - 1) return fraction === 0 ? sign * Infinity : NaN;
  if (exponent === 0) return sign * fraction * 2 ** (1 - bias - fractionBits);
  return sign * (1 + fraction / 2 ** fractionBits) * 2 ** (exponent - bias);
}
