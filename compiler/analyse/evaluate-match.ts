// `match(selector: value, …, else: value)`: a number, word, boolean, strategy, mask, model or vector that differs by
// tensor.

import type { Argument } from "../../dsl/ast.ts";
import type { Span } from "../../dsl/source.ts";
import { checkSameBase } from "./checks/vector-base.ts";
import { evaluate, type Expectation } from "./evaluate.ts";
import { takeSelector } from "./evaluate-selector.ts";
import {
  type BooleanResult,
  describeKind,
  type MaskResult,
  type ModelResult,
  type NumberResult,
  POISON,
  type Result,
  type StrategyResult,
  type VectorResult,
  type WordResult,
} from "./kinds.ts";
import { chooseMask, isTooDeep } from "./masks.ts";
import type { Scope } from "./names.ts";
import { rampHelp } from "./numbers.ts";
import type { MatchArm, Selector } from "../recipe-graph.ts";
import { wrongKind } from "./wrong-kind.ts";

type Choosable = NumberResult | WordResult | BooleanResult | StrategyResult | MaskResult | ModelResult | VectorResult;

interface Arm<R> {
  readonly selector: Selector;
  readonly value: R;
  readonly span: Span;
}

interface Choice<R> {
  readonly arms: readonly Arm<R>[];
  readonly otherwise?: { readonly value: R; readonly span: Span };
}

export function evaluateMatch(args: readonly Argument[], scope: Scope, span: Span, expected: Expectation): Result {
  const choice = readChoice(args, scope, span, expected);
  if (choice === undefined) return POISON;
  const first = choice.arms[0]!.value;
  switch (first.kind) {
    case "number": {
      const sound = ofKind(choice, isNumber, first, scope);
      return sound === undefined ? POISON : { kind: "number", value: varying(sound, ({ value }) => value, span) };
    }
    case "word": {
      const sound = ofKind(choice, isWord, first, scope);
      return sound === undefined ? POISON : { kind: "word", value: varying(sound, ({ value }) => value, span) };
    }
    case "boolean": {
      const sound = ofKind(choice, isBoolean, first, scope);
      return sound === undefined ? POISON : { kind: "boolean", value: varying(sound, ({ value }) => value, span) };
    }
    case "mask": {
      const sound = ofKind(choice, isMask, first, scope);
      return sound === undefined ? POISON : chooseMask(sound.arms, sound.otherwise?.value, span, scope.report);
    }
    case "strategy": {
      const sound = ofKind(choice, isStrategy, first, scope);
      return sound === undefined ? POISON : chooseStrategy(sound, span, scope);
    }
    case "model": {
      const sound = ofKind(choice, isModel, first, scope);
      if (sound === undefined) return POISON;
      const { arms, otherwise } = sound;
      return {
        kind: "model",
        node: {
          kind: "model-choice",
          arms: arms.map(({ selector, value }) => ({ selector, value: value.node })),
          ...(otherwise === undefined ? {} : { otherwise: otherwise.value.node }),
          span,
        },
      };
    }
    case "vector": {
      const sound = ofKind(choice, isVector, first, scope);
      if (sound === undefined) return POISON;
      const { arms, otherwise } = sound;
      for (const other of everyValue(sound).slice(1)) checkSameBase(first, other.value, other.span, scope.report);
      return {
        kind: "vector",
        node: {
          kind: "vector-choice",
          arms: arms.map(({ selector, value }) => ({ selector, value: value.node })),
          ...(otherwise === undefined ? {} : { otherwise: otherwise.value.node }),
          span,
        },
        base: first.base,
      };
    }
  }
}

function readChoice(
  args: readonly Argument[],
  scope: Scope,
  span: Span,
  expected: Expectation,
): Choice<Choosable> | undefined {
  const arms: Arm<Choosable>[] = [];
  let otherwise: Choice<Choosable>["otherwise"];
  let isSound = true;
  for (const { label, value: expression, span: argumentSpan } of args) {
    if (label === undefined) {
      scope.report({
        code: "match-arm",
        severity: "error",
        message: "every value in match stands behind a selector and a colon, or behind else:",
        span: argumentSpan,
        help: 'for example match("*self_attn*": 0.3, else: 0.5)',
      });
      isSound = false;
      continue;
    }
    const selector = label.kind === "else" ? undefined : takeSelector(label, scope);
    const value = evaluate(expression, scope, expected);
    if (value.kind !== "poison" && !isChoosable(value)) {
      scope.report(
        wrongKind(`${describeKind(value)} cannot differ from tensor to tensor`, expression.span, rampHelp(value)),
      );
      isSound = false;
    } else if (value.kind === "poison" || (label.kind !== "else" && selector === undefined)) {
      isSound = false;
    } else if (selector !== undefined) {
      if (otherwise !== undefined) isSound = refuseBehindElse(argumentSpan, scope);
      arms.push({ selector, value, span: expression.span });
    } else if (otherwise !== undefined) {
      isSound = refuseBehindElse(argumentSpan, scope);
    } else {
      otherwise = { value, span: expression.span };
    }
  }
  if (isSound && arms.length === 0) {
    scope.report({
      code: "match-arm",
      severity: "error",
      message: "match needs a selector and a value",
      span,
      help: 'for example match("*self_attn*": 0.3, else: 0.5)',
    });
    return undefined;
  }
  return isSound ? { arms, ...(otherwise === undefined ? {} : { otherwise }) } : undefined;
}

