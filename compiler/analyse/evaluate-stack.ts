// `stack(slice(maths, 0..8), slice(code, 4..12), stack: "model.layers")`: which layers of which models follow each other.
// Whether the models have them is known from their headers only.

import type { Argument } from "../../dsl/ast.ts";
import type { Span } from "../../dsl/source.ts";
import { evaluate } from "./evaluate.ts";
import { readRange } from "./evaluate-selector.ts";
import { describeKind, POISON, type Result } from "./kinds.ts";
import type { Scope } from "./names.ts";
import { ownWords } from "./own-words.ts";
import type { Slice, StackNode } from "../recipe-graph.ts";
import { takesInstead, wrongKind } from "./wrong-kind.ts";

const EXAMPLE = "for example stack(slice(maths, 0..24), slice(code, 8..32))";

/** Far more than any model has layers. */
const MOST_SLICES = 4096;

export function evaluateSlice(args: readonly Argument[], scope: Scope, span: Span): Result {
  const [first, second] = args;
  const isLabelled = args.some(({ label }) => label !== undefined);
  if (first === undefined || second === undefined || args.length > 2 || isLabelled) {
    scope.report({
      code: "input-count",
      severity: "error",
      message: "slice takes a model and a range of layers",
      span,
      help: "write slice(model, A..B), B excluded, or slice(model, A..) to the end",
    });
    return POISON;
  }
  const model = evaluate(first.value, scope);
  if (second.value.kind !== "range") {
    scope.report(
      wrongKind(
        "slice takes a range of layers second",
        second.value.span,
        "write A..B, B excluded, or A.. to the end; the second layer alone is 1..2",
      ),
    );
    return POISON;
  }
  const range = readRange(second.value, scope);
  if (model.kind !== "poison" && model.kind !== "model") {
    scope.report(takesInstead("slice", "a model first", model, first.value.span));
  }
  return model.kind === "model" && range !== undefined
    ? { kind: "slice", slice: { model: model.node, range, span } }
    : POISON;
}

export function evaluateStack(args: readonly Argument[], scope: Scope, span: Span): Result {
  const slices: Slice[] = [];
  let stack: StackNode["stack"];
  let isSound = true;
  for (const argument of args) {
    if (argument.label !== undefined) {
      const named = stack === undefined ? readName(argument, scope) : refuseLabel(argument, true, scope);
      if (named === undefined) isSound = false;
      else stack = named;
      continue;
    }
    const found = readSlices(argument, scope);
    if (found === undefined) isSound = false;
    else for (const slice of found) slices.push(slice);
  }
  if (!isSound) return POISON;
  if (slices.length === 0 || slices.length > MOST_SLICES) {
    const message = slices.length === 0 ? "stack needs slices of models" : `a stack has at most ${MOST_SLICES} slices`;
    scope.report({ code: "input-count", severity: "error", message, span, help: EXAMPLE });
    return POISON;
  }
  return {
    kind: "model",
    node: { kind: "stack", slices, ...(stack === undefined ? {} : { stack }), span },
  };
}

/** A model stands for all of its layers, a list for its members. */
function readSlices({ value }: Argument, scope: Scope): readonly Slice[] | undefined {
  const result = evaluate(value, scope);
  const { span } = value;
  if (result.kind === "poison") return undefined;
  if (result.kind === "slice") return [result.slice];
  if (result.kind === "model") return [{ model: result.node, range: { from: 0 }, span }];
  if (result.kind === "models") return result.nodes.map((model) => ({ model, range: { from: 0 }, span }));
  const help = result.kind === "vector" ? "add it to its base first" : EXAMPLE;
  scope.report(wrongKind(`stack takes slices of models; this is ${describeKind(result)}`, span, help));
  return undefined;
}

function readName(argument: Argument, scope: Scope): StackNode["stack"] {
  const { label, value } = argument;
  if (label?.kind !== "name" || label.text !== "stack") return refuseLabel(argument, false, scope);
  const result = evaluate(value, scope);
  if (result.kind === "string") return { prefix: result.text, span: value.span };
  if (result.kind === "poison") return undefined;
  const help = `write stack: ${JSON.stringify(ownWords(value.span, "model.layers"))}`;
  scope.report(takesInstead("stack", 'the beginning of the layers\' names, in " "', result, value.span, help));
  return undefined;
}

function refuseLabel({ label }: Argument, isTwice: boolean, scope: Scope): undefined {
  const name = label?.kind === "name" ? label.text : "else";
  const isKnown = name === "stack" && isTwice;
  scope.report({
    code: isKnown ? "duplicate-parameter" : "unknown-parameter",
    severity: "error",
    message: isKnown ? "stack is given twice" : `stack has no parameter ${name}`,
    span: label!.span,
    ...(isKnown ? {} : { help: 'it has stack: "model.layers", for models with several layer stacks' }),
  });
  return undefined;
}
