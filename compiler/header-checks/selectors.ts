// Do selectors and ramps mean something for the model they are used on: every glob and range takes a tensor, every
// arm can win, a ramp has layers to run over.

import type { Report } from "../../dsl/diagnostic.ts";
import { shortened } from "../../dsl/shortened.ts";
import { parseGlob } from "../glob.ts";
import { childrenOf, rootOf } from "../graph-walk.ts";
import type { Headers } from "../headers.ts";
import { resolveRange, type Naming } from "../naming.ts";
import { nearestGlob } from "./near-glob.ts";
import type { LayerRange, MatchArm, ModelNode, OutputNode, Selector, VectorNode } from "../recipe-graph.ts";
import { nameTest, spanOfSelector } from "../selectors.ts";
import { type VaryingParts, visitVarying, visitWord } from "./varying-parts.ts";

/** What is known of all arms that one selector stands for: an `at` block states several clauses. */
interface ArmRecord {
  readonly selector: Selector;
  readonly naming: Naming;
  readonly isAt: boolean;
  canWin: boolean;
}

export function checkSelectors(outputs: readonly OutputNode[], headers: Headers, report: Report): void {
  const arms = new Map<string, ArmRecord>();
  for (const output of outputs) {
    const root = rootOf(output);
    const naming = headers.naming(root);
    const names = new Set(naming.names);
    visit(root, names, headers, arms, new Map(), report);
    if (output.dtype !== undefined) visitWord(output.dtype, partsOf(naming, names, arms, report));
  }
  for (const { selector, naming, isAt, canWin } of arms.values()) {
    if (canWin) continue;
    if (!takesAny(selector, naming)) {
      // A lone glob or range was reported by itself.
      if (selector.kind !== "tensors" && selector.kind !== "layers") reportTakesNone(selector, naming, report);
      continue;
    }
    report({
      code: isAt ? "at-never-wins" : "never-wins",
      severity: isAt ? "error" : "warning",
      message: "this can never win: what comes before it takes all its tensors",
      span: spanOfSelector(selector),
      help: "put it first, or take it out",
    });
  }
}

/** `reach`: the names that come this far; those that a merge keeps from another model do not. */
function visit(
  node: ModelNode | VectorNode,
  reach: ReadonlySet<string>,
  headers: Headers,
  arms: Map<string, ArmRecord>,
  visited: Map<object, Set<object>>,
  report: Report,
): void {
  let reaches = visited.get(node);
  if (reaches === undefined) visited.set(node, (reaches = new Set()));
  // What a stack asks of its models is the same whoever asks the stack.
  if (reaches.has(reach) || (node.kind === "stack" && reaches.size > 0)) return;
  reaches.add(reach);
  const naming = headers.naming(node);
  visitVarying(node, partsOf(naming, reach, arms, report));
  const rest = node.kind === "model-choice" ? restOf(node, naming, reach) : undefined;
  if (node.kind === "stack") {
    // A model means the same whatever is sliced from it.
    for (const { model } of node.slices) {
      visit(model, new Set(headers.naming(model).names), headers, arms, visited, report);
    }
    return;
  }
  for (const child of childrenOf(node)) {
    const ofChild = rest !== undefined && child === (node as { otherwise?: ModelNode }).otherwise ? rest : reach;
    visit(child, ofChild, headers, arms, visited, report);
  }
}

/** The checks of what varies over a model, for the names that reach it. */
function partsOf(
  naming: Naming,
  reach: ReadonlySet<string>,
  arms: Map<string, ArmRecord>,
  report: Report,
): VaryingParts {
  return {
    selector: (selector) => checkSelector(selector, naming, report),
    choice: (choice) => {
      for (const arm of choice) checkSelector(arm.selector, naming, report);
      noteWinners(choice, naming, reach, arms);
    },
    ramp: (ramp) => {
      if (naming.stacks.size === 0) {
        report({
          code: "ramp-without-layers",
          severity: "error",
          message: `a ramp runs over layers, and ${naming.display} has none (no tensor name has a number between dots)`,
          span: ramp.span,
        });
      } else if (ramp.over !== undefined && isEmptyRange(ramp.over, naming)) {
        report({
          code: "no-such-layer",
          severity: "error",
          message: `${describeRange(ramp.over)} spans no layer of ${naming.display} (${describeStacks(naming)})`,
          span: ramp.span,
        });
      }
    },
  };
}

