// Parses the part of Python's regular expressions that adapter configurations use. What is not understood is refused
// by a Refusal: half understood, it could give a module another rank than PEFT does.

import { printable } from "../../dsl/printable.ts";

export type Test = (point: string) => boolean;

export type Node =
  | { readonly kind: "one"; readonly test: Test }
  | { readonly kind: "start" | "end" }
  | { readonly kind: "sequence"; readonly of: readonly Node[] }
  | { readonly kind: "either"; readonly of: readonly Node[] }
  | { readonly kind: "repeat"; readonly of: Node; readonly least: number; readonly most: number };

const MOST_CLASS_MEMBERS = 200;
const DEEPEST = 100;

/** Says what in a pattern is not served, such as "a look-ahead". */
export class Refusal extends Error {}

export function parsePattern(key: string): Node {
  return new PatternParser(key).parse();
}

class PatternParser {
  readonly #points: readonly string[];
  #at = 0;
  #depth = 0;

  constructor(key: string) {
    this.#points = [...key];
  }

  parse(): Node {
    const node = this.#either();
    if (this.#at < this.#points.length) throw new Refusal("an unmatched )");
    return node;
  }

  #either(): Node {
    if (++this.#depth > DEEPEST) throw new Refusal(`groups nested more than ${DEEPEST} deep`);
    const of = [this.#sequence()];
    while (this.#take("|")) of.push(this.#sequence());
    this.#depth--;
    return { kind: "either", of };
  }

  #sequence(): Node {
    const of: Node[] = [];
    for (let next = this.#peek(); next !== undefined && next !== "|" && next !== ")"; next = this.#peek()) {
      of.push(this.#repeated(this.#atom()));
    }
    return { kind: "sequence", of };
  }

  #repeated(of: Node): Node {
    const bounds = this.#quantifier();
    if (bounds === undefined) return of;
    const [least, most] = bounds;
    if (of.kind === "start" || of.kind === "end") throw new Refusal("a repeated ^ or $");
    if (least > most) throw new Refusal(`{${least},${most}}, which runs backwards`);
    // Whether as few or as many as possible are taken does not change whether the whole matches.
    this.#take("?");
    if (this.#peek() === "+") throw new Refusal("a possessive quantifier");
    if (this.#quantifier() !== undefined) throw new Refusal("a repeated quantifier");
    return { kind: "repeat", of, least, most };
  }

  #quantifier(): readonly [number, number] | undefined {
    if (this.#take("*")) return [0, Infinity];
    if (this.#take("+")) return [1, Infinity];
    if (this.#take("?")) return [0, 1];
    if (this.#peek() !== "{") return undefined;
    // A brace that is no quantifier stands for itself, as in Python.
    const text = /^\{(?:(\d+)|(\d*),(\d*))\}/.exec(this.#points.slice(this.#at, this.#at + 32).join(""));
    if (text === null) return undefined;
    this.#at += text[0].length;
    const [, exact, least, most] = text;
    if (exact !== undefined) return [Number(exact), Number(exact)];
    return [least ? Number(least) : 0, most ? Number(most) : Infinity];
  }

  #atom(): Node {
    if (this.#quantifier() !== undefined) throw new Refusal("a quantifier behind nothing");
    const point = this.#points[this.#at++]!;
    switch (point) {
      case "(":
        return this.#group();
      case "[":
        return { kind: "one", test: this.#characterClass() };
      case ".":
        return { kind: "one", test: (other) => other !== "\n" };
      case "^":
        return { kind: "start" };
      case "$":
        return { kind: "end" };
      case "\\":
        return { kind: "one", test: this.#escape() };
      default:
        return { kind: "one", test: (other) => other === point };
    }
  }

  #group(): Node {
    if (this.#take("?") && !this.#take(":")) throw new Refusal("a group that begins with (?");
    const inner = this.#either();
    if (!this.#take(")")) throw new Refusal("a group that is not closed");
    return inner;
  }

  #characterClass(): Test {
    const negated = this.#take("^");
    const tests: Test[] = [];
    for (let first = true; first || this.#peek() !== "]"; first = false) {
      if (tests.length === MOST_CLASS_MEMBERS) throw new Refusal(`a class of more than ${MOST_CLASS_MEMBERS} members`);
      const from = this.#classMember();
      const isRange = this.#peek() === "-" && this.#points[this.#at + 1] !== "]";
      if (!isRange) {
        tests.push(typeof from === "string" ? (point) => point === from : from);
        continue;
      }
      this.#at++;
      const to = this.#classMember();
      if (typeof from !== "string" || typeof to !== "string") throw new Refusal("a range that ends in a class");
      const [low, high] = [from.codePointAt(0)!, to.codePointAt(0)!];
      if (high < low) throw new Refusal("a range that runs backwards");
      tests.push((point) => low <= point.codePointAt(0)! && point.codePointAt(0)! <= high);
    }
    this.#at++;
    return (point) => tests.some((test) => test(point)) !== negated;
  }

  /** A character, or the test that an escape such as \d stands for. */
  #classMember(): string | Test {
    const point = this.#points[this.#at++];
    if (point === undefined) throw new Refusal("a [ that is not closed");
    if (point !== "\\") return point;
    const escaped = this.#points[this.#at];
    if (escaped !== undefined && PUNCTUATION.test(escaped)) {
      this.#at++;
      return escaped;
    }
    return this.#escape();
  }

  #escape(): Test {
    const letter = this.#points[this.#at++] ?? "";
    if (PUNCTUATION.test(letter)) return (point) => point === letter;
    const test = CLASSES.get(letter);
    if (test === undefined) throw new Refusal(`the escape \\${printable(letter)}`);
    return test;
  }

  #peek(): string | undefined {
    return this.#points[this.#at];
  }

  #take(point: string): boolean {
    if (this.#points[this.#at] !== point) return false;
    this.#at++;
    return true;
  }
}

const PUNCTUATION = /^[!-/:-@[-`{-~ ]$/;
const DIGIT = /^\p{Nd}$/u;
const WORD = /^[\p{L}\p{N}_]$/u;
const SPACE = /^\s$/u;
const CLASSES: ReadonlyMap<string, Test> = new Map([
  ["d", (point: string) => DIGIT.test(point)],
  ["D", (point: string) => !DIGIT.test(point)],
  ["w", (point: string) => WORD.test(point)],
  ["W", (point: string) => !WORD.test(point)],
  ["s", (point: string) => SPACE.test(point)],
  ["S", (point: string) => !SPACE.test(point)],
]);
