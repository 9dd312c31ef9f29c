// Models whose tensors each hold one number, so that a merge of them that is torn, or mixed from two, is seen at once.

import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { f32, type TestTensors } from "../../support/tensors.ts";

/** The tensor with position p holds value + p. Merged are those of the values 1 and 3. */
export function constantModel(tensors: number, elements: number, value: number): TestTensors {
  const names = Array.from({ length: tensors }, (_, at) => `layer.${at}.w`);
  return Object.fromEntries(
    names.map((name, at) => [name, f32([elements], new Array<number>(elements).fill(value + at))]),
  );
}

/** What the merge of `Workspace.graph` holds, by tensor. */
export function mergedNumbers(tensors: number, weight: number): ReadonlyMap<string, number> {
  const merged = (at: number): number => Math.fround(1 + at + Math.fround(weight) * 2);
  return new Map(Array.from({ length: tensors }, (_, at) => [`layer.${at}.w`, merged(at)]));
}

/** What a directory holds, by tensor; undefined where a tensor holds two numbers. */
export function numbersOf(directory: string): ReadonlyMap<string, number | undefined> {
  const numbers = new Map<string, number | undefined>();
  for (const [name, bytes] of filesOf(directory)) {
    if (!name.endsWith(".safetensors")) continue;
    const start = 8 + Number(bytes.readBigUInt64LE(0));
    const header = JSON.parse(bytes.toString("utf8", 8, start)) as Record<string, { data_offsets: [number, number] }>;
    for (const [tensor, { data_offsets: at }] of Object.entries(header)) {
      if (tensor === "__metadata__") continue;
      const payload = bytes.subarray(start + at[0], start + at[1]);
      const same = payload.equals(Buffer.alloc(payload.length, payload.subarray(0, 4)));
      numbers.set(tensor, same ? payload.readFloatLE(0) : undefined);
    }
  }
  return numbers;
}

export function filesOf(directory: string): ReadonlyMap<string, Buffer> {
  const files = readdirSync(directory, { withFileTypes: true }).filter((entry) => entry.isFile());
  return new Map(files.map(({ name }) => [name, readFileSync(join(directory, name))]));
}
