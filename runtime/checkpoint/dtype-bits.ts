// The dtypes that a safetensors header may name, with their size.

/** In the official writer's order of alignment; a file's payloads lie in the reverse of it. */
const DTYPES: readonly (readonly [name: string, bits: number])[] = [
  ["BOOL", 8],
  ["F4", 4],
  ["F6_E2M3", 6],
  ["F6_E3M2", 6],
  ["U8", 8],
  ["I8", 8],
  ["F8_E5M2", 8],
  ["F8_E4M3", 8],
  ["F8_E8M0", 8],
  ["F8_E4M3FNUZ", 8],
  ["F8_E5M2FNUZ", 8],
  ["I16", 16],
  ["U16", 16],
  ["F16", 16],
  ["BF16", 16],
  ["I32", 32],
  ["U32", 32],
  ["F32", 32],
  ["C64", 64],
  ["F64", 64],
  ["I64", 64],
  ["U64", 64],
];

const BITS: ReadonlyMap<string, number> = new Map(DTYPES);
const RANK: ReadonlyMap<string, number> = new Map(DTYPES.map(([name], rank) => [name, rank]));

/** Bits of one element; undefined for a dtype that we do not know. */
export function dtypeBits(dtype: string): number | undefined {
  return BITS.get(dtype);
}

/** Position in the writer's order; a higher one lies further to the front of a file. */
export function dtypeRank(dtype: string): number {
  const rank = RANK.get(dtype);
  if (rank === undefined) throw new Error(`not a dtype of safetensors: ${dtype}`);
  return rank;
}

/** Payload size, or why the shape has none: the product is beyond 2^53 − 1, or its last byte is not full. */
export function payloadBytes(bits: number, shape: readonly number[]): number | "overflow" | "partial-byte" {
  let elements = 1;
  for (const size of shape) {
    // Exact as long as it stays in range: a product of two integers that fits 2^53 is not rounded.
    elements *= size;
    if (elements > Number.MAX_SAFE_INTEGER) return "overflow";
  }
  const total = elements * bits;
  // A rounded product is a multiple of a power of two above 2^53, hence of 8: only the range must be checked.
  if (total > Number.MAX_SAFE_INTEGER) return "overflow";
  return total % 8 === 0 ? total / 8 : "partial-byte";
}
