// Names that differ in numbers only, such as those of a model's layers, as one name with stars in the place of the numbers.

interface NameGroup<T> {
  /** With `*` for each number that varies over all members; a glob that matches them. */
  readonly name: string;
  readonly members: readonly T[];
  /** For each star: what stands in its place, such as "0-21" or "0-3,7". */
  readonly numbers: readonly string[];
}

const NUMBER = /(?<=^|\.)\d+(?=\.|$)/g;

/** In the order of the first members. Only members of which `kind` is equal come together. */
export function groupByName<T>(
  items: readonly T[],
  nameOf: (item: T) => string,
  kind: (item: T) => string,
): readonly NameGroup<T>[] {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const key = JSON.stringify([nameOf(item).replace(NUMBER, "*"), kind(item)]);
    const members = groups.get(key);
    if (members === undefined) groups.set(key, [item]);
    else members.push(item);
  }
  return [...groups.values()].map((members) => toGroup(members, members.map(nameOf)));
}

function toGroup<T>(members: readonly T[], names: readonly string[]): NameGroup<T> {
  const numbers = names.map((name): readonly string[] => name.match(NUMBER) ?? []);
  const values = numbers[0]!.map((_, place) => new Set(numbers.map((row) => row[place]!)));
  let place = 0;
  const name = names[0]!.replace(NUMBER, (number) => (values[place++]!.size > 1 ? "*" : number));
  const varying = values.filter(({ size }) => size > 1);
  return { name, members, numbers: varying.map((set) => ranges([...set].map(Number))) };
}

/** 0, 1, 2, 5 → "0-2,5" */
export function ranges(numbers: readonly number[]): string {
  const sorted = [...numbers].sort((a, b) => a - b);
  const parts: string[] = [];
  for (let at = 0; at < sorted.length;) {
    let end = at;
    while (sorted[end + 1] === sorted[end]! + 1) end++;
    parts.push(end === at ? `${sorted[at]!}` : `${sorted[at]!}-${sorted[end]!}`);
    at = end + 1;
  }
  return parts.join(",");
}
