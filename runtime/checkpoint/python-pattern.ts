// Matches module names against the keys of PEFT's rank_pattern and alpha_pattern, which are Python regular
// expressions, as `re.match(rf"(.*\.)?({key})$", name)` does. Not JavaScript's RegExp: its syntax differs in places, and
// a key out of a file must not be able to hang us. States are followed side by side, so a match takes at most
// length of name × size of pattern steps. What is not understood is refused.

type Test = (point: string) => boolean;

type Node =
  | { readonly kind: "one"; readonly test: Test }
  | { readonly kind: "start" | "end" }
  | { readonly kind: "sequence"; readonly of: readonly Node[] }
  | { readonly kind: "either"; readonly of: readonly Node[] }
  | { readonly kind: "repeat"; readonly of: Node; readonly least: number; readonly most: number };

/** A program for states that run side by side. */
type Step =
  | { readonly kind: "one"; readonly test: Test }
  | { readonly kind: "start" | "end" | "done" }
  /** Goes on at all of these steps. */
  | { readonly kind: "fork"; readonly to: number[] };

/** How many steps the patterns of one adapter may take together; seconds at the worst. */
export interface StepBudget {
  left: number;
}

export interface PythonPattern {
  /** False also once the budget is used up: the caller looks at it. */
  matches(name: string, budget: StepBudget): boolean;
}

const MOST_STEPS = 10_000;
const MOST_CLASS_MEMBERS = 200;
const DEEPEST = 100;
/** What most keys are: names, in which only the dot is special. */
const NAME_LIKE = /^[A-Za-z0-9_.]+$/;

class Refusal extends Error {}

/** The pattern, or what in it is not served. */
export function parsePythonPattern(key: string): PythonPattern | { readonly refused: string } {
  try {
    if (NAME_LIKE.test(key)) return { matches: (name, budget) => endsLike(key, name, budget) };
    const node = new PatternParser(key).parse();
    const steps: Step[] = [];
    emit({ kind: "sequence", of: [node, { kind: "end" }] }, steps);
    steps.push({ kind: "done" });
    return { matches: (name, budget) => run(steps, [...name], budget) };
  } catch (error) {
    if (error instanceof Refusal) return { refused: error.message };
    throw error;
  }
}

/** The name ends with `key`, whose dots stand for anything, behind a dot or at the start. */
function endsLike(key: string, name: string, budget: StepBudget): boolean {
  const end = name.endsWith("\n") ? name.length - 1 : name.length;
  const start = end - key.length;
  if (start < 0) return false;
  if (start > 0 && (name[start - 1] !== "." || name.lastIndexOf("\n", start - 1) !== -1)) return false;
  for (let at = key.length - 1; at >= 0; at--) {
    if (budget.left-- <= 0) return false;
    if (name[start + at] !== key[at] && (key[at] !== "." || name[start + at] === "\n")) return false;
  }
  return true;
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
      case "*":
      case "+":
      case "?":
        throw new Refusal(`a ${point} behind nothing`);
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
    if (test === undefined) throw new Refusal(`the escape \\${letter}`);
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

function emit(node: Node, steps: Step[]): void {
  if (steps.length > MOST_STEPS) throw new Refusal("repetitions that multiply to too much");
  switch (node.kind) {
    case "one":
    case "start":
    case "end":
      steps.push(node);
      return;
    case "sequence":
      for (const part of node.of) emit(part, steps);
      return;
    case "either": {
      const fork = addFork(steps);
      const ends: { to: number[] }[] = [];
      for (const part of node.of) {
        fork.to.push(steps.length);
        emit(part, steps);
        ends.push(addFork(steps));
      }
      for (const end of ends) end.to.push(steps.length);
      return;
    }
    case "repeat": {
      const { of, least, most } = node;
      for (let count = 0; count < least; count++) emit(of, steps);
      if (most === Infinity) {
        const start = steps.length;
        const fork = addFork(steps);
        fork.to.push(steps.length);
        emit(of, steps);
        addFork(steps).to.push(start);
        fork.to.push(steps.length);
        return;
      }
      const forks: { to: number[] }[] = [];
      for (let count = least; count < most; count++) {
        const fork = addFork(steps);
        fork.to.push(steps.length);
        emit(of, steps);
        forks.push(fork);
      }
      for (const fork of forks) fork.to.push(steps.length);
    }
  }
}

function addFork(steps: Step[]): { to: number[] } {
  const fork = { kind: "fork" as const, to: [] };
  if (steps.push(fork) > MOST_STEPS) throw new Refusal("repetitions that multiply to too much");
  return fork;
}

function run(steps: readonly Step[], name: readonly string[], budget: StepBudget): boolean {
  // Where a state was last entered, so that it is followed once for each position.
  const entered = new Int32Array(steps.length).fill(-1);
  let pending: number[] = [];
  let oneLine = true;
  for (let at = 0; at <= name.length; at++) {
    const following: number[] = [];
    // The prefix (.*\.)? lets the key begin at the start and behind each dot, as long as no newline comes before.
    if (at === 0 || (oneLine && name[at - 1] === ".")) pending.push(0);
    oneLine &&= name[at] !== "\n";
    for (let state = pending.pop(); state !== undefined; state = pending.pop()) {
      if (entered[state] === at) continue;
      entered[state] = at;
      if (budget.left-- <= 0) return false;
      const step = steps[state]!;
      if (step.kind === "done") return true;
      if (step.kind === "fork") pending.push(...step.to);
      else if (step.kind === "one") {
        const point = name[at];
        if (point !== undefined && step.test(point)) following.push(state + 1);
      } else if (step.kind === "start" ? at === 0 : isEnd(name, at)) pending.push(state + 1);
    }
    pending = following;
  }
  return false;
}

/** Python's $ also matches before a newline that ends the text. */
function isEnd(name: readonly string[], at: number): boolean {
  return at === name.length || (at === name.length - 1 && name[at] === "\n");
}
