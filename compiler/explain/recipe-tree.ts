// The view of a recipe as trees of lines. A node is told in full once: where it first stands, or, when that is too deep
// to be read, in a tree of its own below. So the text is about as long as the recipe, whatever names what.

import type { ViewInput, ViewNode } from "./recipe-view.ts";
import { treeText, type TreeLine } from "./tree-text.ts";

/** Levels of branches. */
const DEEPEST = 32;

/** Something lives between calls: what was told, and where. */
export class RecipeTrees {
  readonly #told = new Map<ViewNode, "above" | "below">();
  /** Of what has no name and is told somewhere else than where it is used. */
  readonly #numbers = new Map<ViewNode, string>();
  #below: ViewNode[] = [];

  constructor(outputs: readonly ViewNode[]) {
    for (const node of usedTwice(outputs)) this.#number(node);
  }

  /** The output's tree, then those of what stands too deep in it. */
  textsOf(output: ViewNode): readonly (readonly string[])[] {
    const trees = [treeText(this.#full({ role: "", node: output, notes: [] }, 0))];
    for (const node of this.#takeBelow()) trees.push(treeText(this.#full({ role: "", node, notes: [] }, 0)));
    return trees;
  }

  /** In the order in which they were told. */
  sources(): readonly ViewNode[] {
    return [...this.#told.keys()].filter(isSource);
  }

  nameOf(node: ViewNode): string | undefined {
    return node.name ?? this.#numbers.get(node);
  }

  *#takeBelow(): Generator<ViewNode> {
    while (this.#below.length > 0) {
      const nodes = this.#below;
      this.#below = [];
      yield* nodes;
    }
  }

  #number(node: ViewNode): string {
    const number = `(${this.#numbers.size + 1})`;
    this.#numbers.set(node, number);
    return number;
  }

  /** Sources are told by name, and in a section of their own. */
  #line(input: ViewInput, depth: number): TreeLine {
    const { role, node, notes } = input;
    const before = role === "" ? [] : [role];
    if (isSource(node)) {
      this.#tellSource(node);
      return { cells: [...before, node.name!, ...notes], children: [] };
    }
    const where = this.#told.get(node);
    const name = this.nameOf(node);
    if (where !== undefined && name !== undefined) {
      return { cells: [...before, `${name} (${where})`, ...notes], children: [] };
    }
    if (depth < DEEPEST || node.inputs.length === 0) return this.#full(input, depth);
    this.#tellBelow(node);
    return { cells: [...before, `${this.nameOf(node)!} (below)`, ...notes], children: [] };
  }

  #full({ role, node, notes }: ViewInput, depth: number): TreeLine {
    this.#told.set(node, "above");
    const before = role === "" ? [] : [role];
    const short = this.#inline(node, depth);
    if (short !== undefined) {
      return { cells: [...before, this.#named(node, short.text), ...notes], children: short.children };
    }
    const children = node.inputs.flatMap((input) => {
      // What a gate compares with is in its text, unless that is told nowhere else.
      const isTold = node.kind === "gate" && (isSource(input.node) || this.#told.has(input.node));
      if (isTold && isSource(input.node)) this.#tellSource(input.node);
      return isTold ? [] : [this.#line(input, depth + 1)];
    });
    // Not a column of its own, which would be as wide as what stands above it.
    if (node.kind === "gate") return { cells: [`${role} ${node.text}`], children };
    return { cells: [...before, this.#named(node, node.text), ...notes], children };
  }

  #tellSource(node: ViewNode): void {
    if (this.#told.has(node)) return;
    this.#told.set(node, "above");
    for (const { node: base } of node.inputs) {
      if (isSource(base)) this.#tellSource(base);
      else if (!this.#told.has(base)) this.#tellBelow(base);
    }
  }

  #tellBelow(node: ViewNode): void {
    if (this.nameOf(node) === undefined) this.#number(node);
    this.#told.set(node, "below");
    this.#below.push(node);
  }

  #named(node: ViewNode, text: string): string {
    if (node.kind === "output") return `output ${JSON.stringify(node.name)}  ${text}`;
    const name = this.nameOf(node);
    return name === undefined ? text : `${name} = ${text}`;
  }

  /** `maths - llama` and `llama + ties(…)` on one line, where the names make that possible. */
  #inline(node: ViewNode, depth: number): { text: string; children: readonly TreeLine[] } | undefined {
    const [left, right] = node.inputs;
    if (left === undefined || right === undefined || left.notes.length > 0) return undefined;
    if (node.kind === "difference" && left.node.name !== undefined && right.node.name !== undefined) {
      const unseen = [left, right].filter((input) => !isSource(input.node) && !this.#told.has(input.node));
      for (const { node: side } of [left, right]) if (isSource(side)) this.#tellSource(side);
      const children = unseen.map((input) => this.#line(input, depth + 1));
      return { text: `${left.node.name} - ${right.node.name}`, children };
    }
    if (node.kind === "onto" && isSource(left.node) && right.node.kind === "method") {
      if (this.nameOf(right.node) !== undefined) return undefined;
      this.#tellSource(left.node);
      const { text, inputs } = right.node;
      const children = inputs.map((input) => this.#line(input, depth + 1));
      return { text: [`${left.node.name!} + ${text}`, ...right.notes].join("  "), children };
    }
    return undefined;
  }
}

function isSource(node: ViewNode): boolean {
  return node.name !== undefined && (node.kind === "model" || node.kind === "adapter" || node.kind === "vector");
}

/** What has no name, so that it would be written out at each use. */
function usedTwice(outputs: readonly ViewNode[]): Set<ViewNode> {
  const found = new Set<ViewNode>();
  const visited = new Set(outputs);
  for (const { inputs } of visited) {
    for (const { node } of inputs) {
      if (visited.has(node) && node.name === undefined && node.inputs.length > 0) found.add(node);
      visited.add(node);
    }
  }
  return found;
}
