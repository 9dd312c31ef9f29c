// The value of each kind of declaration. What it mentions has been evaluated before; imports and parameters, which take
// values from outside the file, are in analyse-file.ts.

import type {
  AdapterStatement,
  MaskStatement,
  MergeStatement,
  ModelStatement,
  StrategyStatement,
  VectorStatement,
} from "../../dsl/ast.ts";
import { A_MASK, evaluate } from "./evaluate.ts";
import { type ModelResult, POISON, type Result, type VectorResult } from "./kinds.ts";
import { nameMask } from "./masks.ts";
import { evaluateMergeBlock, reportMergeKind } from "./merge-block.ts";
import { baseName, type Scope } from "./names.ts";
import { nameStrategy } from "./strategies.ts";
import { ownWords } from "./own-words.ts";
import { readExceptions, refuseRevision, takePath } from "./sources.ts";
import { takesInstead } from "./wrong-kind.ts";

type ValueStatement =
  ModelStatement | AdapterStatement | VectorStatement | MaskStatement | StrategyStatement | MergeStatement;

export function evaluateDeclaration(statement: ValueStatement, scope: Scope): Result {
  switch (statement.kind) {
    case "model":
      return evaluateModel(statement, scope);
    case "adapter":
      return evaluateAdapter(statement, scope);
    case "vector":
      return statement.on === undefined ? evaluateVector(statement, scope) : evaluateStoredVector(statement, scope);
    case "mask":
      return evaluateMask(statement, scope);
    case "strategy":
      return evaluateStrategy(statement, scope);
    case "merge":
      return evaluateMerge(statement, scope);
  }
}

function evaluateModel({ name, source, revision, exceptions, span }: ModelStatement, scope: Scope): Result {
  const location = takePath("a model", source, scope);
  const isRefused = refuseRevision(revision, scope);
  const allowed = readExceptions(exceptions, scope);
  if (location === undefined || isRefused || allowed === undefined) return POISON;
  return {
    kind: "model",
    node: { kind: "checkpoint", name: scope.prefix + name.text, ...location, exceptions: allowed, span },
  };
}

function evaluateAdapter(statement: AdapterStatement, scope: Scope): Result {
  const { name, source, revision, on, exceptions, span } = statement;
  const location = takePath("an adapter", source, scope);
  const isRefused = refuseRevision(revision, scope);
  const base = takeBase(on, scope);
  const allowed = readExceptions(exceptions, scope);
  if (location === undefined || isRefused || base === undefined || allowed === undefined) return POISON;
  return {
    kind: "vector",
    node: {
      kind: "adapter",
      name: scope.prefix + name.text,
      ...location,
      base: base.node,
      exceptions: allowed,
      span,
    },
    base: base.node,
  };
}

function evaluateStoredVector({ name, value, on, exceptions, span }: VectorStatement, scope: Scope): Result {
  const location = takePath("a vector with on", value, scope);
  const base = takeBase(on!, scope);
  const allowed = readExceptions(exceptions, scope);
  if (location === undefined || base === undefined || allowed === undefined) return POISON;
  return {
    kind: "vector",
    node: {
      kind: "stored-vector",
      name: scope.prefix + name.text,
      ...location,
      base: base.node,
      exceptions: allowed,
      span,
    },
    base: base.node,
  };
}

function takeBase(on: AdapterStatement["on"], scope: Scope): ModelResult | undefined {
  const base = evaluate(on, scope);
  if (base.kind === "model") return base;
  if (base.kind !== "poison") scope.report(takesInstead("on", "a model", base, on.span));
  return undefined;
}

function evaluateVector({ name, value, exceptions }: VectorStatement, scope: Scope): Result {
  const result = evaluate(value, scope);
  const [exception] = exceptions;
  if (exception !== undefined) {
    scope.report({
      code: "unknown-setting",
      severity: "error",
      message: "exceptions belong to the models that a vector is computed from",
      span: exception.span,
      help: "write them where the model is declared",
    });
  }
  if (result.kind === "vector") return named(result, scope.prefix + name.text);
  if (result.kind === "poison") return POISON;
  const help =
    result.kind === "model"
      ? `write ${ownWords(value.span, "model")} - ${baseName(scope)}`
      : result.kind === "string"
        ? `write vector ${name.text} = ${ownWords(value.span, '"…"', 60)} on ${baseName(scope)}`
        : undefined;
  scope.report(takesInstead(`vector ${name.text}`, "a vector", result, value.span, help));
  return POISON;
}

function evaluateMask({ name, value }: MaskStatement, scope: Scope): Result {
  const result = evaluate(value, scope, A_MASK);
  if (result.kind === "mask") return nameMask(result, scope.prefix + name.text);
  if (result.kind !== "poison") scope.report(takesInstead(`mask ${name.text}`, "a mask", result, value.span));
  return POISON;
}

function evaluateStrategy({ name, value }: StrategyStatement, scope: Scope): Result {
  const result = evaluate(value, scope);
  if (result.kind === "strategy") return nameStrategy(result, scope.prefix + name.text);
  if (result.kind !== "poison") {
    const isCalled = result.kind === "model" || result.kind === "vector";
    const help = isCalled ? "leave out the inputs" : undefined;
    scope.report(takesInstead(`strategy ${name.text}`, "a strategy", result, value.span, help));
  }
  return POISON;
}

function evaluateMerge(statement: MergeStatement, scope: Scope): Result {
  const { name, body } = statement;
  const result = body.kind === "merge-block" ? evaluateMergeBlock(statement, body, scope) : evaluate(body.value, scope);
  if (result.kind === "model") return named(result, scope.prefix + name.text);
  if (result.kind !== "poison" && body.kind === "merge-expression") {
    reportMergeKind(name.text, result, body.value.span, scope);
  }
  return POISON;
}

/** A node that has a name already keeps it: it is shared, not copied. */
function named<R extends ModelResult | VectorResult>(result: R, name: string): R {
  return result.node.name === undefined ? { ...result, node: { ...result.node, name } } : result;
}
