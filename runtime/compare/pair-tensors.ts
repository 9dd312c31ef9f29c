// Which tensors of two checkpoints belong together: those of one name, whether stored under it or tied.

import { isFloat, type TensorInfo } from "../../compiler/checkpoint.ts";
import { compareByBytes, sortByBytes } from "../checkpoint/byte-order.ts";
import type { AnyCheckpoint } from "./any-checkpoint.ts";

/** `name`: the one that it is stored under, in a where the two differ; `tied`: the others under which both have it. */
export type TensorPair = { readonly name: string; readonly tied: readonly string[] } & (
  | { readonly relation: "comparable" | "shape" | "dtype"; readonly a: TensorInfo; readonly b: TensorInfo }
  | { readonly relation: "only-a"; readonly a: TensorInfo; readonly b?: undefined }
  | { readonly relation: "only-b"; readonly a?: undefined; readonly b: TensorInfo }
);

type Relation = TensorPair["relation"];

/** Sorted by name, by bytes. A pair of stored tensors appears once, whatever names it has. */
export function pairTensors(
  a: AnyCheckpoint,
  b: AnyCheckpoint,
  selected: (name: string) => boolean,
): readonly TensorPair[] {
  const names = new Set([...allNames(a), ...allNames(b)]);
  const pairs = new Map<string, { a?: TensorInfo; b?: TensorInfo; names: string[] }>();
  for (const name of sortByBytes([...names])) {
    const [ofA, ofB] = [tensorOf(a, name), tensorOf(b, name)];
    const key = JSON.stringify([ofA?.name, ofB?.name]);
    const pair = pairs.get(key);
    if (pair === undefined) pairs.set(key, { ...(ofA && { a: ofA }), ...(ofB && { b: ofB }), names: [name] });
    else pair.names.push(name);
  }
  const found = [...pairs.values()].flatMap((pair): TensorPair[] => {
    if (!pair.names.some(selected)) return [];
    const stored = (pair.a ?? pair.b)!.name;
    const name = pair.names.includes(stored) ? stored : pair.names[0]!;
    const tied = pair.names.filter((other) => other !== name);
    if (pair.b === undefined) return [{ name, tied, relation: "only-a", a: pair.a! }];
    if (pair.a === undefined) return [{ name, tied, relation: "only-b", b: pair.b }];
    return [{ name, tied, relation: relationOf(pair.a, pair.b), a: pair.a, b: pair.b }];
  });
  return found.sort((x, y) => compareByBytes(x.name, y.name));
}

/** Every name of a checkpoint, tied ones included. */
export function allNames({ tensors, aliases }: AnyCheckpoint): readonly string[] {
  return [...tensors.keys(), ...aliases.keys()];
}

function tensorOf({ tensors, aliases }: AnyCheckpoint, name: string): TensorInfo | undefined {
  return tensors.get(name) ?? tensors.get(aliases.get(name) ?? name);
}

function relationOf(a: TensorInfo, b: TensorInfo): Relation & ("comparable" | "shape" | "dtype") {
  if (a.shape.join() !== b.shape.join()) return "shape";
  return a.dtype === b.dtype || (isFloat(a.dtype) && isFloat(b.dtype)) ? "comparable" : "dtype";
}
