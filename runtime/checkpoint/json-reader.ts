// A strict JSON reader for text that nobody vouches for. JSON.parse would keep the last of two equal keys silently,
// make `__proto__` something special, round large integers, and build a tree of what is only walked through once.

import { fail, quoted } from "./problem.ts";

export type JsonValue = null | boolean | number | string | readonly JsonValue[] | JsonObject;
/** A Map, so that no key is special; in the order of the text. */
export type JsonObject = ReadonlyMap<string, JsonValue>;

export function isObject(value: JsonValue | undefined): value is JsonObject {
  return value instanceof Map;
}

const DEEPEST = 100;
/** Objects with few keys are searched, others get a Set. */
const FEW_KEYS = 8;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const LONE_SURROGATE = /\p{Cs}/u;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** Python's json module writes the last three; configurations of released models contain them. */
const WORDS: readonly (readonly [string, JsonValue])[] = [
  ["true", true],
  ["false", false],
  ["null", null],
  ["NaN", NaN],
  ["Infinity", Infinity],
  ["-Infinity", -Infinity],
];

/** Walks through one JSON text. Every method reads one value and throws a SourceFailure that says where it is bad. */
export class JsonReader {
  readonly #text: string;
  /** What messages call the text, such as "models/a/config.json". */
  readonly #display: string;
  #at = 0;
  #depth = 0;

  /** The part of the text that messages name beside what is wrong, such as "tensor lm_head.weight: ". */
  within: () => string = () => "";

  constructor(text: string, display: string) {
    this.#text = text;
    this.#display = display;
  }

  /** UTF-16 offset of what is read next, white space skipped. */
  get position(): number {
    this.#skipSpace();
    return this.#at;
  }

  /** UTF-16 offset behind what was read last. */
  get offset(): number {
    return this.#at;
  }