/** What `keep` leaves to the merge behind it. A model with a name of its own has other users, so it is not narrowed. */
function restOf(
  node: Extract<ModelNode, { kind: "model-choice" }>,
  naming: Naming,
  reach: ReadonlySet<string>,
): ReadonlySet<string> | undefined {
  if (node.otherwise === undefined || node.otherwise.name !== undefined) return undefined;
  const tests = node.arms.map(({ selector }) => nameTest(selector, naming));
  return new Set([...reach].filter((name) => !tests.some((test) => test(name))));
}

function noteWinners(
  choice: readonly MatchArm<unknown>[],
  naming: Naming,
  reach: ReadonlySet<string>,
  arms: Map<string, ArmRecord>,
): void {
  const records = choice.map(({ selector, at: isAt = false }) => {
    const { source, start, end } = spanOfSelector(selector);
    const key = `${isAt}\0${source.path}\0${start}\0${end}`;
    let record = arms.get(key);
    if (record === undefined) arms.set(key, (record = { selector, naming, isAt, canWin: false }));
    return record;
  });
  const tests = choice.map(({ selector }) => nameTest(selector, naming));
  for (const name of reach) {
    const winner = tests.findIndex((test) => test(name));
    if (winner !== -1) records[winner]!.canWin = true;
  }
}

function takesAny(selector: Selector, naming: Naming): boolean {
  return naming.names.some(nameTest(selector, naming));
}

function checkSelector(selector: Selector, naming: Naming, report: Report): void {
  switch (selector.kind) {
    case "tensors":
      for (const { glob, span } of selector.globs) checkGlob(glob, span, naming, report);
      break;
    case "layers":
      if (takesAny(selector, naming)) break;
      report({
        code: "no-such-layer",
        severity: "error",
        message: `${describeRange(selector.range)} takes no tensor of ${naming.display} (${describeStacks(naming)})`,
        span: selector.span,
      });
      break;
    case "and":
    case "or":
      checkSelector(selector.left, naming, report);
      checkSelector(selector.right, naming, report);
      break;
    case "not":
      checkSelector(selector.operand, naming, report);
      break;
  }
}

function checkGlob(text: string, span: Extract<Selector, { kind: "tensors" }>["span"], naming: Naming, report: Report) {
  const glob = parseGlob(text);
  if ("problem" in glob) {
    const message = `"${shortened(text)}" is no glob: ${glob.problem}`;
    report({ code: "bad-glob", severity: "error", message, span });
    return;
  }
  if (takesAny({ kind: "tensors", globs: [{ glob: text, span }], span }, naming)) return;
  const near = glob.alternatives.length === 1 ? nearestGlob(glob.alternatives[0]!, naming.names) : undefined;
  const tensors = naming.tensors === 1 ? "1 tensor" : `${naming.tensors} tensors`;
  report({
    code: "no-such-tensor",
    severity: "error",
    message: `"${shortened(text)}" matches no tensor of ${naming.display} (${tensors})`,
    span,
    ...(near === undefined ? {} : { help: `did you mean "${near.glob}"? (${near.name}${tiedTo(near.name, naming)})` }),
  });
}

function reportTakesNone(selector: Selector, naming: Naming, report: Report): void {
  report({
    code: "no-such-tensor",
    severity: "error",
    message: `no tensor of ${naming.display} is taken by all of this`,
    span: spanOfSelector(selector),
  });
}

function tiedTo(name: string, naming: Naming): string {
  for (const [stored, tied] of naming.tied) if (tied.includes(name)) return `, tied to ${stored}`;
  return "";
}

function isEmptyRange(range: LayerRange, naming: Naming): boolean {
  return [...naming.stacks.values()].every((layers) => {
    const { from, to } = resolveRange(range, layers);
    return Math.max(from, 0) >= Math.min(to, layers);
  });
}

function describeRange({ from, to }: LayerRange): string {
  return `layers(${from}..${to ?? ""})`;
}

function describeStacks(naming: Naming): string {
  const counts = [...naming.stacks].map(([stack, layers]) => `${stack} has ${layers}`);
  if (counts.length === 0) return "which has no layers";
  return counts.length > 3 ? `${counts.slice(0, 3).join(", ")} …` : counts.join(", ");
}
