// Order of names by their UTF-8 bytes, which is the order of code points. JavaScript compares UTF-16 units, which
// differs where one name has a surrogate pair and the other a unit above them.

const SURROGATE = /[\ud800-\udfff]/;

/** Sorts in place and returns `names`. */
export function sortByBytes(names: string[]): string[] {
  if (names.some((name) => SURROGATE.test(name))) return names.sort(compareByBytes);
  // Most are in order already, and to see that costs less than to sort.
  return names.every((name, index) => index === 0 || names[index - 1]! <= name) ? names : names.sort();
}

export function compareByBytes(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let index = 0; index < length; index++) {
    const left = a.charCodeAt(index);
    const right = b.charCodeAt(index);
    if (left !== right) return rank(left) - rank(right);
  }
  return a.length - b.length;
}

/** Surrogates stand for code points above all others. */
function rank(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}
