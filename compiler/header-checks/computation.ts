// Do the models under an output compute alike with their tensors? Where one has other heads, another activation or other
// frequencies, arithmetic between them is defined, and the result rarely a model that works.

import type { Report } from "../../dsl/diagnostic.ts";
import type { Span } from "../../dsl/source.ts";
import { baseOf, donorOf, sourcesUnder, rootOf } from "../graph-walk.ts";
import type { Headers } from "../headers.ts";
import { sourceName } from "../list-member.ts";
import type { CheckpointNode, OutputNode } from "../recipe-graph.ts";

export function checkComputation(output: OutputNode, headers: Headers, report: Report): void {
  const { value, config, span } = output;
  const isVector = value.kind === "vector";
  const donor = donorOf(isVector ? baseOf(value.node) : value.node);
  const checkpoints = sourcesUnder(rootOf(output)).filter((node) => node.kind === "checkpoint");
  if (!isVector && config === undefined) warnOfMissing(donor, checkpoints, headers, span, report);
  const help = "merge fine-tunes of one base";
  const reference = config ?? donor;
  const more = isVector ? "" : `; the output computes as ${reference.name} does`;
  warnOfOthers(reference, checkpoints, headers, `${help}${more}`, report);
}

function warnOfMissing(
  donor: CheckpointNode,
  checkpoints: readonly CheckpointNode[],
  headers: Headers,
  span: Span,
  report: Report,
): void {
  if (hasConfig(donor, headers)) return;
  const other = checkpoints.find((node) => hasConfig(node, headers));
  if (other === undefined) return;
  report({
    code: "output-without-config",
    severity: "warning",
    message: `${sourceName(donor)} has no config.json, so the output gets none; ${sourceName(other)} has one`,
    span,
    help: `put one beside the tensors of ${donor.name}, or name the model whose config.json is to be copied with config`,
  });
}

/** A configuration without settings of layers is one all the same; where there is none, they are absent. */
function hasConfig(node: CheckpointNode, headers: Headers): boolean {
  return headers.model(node).config.layers !== undefined;
}

/** A task vector's two models differ from the rest alike: the first one tells it. */
function warnOfOthers(
  reference: CheckpointNode,
  checkpoints: readonly CheckpointNode[],
  headers: Headers,
  help: string,
  report: Report,
): void {
  const ours = headers.model(reference).config.computation;
  const told = new Set<string>();
  for (const node of checkpoints) {
    const theirs = headers.model(node).config.computation;
    const others = [...theirs].filter(([setting, text]) => (ours.get(setting) ?? text) !== text);
    const facts = others.map(
      ([setting, text]) => `${setting}  ${text}, where ${reference.name} has ${ours.get(setting)}`,
    );
    if (facts.length === 0 || told.has(facts.join("\n"))) continue;
    told.add(facts.join("\n"));
    report({
      code: "other-computation",
      severity: "warning",
      message: `config.json of ${sourceName(node)} says that it computes otherwise than ${sourceName(reference)} with tensors of equal shapes`,
      span: node.span,
      facts,
      help,
    });
  }
}
