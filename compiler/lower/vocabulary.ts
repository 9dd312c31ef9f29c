// Which dimension of a tensor counts the tokens of a vocabulary: the only one that `resize common` lets differ.

/** Embeddings and output heads, as the architectures of transformers name them. */
const VOCABULARY =
  /(?:^|\.)(?:embed_tokens|lm_head|wte|word_embeddings|tok_embeddings|embed_in|embed_out|embeddings|shared|output|decoder|predictions)\.(?:weight|bias)$/;

export function isOfVocabulary(name: string): boolean {
  return VOCABULARY.test(name);
}

/** Whether the shapes differ in their number of rows alone, and rows are tokens. */
export function differsInVocabulary(
  left: readonly number[],
  right: readonly number[],
  names: readonly string[],
): boolean {
  return (
    left.length > 0 &&
    left.length === right.length &&
    left[0] !== right[0] &&
    left.every((dimension, index) => index === 0 || dimension === right[index]) &&
    names.some(isOfVocabulary)
  );
}
