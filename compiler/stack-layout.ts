// The layout of `stack(slice(…), …)`: which layers follow each other, under which new numbers, and where the tensors
// around them come from. What does not fit is reported here, from headers alone.

import { counted } from "../dsl/counted.ts";
import type { Diagnostic, Report } from "../dsl/diagnostic.ts";
import type { Layout, LayerOrigin, LayoutTensor } from "./layout.ts";
import { donorOf } from "./graph-walk.ts";
import { checkSlicesFit, type SliceLayers } from "./header-checks/slices.ts";
import { tensorOf } from "./headers.ts";
import { isSameShape } from "./lower/tensor-facts.ts";
import { isBeforeLayers, placeOf, resolveRange, type Naming } from "./naming.ts";
import type { ModelNode, Slice, StackNode } from "./recipe-graph.ts";

interface Models {
  tryLayout(node: ModelNode): Layout | undefined;
  naming(node: ModelNode): Naming;
}

/** Far beyond any model; nested stacks multiply, so a recipe of a few lines could ask for more than any memory. */
const MOST_TENSORS = 200_000;
const MOST_NESTING = 8;

/** Undefined when the slices make no stack; that was reported. */
export function stackLayout(node: StackNode, models: Models, report: Report): Layout | undefined {
  const layouts = node.slices.map(({ model }) => models.tryLayout(model));
  if (!layouts.every((layout) => layout !== undefined)) return undefined;
  const stack = chooseStack(node, models, report);
  if (stack === undefined) return undefined;
  const slices: SliceLayers[] = [];
  for (const [index, slice] of node.slices.entries()) {
    const naming = models.naming(slice.model);
    const range = rangeOf(slice, stack, naming, report);
    if (range !== undefined) slices.push({ slice, ...range, layout: layouts[index]!, naming, stack });
  }
  if (slices.length < node.slices.length) return undefined;
  const nesting = 1 + Math.max(...layouts.map((layout) => layout.nesting));
  if (nesting > MOST_NESTING) {
    report(tooLarge(node, `more than ${MOST_NESTING} stacks stand inside each other here`));
    return undefined;
  }
  if (!checkSlicesFit(slices, report)) return undefined;
  const tensors = layersOf(slices);
  if (tensors === undefined) {
    report(tooLarge(node, `the layers of this stack have more than ${MOST_TENSORS} tensors`));
    return undefined;
  }
  const aliases = addOutside(tensors, slices);
  return {
    tensors: sortedByBytes(tensors),
    aliases,
    stacked: new Map([...layouts[0]!.stacked, [stack, originsOf(slices)]]),
    nesting,
  };
}

function tooLarge({ span }: StackNode, message: string): Diagnostic {
  return { code: "too-deep", severity: "error", message, span, help: "write one of them as an output and use that" };
}

/** The stack that is named, else the only one of the first model. */
function chooseStack({ slices, stack, span }: StackNode, models: Models, report: Report): string | undefined {
  if (stack !== undefined) return stack.prefix;
  const { stacks, display } = models.naming(slices[0]!.model);
  const [only, ...others] = stacks.keys();
  if (only !== undefined && others.length === 0) return only;
  report({
    code: "which-stack",
    severity: "error",
    message:
      only === undefined
        ? `${display} has no layers (no tensor name has a number between dots), so nothing of it can be stacked`
        : `${display} has several layer stacks, and the recipe does not say which one is meant`,
    span,
    ...(only === undefined ? {} : { notes: stackNotes(stacks), help: `add stack: ${JSON.stringify(longest(stacks))}` }),
  });
  return undefined;
}

function stackNotes(stacks: ReadonlyMap<string, number>): { readonly message: string }[] {
  return [{ message: [...stacks].map(([name, layers]) => `${JSON.stringify(name)} has ${layers}`).join(", ") }];
}

function longest(stacks: ReadonlyMap<string, number>): string {
  return [...stacks].reduce((most, one) => (one[1] > most[1] ? one : most))[0];
}

function rangeOf(
  { range, span }: Slice,
  stack: string,
  { stacks, display }: Naming,
  report: Report,
): { readonly from: number; readonly to: number } | undefined {
  const layers = stacks.get(stack);
  if (layers === undefined) {
    report({
      code: "which-stack",
      severity: "error",
      message: `${display} has no layer stack ${JSON.stringify(stack)}`,
      span,
      notes: stacks.size === 0 ? [{ message: "it has no layers" }] : stackNotes(stacks),
      help: "only models with the same layer stack can be stacked",
    });
    return undefined;
  }
  const { from, to } = resolveRange(range, layers);
  const written = `${range.from}..${range.to ?? ""}`;
  const has = counted(layers, "layer");
  if (from < 0 || from > layers || to < 0 || to > layers) {
    report({
      code: "no-such-layer",
      severity: "error",
      message: `slice ${written} goes beyond ${stack} of ${display}, which has ${has}`,
      span,
      help:
        layers === 1
          ? "its only layer is number 0"
          : `its layers are numbered from 0 to ${layers - 1}, and B in A..B is the first that is left out`,
    });
    return undefined;
  }
  if (from < to) return { from, to };
  report({
    code: "empty-range",
    severity: "error",
    message: `slice ${written} holds no layer of ${display}, which has ${has}`,
    span,
  });
  return undefined;
}

