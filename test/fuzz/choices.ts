// What generators draw from: a list of numbers, read from the front. A shorter list or smaller numbers make a simpler
// input, so fast-check shrinks every generator by shrinking the list.

export class Choices {
  readonly #numbers: readonly number[];
  #next = 0;

  constructor(numbers: readonly number[]) {
    this.#numbers = numbers;
  }

  /** From 0 up to, not including, `count`; 0 when the list is used up. */
  below(count: number): number {
    return (this.#numbers[this.#next++] ?? 0) % count;
  }

  /** False when the list is used up. */
  chance(of: number, outOf: number): boolean {
    return this.below(outOf) >= outOf - of;
  }

  /** The first of them is the simplest. */
  pick<T>(from: readonly T[]): T {
    return from[this.below(from.length)]!;
  }

  /** At least `least` and at most `most` values. */
  list<T>(least: number, most: number, make: (index: number) => T): T[] {
    return Array.from({ length: least + this.below(most - least + 1) }, (_, index) => make(index));
  }
}
