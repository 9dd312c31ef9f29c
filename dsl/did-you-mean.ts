// The name that was probably meant. Used for words of the language, declared names, parameters and tensor names, of
// which a checkpoint may have ten thousand, so the distance is computed in a band and given up early.

/** Longer words are compared with nothing: nobody mistypes a whole paragraph by two letters. */
const MAX_LENGTH = 200;

/**
 * The candidate nearest to `word` by edits (insert, delete, replace, swap of neighbours), if it is near enough: at most
 * one edit in three letters. A candidate that differs only in case counts as nearer than any other; of equals the first.
 */
export function didYouMean(word: string, candidates: Iterable<string>): string | undefined {
  if (word.length === 0 || word.length > MAX_LENGTH) return undefined;
  const lowered = word.toLowerCase();
  let best: string | undefined;
  let limit = Math.max(1, Math.floor(word.length / 3));
  for (const candidate of candidates) {
    if (candidate === word) continue;
    if (candidate.toLowerCase() === lowered) return candidate;
    const distance = limit > 0 ? editDistance(word, candidate, limit) : undefined;
    if (distance === undefined) continue;
    // A word of one or two letters would otherwise be near to every other.
    if (distance >= Math.max(word.length, candidate.length)) continue;
    best = candidate;
    limit = distance - 1;
  }
  return best;
}

/** The optimal string alignment distance, or undefined when it is above `limit`. Time O(limit × length). */
export function editDistance(a: string, b: string, limit: number): number | undefined {
  if (Math.abs(a.length - b.length) > limit) return undefined;
  const width = b.length + 1;
  let beforeLast = new Array<number>(width).fill(limit + 1);
  let last = Array.from({ length: width }, (_, j) => j);
  let row = new Array<number>(width).fill(limit + 1);
  for (let i = 1; i <= a.length; i++) {
    const from = Math.max(1, i - limit);
    const to = Math.min(b.length, i + limit);
    row[from - 1] = from === 1 ? i : limit + 1;
    let smallest = row[from - 1]!;
    for (let j = from; j <= to; j++) {
      const isSame = a.charCodeAt(i - 1) === b.charCodeAt(j - 1);
      let distance = Math.min(last[j - 1]! + (isSame ? 0 : 1), last[j]! + 1, row[j - 1]! + 1);
      if (
        i > 1 &&
        j > 1 &&
        a.charCodeAt(i - 1) === b.charCodeAt(j - 2) &&
        a.charCodeAt(i - 2) === b.charCodeAt(j - 1)
      ) {
        distance = Math.min(distance, beforeLast[j - 2]! + 1);
      }
      row[j] = distance;
      if (distance < smallest) smallest = distance;
    }
    // Outside the band nothing can come back below the limit.
    if (to < b.length) row[to + 1] = limit + 1;
    if (smallest > limit) return undefined;
    [beforeLast, last, row] = [last, row, beforeLast];
  }
  const distance = last[b.length]!;
  return distance > limit ? undefined : distance;
}