function refuseBehindElse(span: Span, scope: Scope): false {
  scope.report({
    code: "match-arm",
    severity: "error",
    message: "nothing stands behind else; it takes every tensor that is left",
    span,
  });
  return false;
}

/** The choice again, with the type of its first value; undefined when another value has another kind. */
function ofKind<R extends Choosable>(
  choice: Choice<Choosable>,
  isOne: (value: Choosable) => value is R,
  first: Choosable,
  scope: Scope,
): Choice<R> | undefined {
  const stray = everyValue(choice).filter(({ value }) => !isOne(value));
  for (const { value, span } of stray) {
    scope.report(
      wrongKind(
        `the values of a match are of one kind; this is ${describeKind(value)}, not ${describeKind(first)}`,
        span,
      ),
    );
  }
  if (stray.length > 0) return undefined;
  const arms = choice.arms.flatMap((arm) => (isOne(arm.value) ? [{ ...arm, value: arm.value }] : []));
  const { otherwise } = choice;
  if (otherwise === undefined || !isOne(otherwise.value)) return { arms };
  return { arms, otherwise: { value: otherwise.value, span: otherwise.span } };
}

function everyValue<R>(choice: Choice<R>): { readonly value: R; readonly span: Span }[] {
  return [...choice.arms, ...(choice.otherwise === undefined ? [] : [choice.otherwise])];
}

interface Match<V> {
  readonly kind: "match";
  readonly arms: readonly MatchArm<V>[];
  readonly otherwise?: V;
  readonly span: Span;
}

function varying<R, V>({ arms, otherwise }: Choice<R>, valueOf: (result: R) => V, span: Span): Match<V> {
  return {
    kind: "match",
    arms: arms.map(({ selector, value }) => ({ selector, value: valueOf(value) })),
    ...(otherwise === undefined ? {} : { otherwise: valueOf(otherwise.value) }),
    span,
  };
}

function chooseStrategy(choice: Choice<StrategyResult>, span: Span, scope: Scope): Result {
  const values = everyValue(choice);
  const nesting = 1 + values.reduce((most, { value }) => Math.max(most, value.nesting), 0);
  if (isTooDeep(nesting, span, scope.report)) return POISON;
  const maps = values[0]!.value.methods[0]!.maps;
  const stray = values.find(({ value }) => value.methods[0]!.maps !== maps);
  if (stray !== undefined) {
    const [first, other] = [values[0]!.value.methods[0]!, stray.value.methods[0]!];
    scope.report(
      wrongKind(`${other.name} merges ${other.maps}, and ${first.name} in the same match merges ${maps}`, stray.span),
    );
    return POISON;
  }
  return {
    kind: "strategy",
    strategy: varying(choice, ({ strategy }) => strategy, span),
    methods: [...new Set(values.flatMap(({ value }) => value.methods))],
    nesting,
  };
}

function isChoosable(value: Result): value is Choosable {
  switch (value.kind) {
    case "number":
    case "word":
    case "boolean":
    case "strategy":
    case "mask":
    case "model":
    case "vector":
      return true;
    case "poison":
    case "models":
    case "size":
    case "string":
    case "list":
    case "range":
    case "slice":
      return false;
  }
}

const isNumber = (value: Choosable) => value.kind === "number";
const isWord = (value: Choosable) => value.kind === "word";
const isBoolean = (value: Choosable) => value.kind === "boolean";
const isMask = (value: Choosable) => value.kind === "mask";
const isStrategy = (value: Choosable) => value.kind === "strategy";
const isModel = (value: Choosable) => value.kind === "model";
const isVector = (value: Choosable) => value.kind === "vector";
