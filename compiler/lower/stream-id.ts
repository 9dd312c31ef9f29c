// The 64-bit stream that a mask consumes. METHODS.md: "Canonical order"; nothing else may turn a name into numbers.

import { hash } from "node:crypto";

/** What a stream is for; part of the hash, so that no two uses share numbers. */
type StreamPurpose = "tie" | "random" | "della";

/** First 8 bytes, little endian, of SHA-256("theta.rng.v1" NUL purpose NUL decimal(stream) NUL name). */
export function streamId(purpose: StreamPurpose, stream: number, tensor: string): bigint {
  return hash("sha256", `theta.rng.v1\0${purpose}\0${stream}\0${tensor}`, "buffer").readBigUInt64LE(0);
}
