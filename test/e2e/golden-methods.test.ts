// Every method over awkward tensors of every dtype (0, 1, 2, 255 to 257 and 2^20 ± 1 elements, scalars, rows of one, kernels,
// NaN, infinities, denormals, values that cancel, the largest numbers) against digests of the strict oracle (test/oracle/golden_methods.py).

import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";
import { encodeFloats, makeModelDirectory, raw, readSafetensors, type TestTensor } from "../support/tensors.ts";
import { readOutput } from "./read-output.ts";
import { build } from "./theta-process.ts";

interface Golden {
  readonly recipe: string;
  readonly models: Readonly<Record<string, Mixture>>;
}

interface Mixture {
  readonly tensors: readonly string[];
  /** By path: dtype and the first 64 bits of the digest, tensor by tensor. */
  readonly outputs: Readonly<Record<string, string>>;
  /** By path and tensor with elements, for each mask of it: elements kept, groups that are empty, the first of these or −1. */
  readonly kept: Readonly<Record<string, readonly (readonly number[])[]>>;
}

const golden = JSON.parse(readFileSync(new URL("../golden/methods.json", import.meta.url), "utf8")) as Golden;
const ROLES = { base: "base", one: "m0", two: "m1", three: "m2" } as const;
type Model = Record<string, TestTensor>;

const MACHINES = [
  { how: "as it comes", args: [], environment: {} },
  {
    how: "one thread, chunks of 4 KiB, no vector instructions",
    args: ["--threads", "1", "--memory", "64MiB"],
    environment: { THETA_ISA: "plain", THETA_CHUNK: "4KiB" },
  },
] as const;

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "theta-golden-methods-"));
});
afterEach(() => rmSync(directory, { recursive: true }));

/** The models of a mixture of dtypes, from the cases that the addon is tested with. */
function storedModels(mixture: string): Record<string, Model> {
  const inputs = readSafetensors(fileURLToPath(new URL("../golden/strict/inputs.safetensors", import.meta.url)));
  return Object.fromEntries(
    Object.entries(ROLES).map(([model, role]) => [
      model,
      Object.fromEntries(
        golden.models[mixture]!.tensors.map((name) => {
          const withoutLayer = name.replace(/^h\.\d+\./, "");
          return [name, inputs.get(`${withoutLayer}/${mixture}/${role}`)!];
        }),
      ),
    ]),
  );
}

const LONG = {
  "h.0.below": { dtype: "BF16", shape: [2 ** 20 - 1] },
  "h.1.square": { dtype: "F32", shape: [1024, 1024] },
  "h.2.above": { dtype: "F16", shape: [1, 2 ** 20 + 1] },
} as const;

/** Between −1/2 and 1/2, exact in float32. */
function longValue(index: number, seed: number): number {
  const word = (Math.imul(index, 2654435761) + seed * 40503) >>> 0;
  return ((Math.imul(word ^ (word >>> 15), 2246822519) >>> 8) - 2 ** 23) * 2 ** -24;
}

/** As golden_methods.py makes them. */
function longModels(): Record<string, Model> {
  const models: Record<string, Model> = {};
  for (const [number, model] of Object.keys(ROLES).entries()) {
    const tensors: Model = {};
    for (const [at, [name, { dtype, shape }]] of Object.entries(LONG).entries()) {
      const values = new Array<number>(shape.reduce((product, size) => product * size, 1));
      for (let i = 0; i < values.length; i++) {
        const step = number === 0 ? 0 : longValue(i, 1 + at + 10 * number);
        values[i] = longValue(i, 1 + at) + (Math.abs(step) < 0.2 ? 0 : Math.trunc(step * 64) * 2 ** -9);
      }
      tensors[name] = { dtype, shape, data: encodeFloats(dtype, values) };
    }
    models[model] = tensors;
  }
  return models;
}

/** Of 8 bits: the high bytes of F16, read as one format or the other; model two stays F16. */
function narrowModels(): Record<string, Model> {
  const narrow = ({ shape, data }: TestTensor, number: number): TestTensor =>
    raw(
      number % 2 === 0 ? "F8_E5M2" : "F8_E4M3",
      shape,
      data.filter((_, i) => i % 2 === 1),
    );
  return Object.fromEntries(
    Object.entries(storedModels("F16")).map(([model, tensors]) => [
      model,
      Object.fromEntries(
        Object.entries(tensors).map(([name, tensor], i) => [name, model === "two" ? tensor : narrow(tensor, i)]),
      ),
    ]),
  );
}

const LARGEST = {
  "h.0.F64": Number.MAX_VALUE,
  "h.1.F32": 2 ** 128 - 2 ** 104,
  "h.2.F16": 65504,
  BF16: 2 ** 128 - 2 ** 120,
  one: 2 ** 128 - 2 ** 104,
  scalar: 2 ** 128 - 2 ** 120,
} as const;
/** The bits of the largest number, of half of it and of 1. */
const LARGEST_OF_8_BITS = { F8_E4M3: [0x7e, 0x76, 0x38], F8_E5M2: [0x7b, 0x77, 0x3c] } as const;

