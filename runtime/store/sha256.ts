// SHA-256 of small things, in hex: headers, side files, records.

import { createHash } from "node:crypto";

export function sha256(data: Uint8Array | string): string {
  return createHash("sha256").update(data).digest("hex");
}
