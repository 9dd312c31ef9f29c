// Records on disk: one line of JSON and one with its checksum, so that a torn or edited one is not believed.

import { sha256 } from "./sha256.ts";

export function encodeChecked(value: unknown): string {
  const line = JSON.stringify(value);
  return `${line}\n${sha256(line)}\n`;
}

/** Undefined for anything but what `encodeChecked` gave. */
export function decodeChecked(text: string): unknown {
  const [line = "", checksum] = text.split("\n");
  return sha256(line) === checksum ? (JSON.parse(line) as unknown) : undefined;
}
