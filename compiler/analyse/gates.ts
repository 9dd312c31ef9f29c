// `expect M { … }`: predicates on the final tensors of a model's outputs.

import type { ExpectStatement, Expression, Predicate } from "../../dsl/ast.ts";
import { didYouMean } from "../../dsl/did-you-mean.ts";
import type { Span } from "../../dsl/source.ts";
import { evaluate } from "./evaluate.ts";
import { warnOfBound } from "./gate-bound.ts";
import type { Scope } from "./names.ts";
import { takeConstant } from "./numbers.ts";
import type { ExpectNode, Metric, ModelNode, PredicateNode } from "../recipe-graph.ts";
import { shortened } from "../../dsl/shortened.ts";
import { takesInstead } from "./wrong-kind.ts";

const METRICS: readonly Metric[] = ["finite", "cosine", "distance", "norm", "changed"];
/** Metrics that compare with another model. */
const COMPARED: readonly Metric[] = ["cosine", "distance", "changed"];

/** `isMade`: whether an output is made of the model. Undefined when something was reported. */
export function evaluateExpect(
  { target, predicates, span }: ExpectStatement,
  isMade: (model: ModelNode) => boolean,
  scope: Scope,
): ExpectNode | undefined {
  const model = evaluate(target, scope);
  if (model.kind !== "model" && model.kind !== "poison") {
    scope.report(takesInstead("expect", "a model", model, target.span));
  }
  const read = predicates.map((predicate) => evaluatePredicate(predicate, scope));
  const sound = read.filter((predicate) => predicate !== undefined);
  if (model.kind !== "model" || sound.length < read.length) return undefined;
  if (!isMade(model.node)) {
    scope.report({
      code: "expect-without-output",
      severity: "warning",
      message: "no output is made of this model, so nothing is tested",
      span: target.span,
    });
  }
  return { kind: "expect", span, target: model.node, predicates: sound };
}

function evaluatePredicate(predicate: Predicate, scope: Scope): PredicateNode | undefined {
  const { metric: expression, comparison, each, span } = predicate;
  const metric = readMetric(expression, scope);
  const bound =
    comparison === undefined
      ? undefined
      : takeConstant("a gate's bound", evaluate(comparison.bound, scope), comparison.bound.span, scope.report);
  if (metric === undefined || (comparison !== undefined && bound === undefined)) return undefined;
  const isFinite = metric.metric === "finite";
  if (isFinite !== (comparison === undefined) || (isFinite && each)) {
    scope.report({
      code: "gate-form",
      severity: "error",
      message: isFinite
        ? "finite stands alone; it holds for every tensor or fails"
        : `${metric.metric} is compared with a number`,
      span,
      help: isFinite ? "write finite" : "for example cosine(llama) > 0.9",
    });
    return undefined;
  }
  const node = { ...metric, each, subject: textOf(expression.span), span };
  if (metric.metric === "finite" || comparison === undefined || bound === undefined) return node;
  const compared = { operator: comparison.operator, bound };
  warnOfBound(metric.metric, compared, comparison.bound.span, scope.report);
  return { ...node, comparison: compared };
}

function readMetric(
  expression: Expression,
  scope: Scope,
): { readonly metric: Metric; readonly against?: ModelNode } | undefined {
  const callee = expression.kind === "call" ? expression.callee : expression;
  if (callee.kind !== "name") return refuseMetric(expression, scope);
  if (callee.text === "command") {
    scope.report({
      code: "not-served",
      severity: "error",
      message: "command is known to theta but not served yet; run the program behind theta build",
      span: callee.span,
    });
    return undefined;
  }
  const metric = METRICS.find((each) => each === callee.text);
  if (metric === undefined) return refuseMetric(callee, scope);
  const args = expression.kind === "call" ? expression.arguments : [];
  const [first] = args;
  const isCompared = COMPARED.includes(metric);
  const isRight = isCompared ? args.length === 1 && first?.label === undefined : expression.kind === "name";
  if (!isRight) {
    scope.report({
      code: "gate-form",
      severity: "error",
      message: isCompared ? `${metric} takes the model to compare with` : `${metric} takes no arguments`,
      span: expression.span,
      help: isCompared ? `write ${metric}(llama)` : `write ${metric}`,
    });
    return undefined;
  }
  if (first === undefined) return { metric };
  const against = evaluate(first.value, scope);
  if (against.kind === "model") return { metric, against: against.node };
  if (against.kind !== "poison") scope.report(takesInstead(metric, "a model", against, first.value.span));
  return undefined;
}

function refuseMetric(expression: Expression, scope: Scope): undefined {
  const near = expression.kind === "name" ? didYouMean(expression.text, METRICS) : undefined;
  scope.report({
    code: "unknown-metric",
    severity: "error",
    message: "a gate is finite or a metric against a number",
    span: expression.span,
    help: near === undefined ? "metrics are cosine(X), distance(X), norm, changed(X)" : `did you mean ${near}?`,
    ...(near === undefined ? {} : { edit: { span: expression.span, text: near } }),
  });
  return undefined;
}

/** On one line, as it stands in the recipe. */
function textOf({ source, start, end }: Span): string {
  return shortened(source.text.slice(start, end).replace(/\s+/g, " "));
}