/** As golden_methods.py makes them. */
function extremeModels(): Record<string, Model> {
  const models: Record<string, Model> = {};
  for (const [role, model] of Object.keys(ROLES).entries()) {
    const chosen = <T>(pattern: readonly T[], size: number): T[] =>
      Array.from({ length: size }, (_, i) => pattern[(i * (role + 2) + role) % 7]!);
    const tensors: Model = {};
    for (const [name, largest] of Object.entries(LARGEST)) {
      const dtype = { one: "F32", scalar: "BF16" }[name] ?? name.replace(/^h\.\d\./, "");
      const shape = { one: [1], scalar: [] }[name] ?? [5, 5];
      const pattern = [largest, -largest, largest / 2, -largest / 2, 1, -0, largest];
      const size = shape.reduce((product, one) => product * one, 1);
      tensors[name] = { dtype, shape, data: encodeFloats(dtype, chosen(pattern, size)) };
    }
    for (const [dtype, [largest, half, one]] of Object.entries(LARGEST_OF_8_BITS)) {
      const pattern = [largest, largest + 0x80, half, half + 0x80, one, 0x80, largest];
      tensors[dtype] = raw(dtype, [5, 5], chosen(pattern, 25));
    }
    models[model] = tensors;
  }
  return models;
}

function modelsOf(mixture: string): Record<string, Model> {
  if (mixture === "long") return longModels();
  if (mixture === "extreme") return extremeModels();
  return mixture === "F8" ? narrowModels() : storedModels(mixture);
}

const models = Object.fromEntries(Object.keys(golden.models).map((mixture) => [mixture, modelsOf(mixture)]));

/** Behind a tensor of an odd size, so that payloads stand at odd offsets; and the recipe beside them. */
function write(mixture: string): void {
  for (const [name, tensors] of Object.entries(models[mixture]!)) {
    makeModelDirectory(join(directory, name), { odd: raw("U8", [3], [1, 2, 3]), ...tensors });
  }
  // That finite inputs may end in NaN must not depend on what is said of inputs.
  const recipe = mixture === "extreme" ? golden.recipe.replaceAll(" { nan propagate }", "") : golden.recipe;
  writeFileSync(join(directory, "merge.theta"), recipe);
}

const sha256 = (data: Uint8Array): string => createHash("sha256").update(data).digest("hex");

function found(path: string, tensors: readonly string[]): string {
  const output = readOutput(join(directory, path));
  const said = tensors.map((name) => {
    const { dtype, data } = output.get(name)!;
    return `${dtype} ${sha256(data).slice(0, 16)}`;
  });
  return said.join(" ");
}

interface Sidecar {
  readonly tensors: readonly {
    readonly name: string;
    readonly digest: string;
    readonly bytes: number;
    /** `load/1 load/1 subtract/1 …` */
    readonly operations: string;
    readonly counters: {
      readonly masks: readonly { operation: number; kept: number; empty: number; firstEmpty: number }[];
    };
  }[];
}

/** What the masks kept, as the store remembers it of a shard with these bytes; a checksum follows in a line of its own. */
function keptOf(path: string, tensors: readonly string[]): readonly (readonly number[])[] {
  const wanted = new Map([...readOutput(join(directory, path))].map(([name, { data }]) => [name, sha256(data)]));
  const shards = join(directory, ".theta/shards");
  const sidecars = readdirSync(shards)
    .filter((file) => file.endsWith(".json"))
    .map((file) => JSON.parse(readFileSync(join(shards, file), "utf8").split("\n")[0]!) as Sidecar);
  const shard = sidecars.find(({ tensors: all }) =>
    all.every(({ name, digest }) => digest === `sha256:${wanted.get(name)}`),
  );
  const byName = new Map(shard!.tensors.map((tensor) => [tensor.name, tensor]));
  return tensors.map((name) => {
    const { operations, counters, bytes } = byName.get(name)!;
    if (bytes === 0) return [];
    const words = operations.split(" ").map((operation) => operation.split("/")[0]);
    // A mask is counted where it is made, too, and once more where l1 measures what it keeps.
    const applied = counters.masks.filter(
      ({ operation }) => words[operation] === "select" && words[operation + 1] !== "rescale-l1",
    );
    return applied.flatMap(({ kept, empty, firstEmpty }) => [kept, empty, firstEmpty]);
  });
}

/** Each mixture on one of the machines, the long tensors and the large numbers on all. */
const RUNS = Object.keys(golden.models).flatMap((mixture, i) =>
  MACHINES.filter((_, machine) => /long|extreme/.test(mixture) || machine === i % MACHINES.length).map((machine) => ({
    mixture,
    ...machine,
  })),
);

test.each(RUNS)("every method over $mixture equals the strict oracle: $how", ({ mixture, args, environment }) => {
  const { tensors, outputs, kept } = golden.models[mixture]!;
  write(mixture);
  build(directory, [...args, ...Object.keys(outputs).flatMap((path) => ["--only", path])], environment);
  const wrong = Object.entries(outputs).filter(([path, expected]) => found(path, tensors) !== expected);
  expect(wrong.map(([path]) => path)).toEqual([]);
  for (const [path, expected] of Object.entries(kept)) expect(keptOf(path, tensors), path).toEqual(expected);
});
