// Names that a model has by convention though its file does not hold them: a tied output head is the embedding.

import type { TensorInfo } from "../../compiler/checkpoint.ts";

/** Embedding and the head that is tied to it, as the architectures of transformers name them. */
const PAIRS: readonly (readonly [embedding: string, head: string])[] = [
  ["model.embed_tokens.weight", "lm_head.weight"],
  ["language_model.model.embed_tokens.weight", "language_model.lm_head.weight"],
  ["model.language_model.embed_tokens.weight", "lm_head.weight"],
  ["model.decoder.embed_tokens.weight", "lm_head.weight"],
  ["transformer.wte.weight", "lm_head.weight"],
  ["wte.weight", "lm_head.weight"],
  ["transformer.word_embeddings.weight", "lm_head.weight"],
  ["word_embeddings.weight", "lm_head.weight"],
  ["backbone.embeddings.weight", "lm_head.weight"],
  ["gpt_neox.embed_in.weight", "embed_out.weight"],
  ["shared.weight", "lm_head.weight"],
];

/**
 * Absent head → stored embedding. A head that the file holds is a tensor of its own, or tied by the file (`tied`),
 * whatever config.json says.
 */
export function tiedNames(
  tensors: ReadonlyMap<string, TensorInfo>,
  tied: ReadonlyMap<string, string>,
): ReadonlyMap<string, string> {
  const pair = PAIRS.find(([embedding]) => tensors.has(embedding));
  if (pair === undefined || tensors.has(pair[1]) || tied.has(pair[1]) || tied.has(pair[0])) return new Map();
  return new Map([[pair[1], pair[0]]]);
}
