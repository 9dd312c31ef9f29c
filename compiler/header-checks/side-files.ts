// Do the configuration and the tokenizer that an output names fit its embeddings? Where they do not, the model would not
// load, or load and compute something else.

import type { Report } from "../../dsl/diagnostic.ts";
import type { Checkpoint, ModelConfig } from "../checkpoint.ts";
import { donorOf } from "../graph-walk.ts";
import { tensorOf, type Headers } from "../headers.ts";
import type { Layout } from "../layout.ts";
import { differsInVocabulary, isOfVocabulary } from "../lower/vocabulary.ts";
import type { CheckpointNode, ModelNode, OutputNode } from "../recipe-graph.ts";

export function checkSideFiles(output: OutputNode, headers: Headers, report: Report): void {
  // A vector has neither.
  if (output.value.kind === "vector") return;
  const made = output.value.node;
  if (output.config !== undefined) checkConfig(output, output.config, made, headers, report);
  if (output.tokenizer !== undefined) checkTokenizer(output, output.tokenizer, made, headers, report);
}

function checkConfig(
  { span }: OutputNode,
  node: CheckpointNode,
  made: ModelNode,
  headers: Headers,
  report: Report,
): void {
  const model = headers.model(node);
  const layout = headers.layout(made);
  const donor = donorOf(made);
  const { config } = headers.model(donor);
  const wrong = otherTie(model, config, layout) ?? otherSize(model, layout);
  if (wrong === undefined) return;
  const message = `config.json of ${node.name} says ${wrong.says}, and ${wrong.is}`;
  const fits = config.saysTied !== undefined || config.vocabularies.length > 0;
  const help = fits
    ? `leave config out: that of ${donor.name} fits, and is copied then`
    : "name a model whose config.json is true of the output";
  report({ code: "config-vocabulary", severity: "error", message, span, help });
}

interface Wrong {
  readonly says: string;
  readonly is: string;
}

/** Where the donor's configuration says otherwise: models are stored with a head that their configuration ties. */
function otherTie({ config, tensors, aliases }: Checkpoint, donor: ModelConfig, layout: Layout): Wrong | undefined {
  if (config.saysTied === undefined || donor.saysTied === undefined || config.saysTied === donor.saysTied) {
    return undefined;
  }
  if (config.saysTied) {
    const apart = [...aliases].find(
      ([head, embedding]) => isOfVocabulary(head) && layout.tensors.has(head) && layout.tensors.has(embedding),
    );
    if (apart === undefined) return undefined;
    return { says: "tie_word_embeddings true", is: `the output stores ${apart[0]} apart from ${apart[1]}` };
  }
  const tied = [...layout.aliases].find(
    ([head, embedding]) => isOfVocabulary(head) && tensors.has(head) && tensors.has(embedding),
  );
  if (tied === undefined) return undefined;
  return { says: "tie_word_embeddings false", is: `in the output ${tied[0]} and ${tied[1]} are one tensor` };
}

/** A configuration that never spoke of its own model's rows says nothing of the output's. */
function otherSize(model: Checkpoint, layout: Layout): Wrong | undefined {
  const other = otherRows(model, layout);
  const size = other && model.config.vocabularies.find(({ tokens }) => tokens === other.theirs);
  if (size === undefined) return undefined;
  const { name, own } = other!;
  return { says: `${size.path.join(".")} ${size.tokens}`, is: `${name} of the output has ${own} rows` };
}

/** Rows are often more than there are tokens, so that the tokenizer has too many is a guess. */
function checkTokenizer(
  { span }: OutputNode,
  node: CheckpointNode,
  made: ModelNode,
  headers: Headers,
  report: Report,
): void {
  const other = otherRows(headers.model(node), headers.layout(made));
  if (other === undefined || other.theirs <= other.own) return;
  report({
    code: "tokenizer-vocabulary",
    severity: "warning",
    message: `the tokenizer of ${node.name} may have tokens that the output has no row for: ${other.name} has ${other.own} rows, in ${node.name} ${other.theirs}`,
    span,
    help: `make ${node.name} the base of the merge to keep its rows, or leave tokenizer out`,
  });
}

interface OtherRows {
  readonly name: string;
  readonly own: number;
  readonly theirs: number;
}

/** The first tensor of tokens of which the model has another number. */
function otherRows(model: Checkpoint, { tensors }: Layout): OtherRows | undefined {
  for (const [name, { tensor }] of tensors) {
    const theirs = tensorOf(model, [name]);
    if (theirs === undefined || !differsInVocabulary(tensor.shape, theirs.shape, [name])) continue;
    return { name, own: tensor.shape[0]!, theirs: theirs.shape[0]! };
  }
  return undefined;
}
