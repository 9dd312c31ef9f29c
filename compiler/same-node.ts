// Whether two nodes of the recipe graph say the same: a name and its definition, or one thing written twice. Names and
// places do not count.

const IGNORED: ReadonlySet<string> = new Set(["name", "span", "display"]);

/** Without recursion, because merges may stand on each other as deep as they like, and each pair once. */
export function isSameNode(left: object, right: object): boolean {
  const compared = new Map<object, Set<object>>();
  const stack: (readonly [unknown, unknown])[] = [[left, right]];
  for (let pair = stack.pop(); pair !== undefined; pair = stack.pop()) {
    const [one, other] = pair;
    if (Object.is(one, other)) continue;
    if (typeof one !== "object" || typeof other !== "object" || one === null || other === null) return false;
    const known = compared.get(one) ?? new Set();
    compared.set(one, known);
    if (known.has(other)) continue;
    known.add(other);
    const [ofOne, ofOther] = [partsOf(one), partsOf(other)];
    if (ofOne.length !== ofOther.length) return false;
    for (const [index, [key, part]] of ofOne.entries()) {
      const [otherKey, otherPart] = ofOther[index]!;
      if (key !== otherKey) return false;
      stack.push([part, otherPart]);
    }
  }
  return true;
}

/** By name where they have names, else in order. */
function partsOf(value: object): readonly (readonly [unknown, unknown])[] {
  if (value instanceof Map) return [...(value as Map<unknown, unknown>)];
  if (Array.isArray(value)) return (value as unknown[]).map((part, index) => [index, part]);
  return Object.entries(value)
    .filter(([key, part]) => !IGNORED.has(key) && part !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1));
}
