// NAME[:TENSOR] of `theta why` → the outputs that are meant, and which of their tensors.

import type { Declaration, OutputNode, RecipeGraph } from "../../compiler/recipe-graph.ts";
import { didYouMean } from "../../dsl/did-you-mean.ts";
import { shortened } from "../../dsl/shortened.ts";
import { EXIT, Failure } from "../failure.ts";

export interface WhyTarget {
  readonly name: string;
  /** A glob over names of tensors. */
  readonly tensor?: string;
  readonly outputs: readonly OutputNode[];
  /** Only tensors that read this source. */
  readonly role?: string;
}

/**
 * A name is an output's path as the recipe spells it, or what a statement declares: then all outputs that are made of it
 * are meant. What is no name as a whole is split at its last colon. Throws a Failure (64) when there is no such name.
 */
export function findWhyTarget(text: string, graph: RecipeGraph, outputs: readonly OutputNode[]): WhyTarget {
  const whole = named(text, graph, outputs);
  if (whole !== undefined) return whole;
  const colon = text.lastIndexOf(":");
  const name = colon === -1 ? text : text.slice(0, colon);
  const found = colon === -1 ? undefined : named(name, graph, outputs);
  if (found !== undefined) return { ...found, tensor: text.slice(colon + 1) };
  const names = [...outputs.map(({ display }) => display), ...graph.declarations.map((declared) => declared.name)];
  const near = didYouMean(name, names);
  throw new Failure(EXIT.usage, `the recipe has no output and no name ${JSON.stringify(shortened(name))}`, {
    code: "no-such-name",
    help: near !== undefined ? `did you mean ${near}?` : `it has ${names.slice(0, MOST_NAMES).join(", ")}`,
  });
}

const MOST_NAMES = 12;

function named(name: string, graph: RecipeGraph, outputs: readonly OutputNode[]): WhyTarget | undefined {
  const own = outputs.filter(({ display }) => display === name);
  if (own.length > 0) return { name, outputs: own };
  const declared = graph.declarations.find((declaration) => declaration.name === name);
  if (declared === undefined) return undefined;
  const made = outputs.filter((output) => isMadeOf(output, declared));
  return { name, outputs: made, ...(isSource(declared) && { role: name }) };
}

function isSource({ node }: Declaration): boolean {
  return ["checkpoint", "adapter", "stored-vector"].includes(node.kind);
}

/** Nodes are shared, not copied, so what is made of one holds that very object. */
function isMadeOf(output: OutputNode, { node }: Declaration): boolean {
  const found = new Set<object>([output]);
  for (const each of found) {
    const parts: readonly unknown[] = each instanceof Map ? [...each.values()] : Object.values(each);
    for (const part of parts) if (typeof part === "object" && part !== null) found.add(part);
  }
  return found.has(node);
}
