// Do selectors and ramps mean something for the model they are used on: every glob and range takes a tensor, every
// arm can win, a ramp has layers to run over.

import { counted } from "../../dsl/counted.ts";
import type { Diagnostic, Report } from "../../dsl/diagnostic.ts";
import { MAX_DIAGNOSTICS } from "../../dsl/limits.ts";
import { shortened } from "../../dsl/shortened.ts";
import type { Span } from "../../dsl/source.ts";
import { matchesGlob, parseGlob } from "../glob.ts";
import { childrenOf, rootOf } from "../graph-walk.ts";
import type { Headers } from "../headers.ts";
import { resolveRange, type Naming } from "../naming.ts";
import { nearestGlob, type NearGlob } from "./near-glob.ts";
import type { LayerRange, MatchArm, ModelNode, OutputNode, Selector, VectorNode } from "../recipe-graph.ts";
import { nameTest } from "../selectors.ts";
import { type Ramp, type VaryingParts, visitVarying, visitWord } from "./varying-parts.ts";

/** What is known of all arms that one selector stands for: an `at` block states several clauses. */
interface ArmRecord {
  readonly selector: Selector;
  readonly naming: Naming;
  readonly isAt: boolean;
  canWin: boolean;
}

/** One range of layers, which may be meant for models of several depths. */
interface RangeRecord {
  readonly range: LayerRange;
  readonly span: Span;
  /** The first that lacks some of its layers. */
  readonly naming: Naming;
  holds: boolean;
}

export function checkSelectors(outputs: readonly OutputNode[], headers: Headers, report: Report): void {
  const check = new SelectorCheck(headers, report);
  for (const output of outputs) check.output(output);
  check.finish();
}

/** The names that come as far as a node; those that a merge keeps from another model do not. */
type Reach = ReadonlySet<string>;

/** Something lives between calls: what was looked at before, because a recipe may name everything often. */
class SelectorCheck {
  readonly #headers: Headers;
  readonly #report: Report;
  readonly #arms = new Map<string, ArmRecord>();
  readonly #ranges = new Map<string, RangeRecord>();
  readonly #reached = new Map<ModelNode | VectorNode, { readonly names: Set<string>; readonly by: Set<Reach> }>();
  readonly #parts = new Map<Reach, Map<Naming, VaryingParts>>();
  readonly #checked = new Map<Naming, Set<Selector>>();
  readonly #names = new Map<Naming, Reach>();
  /** Comparing a glob with ten thousand names takes a while, so only as many get one as are printed. */
  #suggestions = MAX_DIAGNOSTICS;

  constructor(headers: Headers, report: Report) {
    this.#headers = headers;
    this.#report = report;
  }

  output(output: OutputNode): void {
    const root = rootOf(output);
    const naming = this.#headers.naming(root);
    this.#visit(root, this.#namesOf(naming));
    if (output.dtype !== undefined) visitWord(output.dtype, this.#partsOf(naming, this.#namesOf(naming)));
  }

  finish(): void {
    for (const record of this.#ranges.values()) if (!record.holds) reportBeyond(record, this.#report);
    for (const { selector, naming, isAt, canWin } of this.#arms.values()) {
      if (canWin) continue;
      if (!takesAny(selector, naming)) {
        // A lone glob or range was reported by itself.
        if (selector.kind !== "tensors" && selector.kind !== "layers") reportTakesNone(selector, naming, this.#report);
        continue;
      }
      this.#report({
        code: isAt ? "at-never-wins" : "never-wins",
        severity: isAt ? "error" : "warning",
        message: "this can never win: what comes before it takes all its tensors",
        span: selector.span,
        help: "put it first, or take it out",
      });
    }
  }

  /** Each name comes to each node once, however many ways lead there. */
  #visit(node: ModelNode | VectorNode, reach: Reach): void {
    const known = this.#reached.get(node);
    // What a stack asks of its models is the same whoever asks the stack.
    if (known !== undefined && (known.by.has(reach) || node.kind === "stack")) return;
    const fresh = known === undefined ? reach : new Set([...reach].filter((name) => !known.names.has(name)));
    if (known === undefined) this.#reached.set(node, { names: new Set(reach), by: new Set([reach]) });
    else {
      known.by.add(reach);
      if (fresh.size === 0) return;
      for (const name of fresh) known.names.add(name);
    }
    const naming = this.#headers.naming(node);
    visitVarying(node, this.#partsOf(naming, fresh));
    if (node.kind === "stack") {
      // A model means the same whatever is sliced from it.
      for (const { model } of node.slices) this.#visit(model, this.#namesOf(this.#headers.naming(model)));
      return;
    }
    const rest = node.kind === "model-choice" ? restOf(node, naming, fresh) : undefined;
    for (const child of childrenOf(node)) {
      const ofChild = rest !== undefined && child === (node as { otherwise?: ModelNode }).otherwise ? rest : fresh;
      this.#visit(child, ofChild);
    }
  }

  #namesOf(naming: Naming): Reach {
    let names = this.#names.get(naming);
    if (names === undefined) this.#names.set(naming, (names = new Set(naming.names)));
    return names;
  }

