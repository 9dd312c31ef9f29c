// Names and shapes, turned round and counted.

/** Stored name → its other names, in their order. */
export function namesOf(aliases: ReadonlyMap<string, string>): ReadonlyMap<string, readonly string[]> {
  const names = new Map<string, string[]>();
  for (const [other, stored] of aliases) {
    const list = names.get(stored);
    if (list === undefined) names.set(stored, [other]);
    else list.push(other);
  }
  return names;
}

export function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}
