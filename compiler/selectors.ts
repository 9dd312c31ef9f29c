// Whether a selector takes a tensor. Globs are compiled once; what a selector says of a name is remembered.

import { matchesGlob, parseGlob, type Glob } from "./glob.ts";
import { depthOf, resolveRange, type Naming } from "./naming.ts";
import type { Selector } from "./recipe-graph.ts";

/** Of one name; `takesTensor` decides for a tensor with several. */
type NameTest = (name: string) => boolean;

const tests = new WeakMap<Naming, Map<Selector, NameTest>>();

export function nameTest(selector: Selector, naming: Naming): NameTest {
  const ofNaming = tests.get(naming) ?? new Map<Selector, NameTest>();
  tests.set(naming, ofNaming);
  let test = ofNaming.get(selector);
  if (test === undefined) ofNaming.set(selector, (test = remembering(compile(selector, naming))));
  return test;
}

/** A selector that matches any of a tensor's names matches the tensor. */
export function takesTensor(selector: Selector, naming: Naming, names: readonly string[]): boolean {
  return names.some(nameTest(selector, naming));
}

function compile(selector: Selector, naming: Naming): NameTest {
  switch (selector.kind) {
    case "tensors": {
      // Text that is no glob matches nothing; header-checks/selectors.ts says so.
      const compiled = selector.globs.map(({ glob }) => parseGlob(glob)).filter(isGlob);
      return (name) => compiled.some((glob) => matchesGlob(glob, name));
    }
    case "layers": {
      return (name) => {
        const depth = depthOf(naming, name);
        if (depth === undefined) return false;
        const { from, to } = resolveRange(selector.range, depth.layers);
        return from <= depth.layer && depth.layer < to;
      };
    }
    case "and":
    case "or": {
      const left = nameTest(selector.left, naming);
      const right = nameTest(selector.right, naming);
      return selector.kind === "and" ? (name) => left(name) && right(name) : (name) => left(name) || right(name);
    }
    case "not": {
      const operand = nameTest(selector.operand, naming);
      return (name) => !operand(name);
    }
  }
}

function isGlob(parsed: ReturnType<typeof parseGlob>): parsed is Glob {
  return !("problem" in parsed);
}

function remembering(test: NameTest): NameTest {
  const known = new Map<string, boolean>();
  return (name) => {
    let answer = known.get(name);
    if (answer === undefined) known.set(name, (answer = test(name)));
    return answer;
  };
}
