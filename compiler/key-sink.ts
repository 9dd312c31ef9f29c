// What the walk over an action writes its key into: text to hash, or lines for people.

/** Takes the walk's fields in order. Labels are words of this file; only `text` values come from outside. */
export interface KeySink {
  /** What follows belongs to this input or operation, counted from 0. For people; the encoding needs no marks. */
  begin(part: "input" | "operation", index: number): void;
  text(label: string, value: string): void;
  /** float64, by its bits; −0 counts as +0. */
  number(label: string, value: number): void;
  numbers(label: string, values: readonly number[]): void;
  /** Positions, sizes and revisions. */
  integer(label: string, value: number): void;
  integers(label: string, values: readonly number[]): void;
  /** An unsigned 64-bit stream. */
  stream(label: string, value: bigint): void;
}

const float64 = new Float64Array(1);
const words = new Uint32Array(float64.buffer);
/** Most numbers of a recipe are those of every tensor. */
const knownBits = new Map<number, string>();
const MOST_KNOWN = 1000;

/** Big-endian hex of a float64's bits, sixteen digits; −0 as +0. */
export function float64Bits(value: number): string {
  let bits = knownBits.get(value);
  if (bits === undefined) {
    float64[0] = value + 0;
    bits = hex32(words[1]!) + hex32(words[0]!);
    if (knownBits.size < MOST_KNOWN) knownBits.set(value, bits);
  }
  return bits;
}

function hex32(word: number): string {
  return word.toString(16).padStart(8, "0");
}

/**
 * No two walks have one encoding: a field is its label, its kind and its value, whose length is stated (text) or fixed
 * by what it is made of (digits, so many of them).
 */
export class HashSink implements KeySink {
  encoded = "";

  begin(): void {
    // Labels tell the parts apart already.
  }

  text(label: string, value: string): void {
    this.encoded += `${label}:t${value.length}:${value}\n`;
  }
  number(label: string, value: number): void {
    this.encoded += `${label}:f${float64Bits(value)}\n`;
  }
  numbers(label: string, values: readonly number[]): void {
    this.encoded += `${label}:F${values.map(float64Bits).join(",")}\n`;
  }
  integer(label: string, value: number): void {
    this.encoded += `${label}:i${value}\n`;
  }
  integers(label: string, values: readonly number[]): void {
    this.encoded += `${label}:I${values.join(",")}\n`;
  }
  stream(label: string, value: bigint): void {
    this.encoded += `${label}:s${value.toString(16).padStart(16, "0")}\n`;
  }
}

/** Numbers are printed in the shortest form that reads back to the same float64. */
export class ExplanationSink implements KeySink {
  readonly lines: string[] = [];
  #part = "";

  begin(part: "input" | "operation", index: number): void {
    this.#part = part;
    this.lines.push(`${part} ${index}`);
  }
  text(label: string, value: string): void {
    this.#add(label, value);
  }
  number(label: string, value: number): void {
    this.#add(label, String(value + 0));
  }
  numbers(label: string, values: readonly number[]): void {
    this.#add(label, `[${values.map((value) => value + 0).join(", ")}]`);
  }
  integer(label: string, value: number): void {
    // The number of operations ends the last input's line.
    if (label === "operations") this.#part = "";
    this.#add(label, String(value));
  }
  integers(label: string, values: readonly number[]): void {
    this.#add(label, `[${values.join(", ")}]`);
  }
  stream(label: string, value: bigint): void {
    this.#add(label, value.toString(16).padStart(16, "0"));
  }

  #add(label: string, value: string): void {
    if (this.#part === "") this.lines.push(`${label}  ${value}`);
    else this.lines.push(`${this.lines.pop()!}  ${this.#short(label)}${value}`);
  }

  /** The part's own word is not said twice. */
  #short(label: string): string {
    if (label === this.#part && label === "operation") return "";
    return `${label.replace(`${this.#part} `, "")} `;
  }
}
