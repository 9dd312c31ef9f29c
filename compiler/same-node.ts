// Whether two nodes of the recipe graph say the same: a name and its definition, or one thing written twice. Names and
// places do not count.

const IGNORED: ReadonlySet<string> = new Set(["name", "span", "display"]);

/**
 * Gives nodes that say the same one number. Something lives between calls: the numbers, so that a thousand models are
 * compared with a thousand others in the time that it takes to look at each once.
 */
export class NodeNumbers {
  readonly #ofNode = new Map<object, number>();
  readonly #ofText = new Map<string, number>();

  /** Without recursion, because merges may stand on each other as deep as they like. */
  of(root: object): number {
    const stack = [root];
    for (let node = stack.at(-1); node !== undefined; node = stack.at(-1)) {
      const parts = this.#ofNode.has(node) ? [] : partsOf(node);
      const before = stack.length;
      for (const [, part] of parts) if (isObject(part) && !this.#ofNode.has(part)) stack.push(part);
      if (stack.length > before) continue;
      stack.pop();
      if (!this.#ofNode.has(node)) this.#ofNode.set(node, this.#numberOf(parts));
    }
    return this.#ofNode.get(root)!;
  }

  #numberOf(parts: readonly Part[]): number {
    const text = parts.map(([key, part]) => `${key} ${isObject(part) ? this.#ofNode.get(part)! : textOf(part)}`).join();
    const number = this.#ofText.get(text) ?? this.#ofText.size;
    this.#ofText.set(text, number);
    return number;
  }
}

type Part = readonly [key: string, value: unknown];

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

/** No two values have one text, and none has a comma in it but inside quotes. */
function textOf(value: unknown): string {
  return typeof value === "string" ? JSON.stringify(value) : Object.is(value, -0) ? "-0" : `=${String(value)}`;
}

/** By name where they have names, else in order. */
function partsOf(value: object): readonly Part[] {
  if (value instanceof Map) {
    return [...(value as Map<unknown, unknown>)].flatMap(([key, part], index): Part[] => [
      [`key ${index}`, key],
      ["value", part],
    ]);
  }
  if (Array.isArray(value)) return (value as unknown[]).map((part, index) => [String(index), part]);
  return Object.entries(value)
    .filter(([key, part]) => !IGNORED.has(key) && part !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1));
}
