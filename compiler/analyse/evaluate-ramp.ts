// `ramp(p0, …, pk, over: A..B, outside: x)`: a number that follows a tensor's depth in its layer stack.

import type { Argument } from "../../dsl/ast.ts";
import { didYouMean } from "../../dsl/did-you-mean.ts";
import type { Span } from "../../dsl/source.ts";
import { evaluate } from "./evaluate.ts";
import { readRange } from "./evaluate-selector.ts";
import { POISON, type Result } from "./kinds.ts";
import type { Scope } from "./names.ts";
import { takeNumber } from "./numbers.ts";
import type { LayerRange, NumberValue } from "../recipe-graph.ts";

const LABELS = ["over", "outside"];

export function evaluateRamp(args: readonly Argument[], scope: Scope, span: Span): Result {
  const points: NumberValue[] = [];
  const given = new Set<string>();
  let over: LayerRange | undefined;
  let outside: NumberValue | undefined;
  let isSound = true;
  for (const { label, value } of args) {
    if (label === undefined) {
      const result = evaluate(value, scope);
      const help = result.kind === "list" ? "its points stand one by one, as in ramp(0, 0.5, 1)" : undefined;
      const point = takeNumber("ramp", result, value.span, scope.report, help);
      if (point === undefined) isSound = false;
      else points.push(point);
      continue;
    }
    const name = label.kind === "name" ? label.text : "else";
    if (!LABELS.includes(name) || given.has(name)) {
      isSound = refuseLabel(name, given.has(name), label.span, scope);
      continue;
    }
    given.add(name);
    if (name === "over") {
      over = readRange(value, scope);
      isSound &&= over !== undefined;
    } else {
      outside = takeNumber("outside", evaluate(value, scope), value.span, scope.report);
      isSound &&= outside !== undefined;
    }
  }
  if (isSound && points.length < 2) {
    scope.report({
      code: "missing-parameter",
      severity: "error",
      message: "ramp needs at least two points",
      span,
      help: "for example ramp(0.2, 0.8), from the first layer to the last",
    });
    return POISON;
  }
  if (!isSound) return POISON;
  return {
    kind: "number",
    value: {
      kind: "ramp",
      points,
      ...(over === undefined ? {} : { over }),
      ...(outside === undefined ? {} : { outside }),
      span,
    },
  };
}

function refuseLabel(name: string, isTwice: boolean, span: Span, scope: Scope): false {
  const near = didYouMean(name, LABELS);
  scope.report({
    code: isTwice ? "duplicate-parameter" : "unknown-parameter",
    severity: "error",
    message: isTwice ? `${name} is given twice` : `ramp has no parameter ${name}`,
    span,
    ...(isTwice ? {} : { help: near === undefined ? "it has over: A..B and outside:" : `did you mean ${near}?` }),
  });
  return false;
}
