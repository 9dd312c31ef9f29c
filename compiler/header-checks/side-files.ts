// Do the configuration and the tokenizer that an output names fit its embeddings? Where they do not, the model would not
// load, or load and compute something else.

import type { Diagnostic, Report } from "../../dsl/diagnostic.ts";
import type { Checkpoint, ModelConfig } from "../checkpoint.ts";
import { donorOf } from "../graph-walk.ts";
import { tensorOf, type Headers } from "../headers.ts";
import type { Layout } from "../layout.ts";
import { differsInVocabulary, isOfVocabulary } from "../lower/vocabulary.ts";
import type { CheckpointNode, OutputNode } from "../recipe-graph.ts";

type Problem = Pick<Diagnostic, "code" | "severity" | "message" | "help">;

export function checkSideFiles({ value, config, tokenizer, span }: OutputNode, headers: Headers, report: Report): void {
  // A vector has neither.
  if (value.kind === "vector") return;
  const layout = headers.layout(value.node);
  const donor = donorOf(value.node);
  const ofConfig = config && configProblem(config, headers.model(config), donor, headers.model(donor).config, layout);
  const ofTokenizer = tokenizer && tokenizerProblem(tokenizer, headers.model(tokenizer), layout);
  for (const problem of [ofConfig, ofTokenizer]) if (problem !== undefined) report({ ...problem, span });
}

function configProblem(
  { name }: CheckpointNode,
  model: Checkpoint,
  donor: CheckpointNode,
  donors: ModelConfig,
  layout: Layout,
): Problem | undefined {
  const wrong = otherTie(model, donors, layout) ?? otherSize(model, layout);
  if (wrong === undefined) return undefined;
  const fits = donors.saysTied !== undefined || donors.vocabularies.length > 0;
  const help = fits
    ? `leave config out: that of ${donor.name} fits, and is copied then`
    : "name a model whose config.json is true of the output";
  const message = `config.json of ${name} says ${wrong.says}, and ${wrong.is}`;
  return { code: "config-vocabulary", severity: "error", message, help };
}

/** Rows are often more than there are tokens, so that the tokenizer has too many is a guess. */
function tokenizerProblem({ name }: CheckpointNode, model: Checkpoint, layout: Layout): Problem | undefined {
  const other = otherRows(model, layout);
  if (other === undefined || other.theirs <= other.own) return undefined;
  return {
    code: "tokenizer-vocabulary",
    severity: "warning",
    message: `the tokenizer of ${name} may have tokens that the output has no row for: ${other.name} has ${other.own} rows, in ${name} ${other.theirs}`,
    help: `make ${name} the base of the merge to keep its rows, or leave tokenizer out`,
  };
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
