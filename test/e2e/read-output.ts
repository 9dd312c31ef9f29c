// Reads what a build wrote: an output directory in the hub's layout, with the tests' own safetensors reader.

import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { readSafetensors, type TestTensor } from "../support/tensors.ts";

/** Every tensor by name. An index must name exactly the tensors that its shards hold. */
export function readOutput(directory: string): Map<string, TestTensor> {
  const index = join(directory, "model.safetensors.index.json");
  if (!existsSync(index)) return readSafetensors(join(directory, "model.safetensors"));
  const { weight_map } = JSON.parse(readFileSync(index, "utf8")) as { weight_map: Record<string, string> };
  const tensors = new Map<string, TestTensor>();
  for (const file of new Set(Object.values(weight_map))) {
    for (const [name, tensor] of readSafetensors(join(directory, file))) {
      if (weight_map[name] !== file) throw new Error(`${file} holds ${name}, the index says ${weight_map[name]}`);
      tensors.set(name, tensor);
    }
  }
  const lost = Object.keys(weight_map).filter((name) => !tensors.has(name));
  if (lost.length > 0) throw new Error(`the index names ${lost.join(", ")}, which no shard holds`);
  return tensors;
}

/** Tensor name → dtype and SHA-256 of the payload. */
export function digests(directory: string): Record<string, readonly [string, string]> {
  return Object.fromEntries(
    [...readOutput(directory)].map(([name, { dtype, data }]) => [
      name,
      [dtype, createHash("sha256").update(data).digest("hex")],
    ]),
  );
}
