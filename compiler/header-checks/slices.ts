// Do the slices of a stack fit each other: every layer has the tensors and shapes that a layer of the first model has,
// and what lies behind the layers means the same in the first model and in the last.

import type { Report } from "../../dsl/diagnostic.ts";
import type { Layout, LayoutTensor } from "../layout.ts";
import { isSameShape, tensorFacts, type TensorFact } from "../lower/tensor-facts.ts";
import { placeOf, type Naming } from "../naming.ts";
import type { Slice } from "../recipe-graph.ts";

/** A slice with its layers [from, to) found in its model. */
export interface SliceLayers {
  readonly slice: Slice;
  readonly from: number;
  readonly to: number;
  readonly layout: Layout;
  readonly naming: Naming;
  readonly stack: string;
}

/** What layers of the first model hold, by the part of a name behind the layer's number. */
interface Pattern {
  /** The first tensor of each shape. */
  readonly shapes: readonly LayoutTensor[];
  readonly inEveryLayer: boolean;
}

/** False when something was wrong; the first of its kind in each slice is reported. */
export function checkSlicesFit(slices: readonly SliceLayers[], report: Report): boolean {
  const first = slices[0]!;
  const last = slices.at(-1)!;
  const patterns = patternsOf(first);
  const checked = slices.map((slice) => checkSlice(slice, first, patterns, report));
  const isBehindSound = last.layout === first.layout || checkBehind(first, last, report);
  return checked.every(Boolean) && isBehindSound && checkSharedTensors(slices, report);
}

function layersOf({ layout, stack }: SliceLayers): Map<number, Map<string, LayoutTensor>> {
  const layers = new Map<number, Map<string, LayoutTensor>>();
  const add = (name: string, tensor: LayoutTensor): void => {
    const place = placeOf(name);
    if (place?.stack !== stack) return;
    const rests = layers.get(place.layer) ?? new Map<string, LayoutTensor>();
    layers.set(place.layer, rests.set(place.rest, tensor));
  };
  for (const [name, tensor] of layout.tensors) add(name, tensor);
  for (const [alias, name] of layout.aliases) add(alias, layout.tensors.get(name)!);
  return layers;
}

function patternsOf(first: SliceLayers): ReadonlyMap<string, Pattern> {
  const layers = layersOf(first);
  const shapes = new Map<string, LayoutTensor[]>();
  const counts = new Map<string, number>();
  for (const rests of layers.values()) {
    for (const [rest, tensor] of rests) {
      const known = shapes.get(rest) ?? [];
      if (!known.some((other) => isSameShape(other.tensor.shape, tensor.tensor.shape))) known.push(tensor);
      shapes.set(rest, known);
      counts.set(rest, (counts.get(rest) ?? 0) + 1);
    }
  }
  return new Map(
    [...shapes].map(([rest, found]) => [rest, { shapes: found, inEveryLayer: counts.get(rest) === layers.size }]),
  );
}

function checkSlice(
  slice: SliceLayers,
  first: SliceLayers,
  patterns: ReadonlyMap<string, Pattern>,
  report: Report,
): boolean {
  const layers = layersOf(slice);
  const { stack, naming } = slice;
  const { span } = slice.slice;
  for (let layer = slice.from; layer < slice.to; layer++) {
    const rests = layers.get(layer);
    if (rests === undefined) {
      const message = `${naming.display} has no tensor of ${stack}.${layer}, which this slice takes`;
      report({ code: "no-such-layer", severity: "error", message, span });
      return false;
    }
    if (slice.layout === first.layout) continue;
    for (const [rest, { inEveryLayer }] of patterns) {
      if (!inEveryLayer || rests.has(rest)) continue;
      const name = `${stack}.${layer}.${rest}`;
      const message = `${naming.display} has no tensor ${name}, and every layer of ${first.naming.display} has one`;
      report({ code: "missing-tensor", severity: "error", message, span, help: ONE_ARCHITECTURE });
      return false;
    }
    for (const [rest, tensor] of rests) {
      const pattern = patterns.get(rest);
      const name = `${stack}.${layer}.${rest}`;
      if (pattern === undefined) {
        const message = `${naming.display} has ${name}, and no layer of ${first.naming.display} has such a tensor`;
        report({ code: "extra-tensor", severity: "error", message, span, help: ONE_ARCHITECTURE });
        return false;
      }
      if (pattern.shapes.some((other) => isSameShape(other.tensor.shape, tensor.tensor.shape))) continue;
      report({
        code: "shape-mismatch",
        severity: "error",
        message: `${name} of ${naming.display} has another shape than in the layers of ${first.naming.display}`,
        span,
        facts: tensorFacts([factOf(pattern.shapes[0]!), factOf(tensor)]),
      });
      return false;
    }
  }
  return true;
}

/** T5 and its kin keep in the first layer what all layers of the stack use. */
const SHARED_BY_ALL = /relative_attention_bias\./;

function checkSharedTensors(slices: readonly SliceLayers[], report: Report): boolean {
  return slices.every((slice, index) => {
    const layers = layersOf(slice);
    const shared = [...(layers.get(0)?.keys() ?? [])].find(
      (rest) => SHARED_BY_ALL.test(rest) && [...layers.values()].filter((rests) => rests.has(rest)).length === 1,
    );
    const takesFirst = slice.from === 0;
    if (shared === undefined || takesFirst === (index === 0)) return true;
    report({
      code: takesFirst ? "extra-tensor" : "missing-tensor",
      severity: "error",
      message: `only layer 0 of ${slice.naming.display} has ${shared}, which all layers use, so it must be the first of the stack and stand there once`,
      span: slice.slice.span,
      help: takesFirst ? "begin this slice at layer 1 or behind it" : "begin the stack with slice(…, 0..B)",
    });
    return false;
  });
}

const ONE_ARCHITECTURE =
  "the layers of a stack must be of one architecture, because one config.json describes them all";

/** A head of its own in the last model has no place where the first model's head is its embedding. */
function checkBehind(first: SliceLayers, last: SliceLayers, report: Report): boolean {
  const { tensors, aliases } = last.layout;
  for (const [stored, tied] of first.naming.tied) {
    const names = [stored, ...tied].filter((name) => placeOf(name) === undefined);
    const apart = new Set(names.map((name) => aliases.get(name) ?? name).filter((name) => tensors.has(name)));
    if (apart.size < 2) continue;
    const [one, other] = apart;
    report({
      code: "tied-apart",
      severity: "error",
      message: `${last.naming.display} stores ${one} apart from ${other}; in ${first.naming.display}, the first of the stack, they are one tensor`,
      span: last.slice.span,
      help: "begin and end the stack with models that agree on it",
    });
    return false;
  }
  return true;
}

function factOf({ node, tensor }: LayoutTensor): TensorFact {
  const { name, path, display, span } = node;
  return { name, tensor, path, display, span };
}
