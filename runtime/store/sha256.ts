// SHA-256 of small things, in hex: headers, side files, records.

import { hash } from "node:crypto";

export function sha256(data: Uint8Array | string): string {
  return hash("sha256", data, "hex");
}
