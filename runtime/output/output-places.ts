// Where outputs may lie, judged with links followed: the compiler has compared the texts of the paths, which a symbolic
// link, a bind mount or a file system that folds case makes equal behind its back. Asked before anything is written.

import { rootOf, sourcesUnder, type SourceNode } from "../../compiler/graph-walk.ts";
import type { OutputNode, RecipeGraph } from "../../compiler/recipe-graph.ts";
import type { Diagnostic } from "../../dsl/diagnostic.ts";
import { PlaceFinder, type RealPlace } from "./real-place.ts";

export interface OwnPlaces {
  /** Of the root recipe; absolute. */
  readonly project: string;
  /** Absolute. */
  readonly store: string;
}

/** Errors at the outputs' statements: their place is an input's, another output's, the project's or the store's. */
export function checkOutputPlaces(graph: RecipeGraph, own: OwnPlaces): readonly Diagnostic[] {
  if (graph.outputs.length === 0) return [];
  const places = new PlaceFinder();
  const project = new Places<"project">();
  project.add(places.find(own.project), "project");
  const store = new Places<"store">();
  store.add(places.find(own.store), "store");
  const read = new Places<SourceNode>();
  const sources = new Map(graph.outputs.flatMap(sourcesOf).map((node) => [node.path, node]));
  for (const node of sources.values()) read.add(places.find(node.path), node);
  const written = new Places<OutputNode>();
  return graph.outputs.flatMap((output) => {
    const place = places.find(output.path);
    const wrong =
      refuseProject(project.touching(place)) ??
      refuseStore(output, store.touching(place)) ??
      refuseInput(output, read.touching(place)) ??
      refuseOutput(output, written.touching(place));
    written.add(place, output);
    if (wrong === undefined) return [];
    const facts = place.path === output.path ? [] : [`with links followed, it is ${place.path}`];
    return [{ ...wrong, severity: "error", span: output.span, facts } as const];
  });
}

type Refusal = Pick<Diagnostic, "code" | "message" | "help" | "notes">;

function refuseProject(found: Touching<"project"> | undefined): Refusal | undefined {
  if (found === undefined || found.how === "lies in") return undefined;
  return {
    code: "output-holds-project",
    message: "this output would take the place of the recipe's own directory",
    help: 'write a directory of its own, such as "dist/merged"',
  };
}

function refuseStore({ display }: OutputNode, found: Touching<"store"> | undefined): Refusal | undefined {
  if (found === undefined) return undefined;
  const help = "write beside the store, or choose another one with --store";
  return { code: "output-is-store", message: `${display} ${found.how} the store`, help };
}

function refuseInput({ display }: OutputNode, found: Touching<SourceNode> | undefined): Refusal | undefined {
  if (found === undefined) return undefined;
  const { name, span } = found.what;
  return {
    code: "output-is-input",
    message: `${display} ${found.how} ${name}, which is read`,
    notes: [{ message: "declared here", span }],
    help: "write to a directory of its own",
  };
}

function refuseOutput({ display }: OutputNode, found: Touching<OutputNode> | undefined): Refusal | undefined {
  if (found === undefined) return undefined;
  const { how, what } = found;
  return {
    code: how === "is" ? "output-path-twice" : "output-nested",
    message: `${display} ${how} the place of the output ${what.display}`,
    notes: [{ message: "the other output", span: what.span }],
    help: how === "is" ? "give one of them another path" : "write them beside each other",
  };
}

function sourcesOf(output: OutputNode): readonly SourceNode[] {
  const { tokenizer, config } = output;
  return [...sourcesUnder(rootOf(output)), ...[tokenizer, config].filter((node) => node !== undefined)];
}

interface Touching<T> {
  readonly what: T;
  readonly how: "is" | "lies in" | "holds";
}

/** Finds the place that is another, above it or below it without comparing each with each. */
class Places<T> {
  readonly #at = new Map<string, T>();
  readonly #below = new Map<string, T>();

  add({ id, above }: RealPlace, what: T): void {
    this.#at.set(id, what);
    for (const directory of above) this.#below.set(directory, what);
  }

  touching({ id, above }: RealPlace): Touching<T> | undefined {
    const same = this.#at.get(id);
    if (same !== undefined) return { what: same, how: "is" };
    for (const directory of above) {
      const holder = this.#at.get(directory);
      if (holder !== undefined) return { what: holder, how: "lies in" };
    }
    const held = this.#below.get(id);
    return held === undefined ? undefined : { what: held, how: "holds" };
  }
}