/** Undefined when there are too many. */
function layersOf(slices: readonly SliceLayers[]): Map<string, LayoutTensor> | undefined {
  const tensors = new Map<string, LayoutTensor>();
  let layer = 0;
  for (const { slice, from, to, layout, naming, stack } of slices) {
    const byLayer = new Map<number, { readonly name: string; readonly rest: string }[]>();
    for (const name of naming.names) {
      const place = placeOf(name);
      if (place?.stack !== stack) continue;
      const ofLayer = byLayer.get(place.layer);
      if (ofLayer === undefined) byLayer.set(place.layer, [{ name, rest: place.rest }]);
      else ofLayer.push({ name, rest: place.rest });
    }
    for (let old = from; old < to; old++, layer++) {
      for (const { name, rest } of byLayer.get(old)!) {
        // A name that is tied to another layer's tensor becomes a tensor of its own: it may be moved without the other.
        const { node, tensor } = tensorOf(layout, [name])!;
        tensors.set(`${stack}.${layer}.${rest}`, { node, tensor, from: { model: slice.model, name } });
        if (tensors.size > MOST_TENSORS) return undefined;
      }
    }
  }
  return tensors;
}

/** Adds what lies around the layers, by the first model's names: before them the first model's, behind them the last's. */
function addOutside(tensors: Map<string, LayoutTensor>, slices: readonly SliceLayers[]): ReadonlyMap<string, string> {
  const first = slices[0]!;
  const last = slices.at(-1)!;
  const isBeforeByName = beforeTest(first.naming, first.stack);
  // A head that is tied to the embedding goes with it, whichever of the names is the stored one.
  const isBefore = (name: string) => [name, ...(first.naming.tied.get(name) ?? [])].some(isBeforeByName);
  const aliases = new Map<string, string>();
  const { tensors: stored, aliases: tied } = first.layout;
  for (const [name, own] of stored) {
    if (placeOf(name)?.stack === first.stack) continue;
    const { model } = (isBefore(name) ? first : last).slice;
    const theirs = isBefore(name) ? own : tensorOf(last.layout, [name]);
    const isSame = theirs !== undefined && isSameShape(theirs.tensor.shape, own.tensor.shape);
    tensors.set(name, { ...(isSame ? theirs : own), from: { model, name } });
  }
  for (const [alias, name] of tied) {
    if (placeOf(alias)?.stack === first.stack) continue;
    if (tensors.has(name) && placeOf(name)?.stack !== first.stack) aliases.set(alias, name);
    else tensors.set(alias, { ...tensorOf(first.layout, [alias])!, from: { model: first.slice.model, name: alias } });
  }
  return aliases;
}

/**
 * Beside the words that say so for ramps, what belongs to another stack's module lies before, such as a vision tower,
 * with the projector behind it: models are put together as a whole, and the layers that move are not part of it.
 */
function beforeTest({ stacks }: Naming, stack: string): (name: string) => boolean {
  const towers = [...stacks.keys()].filter((other) => other !== stack).map((other) => `${towerOf(other, stack)}.`);
  return (name) =>
    isBeforeLayers(name) ||
    (towers.length > 0 && (name.includes("projector") || towers.some((tower) => name.startsWith(tower))));
}

/** The shortest beginning of `other`, in whole parts, that is none of `stack`: "model.visual" beside "model.layers". */
function towerOf(other: string, stack: string): string {
  const parts = other.split(".");
  const own = stack.split(".");
  const shared = parts.findIndex((part, index) => part !== own[index]);
  return parts.slice(0, shared === -1 ? parts.length : shared + 1).join(".");
}

function originsOf(slices: readonly SliceLayers[]): LayerOrigin[] {
  return slices.flatMap(({ slice, from, to, layout, stack }) => {
    const before = layout.stacked.get(stack);
    const node = donorOf(slice.model);
    return Array.from({ length: to - from }, (_, index) => before?.[from + index] ?? { node, layer: from + index });
  });
}

const SURROGATE = /[\ud800-\udfff]/;

function sortedByBytes(tensors: ReadonlyMap<string, LayoutTensor>): Map<string, LayoutTensor> {
  const names = [...tensors.keys()];
  // UTF-16 units have the order of bytes but where there are surrogates.
  if (names.some((name) => SURROGATE.test(name))) names.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  else names.sort();
  return new Map(names.map((name) => [name, tensors.get(name)!]));
}
