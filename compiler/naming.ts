// The names of a model's tensors as selectors and ramps see them: stored and tied names, layer stacks, depths.

import type { Layout } from "./layout.ts";
import type { LayerRange } from "./recipe-graph.ts";

/** Where a tensor stands in its stack; `layers` is the stack's number of layers. */
interface Depth {
  readonly layer: number;
  readonly layers: number;
}

export interface Naming {
  /** What messages call the model. */
  readonly display: string;
  /** Stored names in their order, then tied names that are absent from the file. */
  readonly names: readonly string[];
  /** Stored name → its tied names. */
  readonly tied: ReadonlyMap<string, readonly string[]>;
  /** Number of tensors that are stored. */
  readonly tensors: number;
  /** Stack → number of its layers. */
  readonly stacks: ReadonlyMap<string, number>;
}

/** A stack is the part of a name before the first `.N.`; fifteen digits are the most that a float64 holds exactly. */
const LAYER = /\.(\d{1,15})\./;

export function namingOf(
  { tensors, aliases }: { readonly tensors: ReadonlyMap<string, unknown>; readonly aliases: Layout["aliases"] },
  display: string,
): Naming {
  const tied = new Map<string, string[]>();
  for (const [alias, stored] of aliases) {
    const names = tied.get(stored);
    if (names === undefined) tied.set(stored, [alias]);
    else names.push(alias);
  }
  const names = [...tensors.keys(), ...aliases.keys()];
  const stacks = new Map<string, number>();
  for (const name of names) {
    const place = placeOf(name);
    if (place !== undefined) stacks.set(place.stack, Math.max(stacks.get(place.stack) ?? 0, place.layer + 1));
  }
  return { display, names, tied, tensors: tensors.size, stacks };
}

/** A name as stack, layer and what is behind it; undefined for one in no stack. */
export interface Place {
  readonly stack: string;
  readonly layer: number;
  readonly rest: string;
}

export function placeOf(name: string): Place | undefined {
  const match = LAYER.exec(name);
  if (match === null) return undefined;
  const { index } = match;
  return { stack: name.slice(0, index), layer: Number(match[1]), rest: name.slice(index + match[0].length) };
}

/** Outside the layer stacks these lie before the first layer; everything else counts as behind the last. */
export function isBeforeLayers(name: string): boolean {
  return /embed|wte|wpe|patch/.test(name);
}

/** Undefined for a tensor in no stack. */
export function depthOf(naming: Naming, name: string): Depth | undefined {
  const place = placeOf(name);
  if (place === undefined) return undefined;
  const { stack, layer } = place;
  return { layer, layers: Math.max(naming.stacks.get(stack) ?? 0, layer + 1) };
}

/** [from, to) in a stack of so many layers: negative counts from the end, no `to` runs to it. */
export function resolveRange(range: LayerRange, layers: number): { readonly from: number; readonly to: number } {
  const fromEnd = (index: number): number => (index < 0 ? index + layers : index);
  return { from: fromEnd(range.from), to: range.to === undefined ? layers : fromEnd(range.to) };
}
