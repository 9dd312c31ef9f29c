// The 64-bit stream that a mask consumes. METHODS.md: "Canonical order"; nothing else may turn a name into numbers.

import { hash } from "node:crypto";

/** What a stream is for; part of the hash, so that no two uses share numbers. */
type StreamPurpose = "tie" | "random" | "della";

/** First 8 bytes, little endian, of SHA-256("theta.rng.v1" NUL purpose NUL decimal(stream) NUL name). */
export function streamId(purpose: StreamPurpose, stream: number, tensor: string): bigint {
  // As text, which costs half of what a buffer costs.
  const hex = hash("sha256", `theta.rng.v1\0${purpose}\0${stream}\0${tensor}`, "hex");
  let digits = "0x";
  for (let at = 14; at >= 0; at -= 2) digits += hex.slice(at, at + 2);
  return BigInt(digits);
}