  /**
   * Calls `member` for every key in order, with the UTF-16 offsets of the key's quotes; it must read the value. A second
   * equal key is an error.
   */
  readObject(what: string, member: (key: string, start: number, end: number) => void): void {
    this.#open("{", what, "an object");
    const few: string[] = [];
    let many: Set<string> | undefined;
    if (!this.#take("}")) {
      do {
        const start = this.position;
        const key = this.readString("a key");
        if (many?.has(key) ?? few.includes(key)) {
          this.#at = start;
          this.#bad("json-duplicate-key", `${what} has the key ${quoted(key)} twice`);
        }
        if (many !== undefined) many.add(key);
        else if (few.push(key) > FEW_KEYS) many = new Set(few);
        const end = this.#at;
        if (!this.#take(":")) this.#unexpected(`":" behind the key ${quoted(key)}`);
        member(key, start, end);
      } while (this.#take(","));
      if (!this.#take("}")) this.#unexpected(`"," or "}"`);
    }
    this.#depth--;
  }

  /** Calls `element` for every element; it must read it. */
  readArray(what: string, element: (index: number) => void): void {
    this.#open("[", what, "an array");
    if (!this.#take("]")) {
      let index = 0;
      do element(index++);
      while (this.#take(","));
      if (!this.#take("]")) this.#unexpected(`"," or "]" in ${what}`);
    }
    this.#depth--;
  }

  readString(what: string): string {
    const start = this.position;
    const text = this.#text;
    if (text.charCodeAt(start) !== QUOTE) this.#wrongType(what, "a string");
    let escaped = false;
    let end = start + 1;
    for (let unit = text.charCodeAt(end); unit !== QUOTE; unit = text.charCodeAt(end)) {
      if (unit === BACKSLASH) {
        escaped = true;
        end++;
      } else if (unit < 0x20) {
        this.#at = end;
        this.#bad("json-syntax", `${what} holds a control character that is not escaped`);
      } else if (Number.isNaN(unit)) {
        this.#at = text.length;
        this.#unexpected(`the end of the string that begins at character ${start + 1}`);
      }
      end++;
    }
    this.#at = end + 1;
    return escaped ? this.#unescape(what, start) : text.slice(start + 1, end);
  }

  /** An integer from 0 to 2^53 − 1, written without sign, point or exponent. */
  readCount(what: string): number {
    const start = this.position;
    const text = this.#text;
    let value = 0;
    let end = start;
    for (let digit = text.charCodeAt(end) - 0x30; digit >= 0 && digit <= 9; digit = text.charCodeAt(end) - 0x30) {
      value = value * 10 + digit;
      end++;
    }
    const next = text[end];
    const leadingZero = text[start] === "0" && end > start + 1;
    const whole = end > start && !leadingZero && next !== "." && next !== "e" && next !== "E";
    if (whole && value <= Number.MAX_SAFE_INTEGER) {
      this.#at = end;
      return value;
    }
    const number = /^-?\d[\d.eE+-]*/.exec(text.slice(start, start + 41))?.[0];
    if (number === undefined) this.#wrongType(what, "an integer");
    const shown = number.length > 40 ? `${number.slice(0, 40)}…` : number;
    this.#bad("json-number", `${what} must be an integer from 0 to 2^53 - 1, not ${shown}`);
  }

  readValue(what: string): JsonValue {
    const first = this.#text[this.position];
    if (first === '"') return this.readString(what);
    if (first === "{") {
      const members = new Map<string, JsonValue>();
      this.readObject(what, (key) => members.set(key, this.readValue(quoted(key))));
      return members;
    }
    if (first === "[") {
      const elements: JsonValue[] = [];
      this.readArray(what, () => elements.push(this.readValue(what)));
      return elements;
    }
    for (const [word, value] of WORDS) {
      if (this.#text.startsWith(word, this.#at)) {
        this.#at += word.length;
        return value;
      }
    }
    NUMBER.lastIndex = this.#at;
    const number = NUMBER.exec(this.#text)?.[0];
    if (number === undefined) this.#unexpected(`a value for ${what}`);
    this.#at += number.length;
    return Number(number);
  }

  /** Nothing but white space may follow. */
  end(): void {
    if (this.position < this.#text.length) this.#unexpected("the end of the text");
  }

  #open(bracket: string, what: string, type: string): void {
    if (!this.#take(bracket)) this.#wrongType(what, type);
    if (++this.#depth > DEEPEST) this.#bad("json-syntax", `${what} is nested more than ${DEEPEST} levels deep`);
  }

  #take(punctuation: string): boolean {
    if (this.#text[this.position] !== punctuation) return false;
    this.#at++;
    return true;
  }

  #skipSpace(): void {
    for (; ; this.#at++) {
      const unit = this.#text.charCodeAt(this.#at);
      if (unit !== 0x20 && unit !== 0x0a && unit !== 0x0d && unit !== 0x09) return;
    }
  }

  /** JSON.parse knows escapes; a string alone has none of its traps. */
  #unescape(what: string, start: number): string {
    let value: string;
    try {
      value = JSON.parse(this.#text.slice(start, this.#at)) as string;
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      this.#at = start;
      this.#bad("json-syntax", `${what} has an escape that JSON does not define`);
    }
    if (LONE_SURROGATE.test(value)) {
      this.#at = start;
      this.#bad("json-syntax", `${what} holds half of a surrogate pair`);
    }
    return value;
  }

  #wrongType(what: string, type: string): never {
    const found = this.#found();
    const starts = /^["{[\d\-tfnNI]/.test(found);
    this.#bad(starts ? "json-type" : "json-syntax", `${what} must be ${type}, found ${this.#foundText()}`);
  }

  #unexpected(wanted: string): never {
    this.#bad("json-syntax", `expected ${wanted}, found ${this.#foundText()}`);
  }

  #found(): string {
    return this.#text.slice(this.position, this.#at + 12);
  }

  #foundText(): string {
    const found = this.#found();
    if (found === "") return "the end of the text";
    const type = { '"': "a string", "{": "an object", "[": "an array" }[found[0]!];
    return type ?? quoted(/^(?:-?[\w.+]+|.)/su.exec(found)?.[0] ?? found);
  }

  #bad(code: "json-syntax" | "json-duplicate-key" | "json-type" | "json-number", sentence: string): never {
    fail(code, `${this.#display}: ${this.within()}${sentence}, at ${this.#place()}`);
  }

  /** Headers are one long line: there the column alone says more than "line 1" would. */
  #place(): string {
    let line = 1;
    let lineStart = 0;
    for (let at = this.#text.indexOf("\n"); at !== -1 && at < this.#at; at = this.#text.indexOf("\n", lineStart)) {
      line++;
      lineStart = at + 1;
    }
    return `${line === 1 ? "" : `line ${line}, `}character ${this.#at - lineStart + 1}`;
  }
}

/** One whole text as a tree. */
export function parseJson(text: string, display: string, what: string): JsonValue {
  const reader = new JsonReader(text, display);
  const value = reader.readValue(what);
  reader.end();
  return value;
}
