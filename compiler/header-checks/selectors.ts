// Do selectors and ramps mean something for the model they are used on: every glob and range takes a tensor, every
// arm can win, a ramp has layers to run over.

import type { Report } from "../../dsl/diagnostic.ts";
import { shortened } from "../../dsl/shortened.ts";
import { parseGlob } from "../glob.ts";
import { childrenOf, rootOf } from "../graph-walk.ts";
import type { Headers } from "../headers.ts";
import { resolveRange, type Layout } from "../layout.ts";
import { nearestGlob } from "./near-glob.ts";
import type { LayerRange, MatchArm, ModelNode, OutputNode, Selector, VectorNode } from "../recipe-graph.ts";
import { nameTest, spanOfSelector } from "../selectors.ts";
import { type VaryingParts, visitVarying, visitWord } from "./varying-parts.ts";

/** What is known of all arms that one selector stands for: an `at` block states several clauses. */
interface ArmRecord {
  readonly selector: Selector;
  readonly layout: Layout;
  readonly isAt: boolean;
  canWin: boolean;
}

export function checkSelectors(outputs: readonly OutputNode[], headers: Headers, report: Report): void {
  const arms = new Map<string, ArmRecord>();
  for (const output of outputs) {
    const root = rootOf(output);
    const layout = headers.layout(root);
    const names = new Set(layout.names);
    visit(root, names, headers, arms, new Map(), report);
    if (output.dtype !== undefined) visitWord(output.dtype, partsOf(layout, names, arms, report));
  }
  for (const { selector, layout, isAt, canWin } of arms.values()) {
    if (canWin) continue;
    if (!takesAny(selector, layout)) {
      // A lone glob or range was reported by itself.
      if (selector.kind !== "tensors" && selector.kind !== "layers") reportTakesNone(selector, layout, report);
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
  if (reaches.has(reach)) return;
  reaches.add(reach);
  const layout = headers.layout(node);
  visitVarying(node, partsOf(layout, reach, arms, report));
  const rest = node.kind === "model-choice" ? restOf(node, layout, reach) : undefined;
  for (const child of childrenOf(node)) {
    const ofChild = rest !== undefined && child === (node as { otherwise?: ModelNode }).otherwise ? rest : reach;
    visit(child, ofChild, headers, arms, visited, report);
  }
}

/** The checks of what varies over a model, for the names that reach it. */
function partsOf(
  layout: Layout,
  reach: ReadonlySet<string>,
  arms: Map<string, ArmRecord>,
  report: Report,
): VaryingParts {
  return {
    selector: (selector) => checkSelector(selector, layout, report),
    choice: (choice) => {
      for (const arm of choice) checkSelector(arm.selector, layout, report);
      noteWinners(choice, layout, reach, arms);
    },
    ramp: (ramp) => {
      if (layout.stacks.size === 0) {
        report({
          code: "ramp-without-layers",
          severity: "error",
          message: `a ramp runs over layers, and ${layout.display} has none (no tensor name has a number between dots)`,
          span: ramp.span,
        });
      } else if (ramp.over !== undefined && isEmptyRange(ramp.over, layout)) {
        report({
          code: "no-such-layer",
          severity: "error",
          message: `${describeRange(ramp.over)} spans no layer of ${layout.display} (${describeStacks(layout)})`,
          span: ramp.span,
        });
      }
    },
  };
}

/** What `keep` leaves to the merge behind it. A model with a name of its own has other users, so it is not narrowed. */
function restOf(
  node: Extract<ModelNode, { kind: "model-choice" }>,
  layout: Layout,
  reach: ReadonlySet<string>,
): ReadonlySet<string> | undefined {
  if (node.otherwise === undefined || node.otherwise.name !== undefined) return undefined;
  const tests = node.arms.map(({ selector }) => nameTest(selector, layout));
  return new Set([...reach].filter((name) => !tests.some((test) => test(name))));
}

function noteWinners(
  choice: readonly MatchArm<unknown>[],
  layout: Layout,
  reach: ReadonlySet<string>,
  arms: Map<string, ArmRecord>,
): void {
  const records = choice.map(({ selector, at: isAt = false }) => {
    const { source, start, end } = spanOfSelector(selector);
    const key = `${isAt}\0${source.path}\0${start}\0${end}`;
    let record = arms.get(key);
    if (record === undefined) arms.set(key, (record = { selector, layout, isAt, canWin: false }));
    return record;
  });
  const tests = choice.map(({ selector }) => nameTest(selector, layout));
  for (const name of reach) {
    const winner = tests.findIndex((test) => test(name));
    if (winner !== -1) records[winner]!.canWin = true;
  }
}

function takesAny(selector: Selector, layout: Layout): boolean {
  return layout.names.some(nameTest(selector, layout));
}

function checkSelector(selector: Selector, layout: Layout, report: Report): void {
  switch (selector.kind) {
    case "tensors":
      for (const { glob, span } of selector.globs) checkGlob(glob, span, layout, report);
      break;
    case "layers":
      if (takesAny(selector, layout)) break;
      report({
        code: "no-such-layer",
        severity: "error",
        message: `${describeRange(selector.range)} takes no tensor of ${layout.display} (${describeStacks(layout)})`,
        span: selector.span,
      });
      break;
    case "and":
    case "or":
      checkSelector(selector.left, layout, report);
      checkSelector(selector.right, layout, report);
      break;
    case "not":
      checkSelector(selector.operand, layout, report);
      break;
  }
}

function checkGlob(text: string, span: Extract<Selector, { kind: "tensors" }>["span"], layout: Layout, report: Report) {
  const glob = parseGlob(text);
  if ("problem" in glob) {
    const message = `"${shortened(text)}" is no glob: ${glob.problem}`;
    report({ code: "bad-glob", severity: "error", message, span });
    return;
  }
  if (takesAny({ kind: "tensors", globs: [{ glob: text, span }], span }, layout)) return;
  const near = glob.alternatives.length === 1 ? nearestGlob(glob.alternatives[0]!, layout.names) : undefined;
  const tensors = layout.tensors === 1 ? "1 tensor" : `${layout.tensors} tensors`;
  report({
    code: "no-such-tensor",
    severity: "error",
    message: `"${shortened(text)}" matches no tensor of ${layout.display} (${tensors})`,
    span,
    ...(near === undefined ? {} : { help: `did you mean "${near.glob}"? (${near.name}${tiedTo(near.name, layout)})` }),
  });
}

function reportTakesNone(selector: Selector, layout: Layout, report: Report): void {
  report({
    code: "no-such-tensor",
    severity: "error",
    message: `no tensor of ${layout.display} is taken by all of this`,
    span: spanOfSelector(selector),
  });
}

function tiedTo(name: string, layout: Layout): string {
  for (const [stored, tied] of layout.tied) if (tied.includes(name)) return `, tied to ${stored}`;
  return "";
}

function isEmptyRange(range: LayerRange, layout: Layout): boolean {
  return [...layout.stacks.values()].every((layers) => {
    const { from, to } = resolveRange(range, layers);
    return Math.max(from, 0) >= Math.min(to, layers);
  });
}

function describeRange({ from, to }: LayerRange): string {
  return `layers(${from}..${to ?? ""})`;
}

function describeStacks(layout: Layout): string {
  const counts = [...layout.stacks].map(([stack, layers]) => `${stack} has ${layers}`);
  if (counts.length === 0) return "which has no layers";
  return counts.length > 3 ? `${counts.slice(0, 3).join(", ")} …` : counts.join(", ");
}