  /** The checks of what varies over a model, for the names that reach it. */
  #partsOf(naming: Naming, reach: Reach): VaryingParts {
    const ofReach = this.#parts.get(reach) ?? new Map<Naming, VaryingParts>();
    this.#parts.set(reach, ofReach);
    let parts = ofReach.get(naming);
    if (parts === undefined) {
      parts = {
        visited: new Set(),
        selector: (selector) => this.#check(selector, naming),
        choice: (choice) => {
          for (const arm of choice) this.#check(arm.selector, naming);
          noteWinners(choice, naming, reach, this.#arms);
        },
        ramp: (ramp) => {
          checkRamp(ramp, naming, this.#report);
          if (ramp.over !== undefined) this.#noteRange(ramp.over, ramp.span, naming);
        },
      };
      ofReach.set(naming, parts);
    }
    return parts;
  }

  #noteRange(range: LayerRange, span: Span, naming: Naming): void {
    const key = keyOfSpan(span);
    const holds = holdsRange(range, naming);
    const known = this.#ranges.get(key);
    if (known === undefined) this.#ranges.set(key, { range, span, naming, holds });
    else known.holds ||= holds;
  }

  #check(selector: Selector, naming: Naming): void {
    const checked = this.#checked.get(naming) ?? new Set<Selector>();
    this.#checked.set(naming, checked);
    if (checked.has(selector)) return;
    checked.add(selector);
    switch (selector.kind) {
      case "tensors":
        for (const { glob, span } of selector.globs) {
          if (!checkGlob(glob, span, naming, this.#suggestions > 0, this.#report)) this.#suggestions--;
        }
        break;
      case "layers":
        if (takesAny(selector, naming)) this.#noteRange(selector.range, selector.span, naming);
        else {
          this.#report({
            code: "no-such-layer",
            severity: "error",
            message: `${describeRange(selector.range)} takes no tensor of ${naming.display} (${describeStacks(naming)})`,
            span: selector.span,
          });
        }
        break;
      case "and":
      case "or":
        this.#check(selector.left, naming);
        this.#check(selector.right, naming);
        break;
      case "not":
        this.#check(selector.operand, naming);
        break;
    }
  }
}

function keyOfSpan({ source, start, end }: Span): string {
  return `${source.path}\0${start}\0${end}`;
}

function checkRamp(ramp: Ramp, naming: Naming, report: Report): void {
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
}

function reportBeyond({ range, span, naming }: RangeRecord, report: Report): void {
  report({
    code: "beyond-layers",
    severity: "warning",
    message: `${describeRange(range)} goes beyond the layers of ${naming.display} (${describeStacks(naming)})`,
    span,
    help: "layers are numbered from 0, and B in A..B is the first that is left out",
  });
}

/** Whether some stack has all layers of the range. */
function holdsRange(range: LayerRange, { stacks }: Naming): boolean {
  return [...stacks.values()].some((layers) => {
    const { from, to } = resolveRange(range, layers);
    return from >= 0 && to <= layers;
  });
}

/** What `keep` leaves to the merge behind it. A model with a name of its own has other users, so it is not narrowed. */
function restOf(node: Extract<ModelNode, { kind: "model-choice" }>, naming: Naming, reach: Reach): Reach | undefined {
  if (node.otherwise === undefined || node.otherwise.name !== undefined) return undefined;
  const tests = node.arms.map(({ selector }) => nameTest(selector, naming));
  return new Set([...reach].filter((name) => !tests.some((test) => test(name))));
}

function noteWinners(
  choice: readonly MatchArm<unknown>[],
  naming: Naming,
  reach: Reach,
  arms: Map<string, ArmRecord>,
): void {
  const records = choice.map(({ selector, at: isAt = false }) => {
    const key = `${isAt}\0${keyOfSpan(selector.span)}`;
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

/** False when nothing matches it, or it is none; that was reported. */
function checkGlob(text: string, span: Span, naming: Naming, suggests: boolean, report: Report): boolean {
  const glob = parseGlob(text);
  if ("problem" in glob) {
    const message = `"${shortened(text)}" is no glob: ${glob.problem}`;
    report({ code: "bad-glob", severity: "error", message, span });
    return false;
  }
  if (naming.names.some((name) => matchesGlob(glob, name))) return true;
  const [only, ...others] = glob.alternatives;
  const near = suggests && only && others.length === 0 ? nearestGlob(only, naming.names) : undefined;
  const tensors = counted(naming.tensors, "tensor");
  report({
    code: "no-such-tensor",
    severity: "error",
    message: `"${shortened(text)}" matches no tensor of ${naming.display} (${tensors})`,
    span,
    ...helpForGlob(text, near, naming),
  });
  return false;
}

function helpForGlob(text: string, near: NearGlob | undefined, naming: Naming): Pick<Diagnostic, "help"> {
  if (near !== undefined) return { help: `did you mean "${near.glob}"? (${near.name}${tiedTo(near.name, naming)})` };
  const part = `*${text}*`;
  const glob = parseGlob(part);
  if ("problem" in glob || !naming.names.some((name) => matchesGlob(glob, name))) return {};
  return { help: `a glob matches the whole name: write "${shortened(part)}"` };
}

function reportTakesNone(selector: Selector, naming: Naming, report: Report): void {
  report({
    code: "no-such-tensor",
    severity: "error",
    message: `no tensor of ${naming.display} is taken by all of this`,
    span: selector.span,
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
