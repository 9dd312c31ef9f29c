// Matches module names against the keys of PEFT's rank_pattern and alpha_pattern, which are Python regular
// expressions, as `re.match(rf"(.*\.)?({key})$", name)` does. Not JavaScript's RegExp: its syntax differs in places, and
// a key out of a file must not be able to hang us. States are followed side by side, so a match takes at most
// length of name × size of pattern steps. What is not understood is refused.

import { type Node, Refusal, type Test, parsePattern } from "./python-pattern-parser.ts";

/** A program for states that run side by side. */
type Step =
  | { readonly kind: "one"; readonly test: Test }
  | { readonly kind: "start" | "end" | "done" }
  /** Goes on at all of these steps. */
  | { readonly kind: "fork"; readonly to: number[] };

interface Machine {
  readonly steps: readonly Step[];
  /** The round in which a step was last followed: it is followed once in each. */
  readonly entered: Float64Array;
  /** Counts the characters looked at, over all names. */
  round: number;
}

/** How many steps the patterns of one adapter may take together; seconds at the worst. */
export interface StepBudget {
  left: number;
}

export interface PythonPattern {
  /** False also once the budget is used up: the caller looks at it. */
  matches(name: string, budget: StepBudget): boolean;
}

const MOST_STEPS = 50_000;
/** What most keys are: names, in which only the dot is special. */
const NAME_LIKE = /^[A-Za-z0-9_.]+$/;

/** The pattern, or what in it is not served. */
export function parsePythonPattern(key: string): PythonPattern | { readonly refused: string } {
  try {
    if (NAME_LIKE.test(key)) return { matches: (name, budget) => endsLike(key, name, budget) };
    if (key.length > MOST_STEPS) throw new Refusal(`more than ${MOST_STEPS} characters`);
    const node = parsePattern(key);
    const steps: Step[] = [];
    emit({ kind: "sequence", of: [node, { kind: "end" }] }, steps);
    steps.push({ kind: "done" });
    const machine = { steps, entered: new Float64Array(steps.length), round: 0 };
    return { matches: (name, budget) => run(machine, [...name], budget) };
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

function run(machine: Machine, name: readonly string[], budget: StepBudget): boolean {
  const { steps, entered } = machine;
  let pending: number[] = [];
  let oneLine = true;
  for (let at = 0; at <= name.length; at++) {
    const round = ++machine.round;
    const following: number[] = [];
    // The prefix (.*\.)? lets the key begin at the start and behind each dot, as long as no newline comes before.
    if (at === 0 || (oneLine && name[at - 1] === ".")) pending.push(0);
    oneLine &&= name[at] !== "\n";
    if (budget.left-- <= 0) return false;
    for (let state = pending.pop(); state !== undefined; state = pending.pop()) {
      if (entered[state] === round) continue;
      entered[state] = round;
      if (budget.left-- <= 0) return false;
      const step = steps[state]!;
      switch (step.kind) {
        case "done":
          return true;
        case "fork":
          for (const next of step.to) pending.push(next);
          break;
        case "one":
          if (at < name.length && step.test(name[at]!)) following.push(state + 1);
          break;
        case "start":
          if (at === 0) pending.push(state + 1);
          break;
        case "end":
          if (isEnd(name, at)) pending.push(state + 1);
          break;
      }
    }
    pending = following;
  }
  return false;
}

/** Python's $ also matches before a newline that ends the text. */
function isEnd(name: readonly string[], at: number): boolean {
  return at === name.length || (at === name.length - 1 && name[at] === "\n");
}
