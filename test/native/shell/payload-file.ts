// Files with payloads for tests of the addon, in a temporary folder that goes when the test file ends.

import { createHash, randomBytes } from "node:crypto";
import { mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";
import type { HashTask, NativeInput } from "../../../native/addon-types.ts";

export const folder = mkdtempSync(join(tmpdir(), "theta-shell-"));
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

let files = 0;

/** Writes the bytes to a new file; an open descriptor for reading and writing. */
export function payloadFile(bytes: Uint8Array = new Uint8Array()): number {
  const path = join(folder, `payload-${++files}`);
  writeFileSync(path, bytes);
  return openSync(path, "r+");
}

/** Random bytes, quickly: a megabyte that repeats with a counter in it. */
export function someBytes(size: number): Buffer {
  const block = randomBytes(Math.min(size, 1 << 20));
  const bytes = Buffer.alloc(size);
  for (let at = 0, n = 0; at < size; at += block.length, n++) {
    block.writeUInt8(n & 255, 0);
    block.copy(bytes, at);
  }
  return bytes;
}

export function sha256Text(bytes: Uint8Array): string {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}

export function bytesInput(fd: number, offset: number, size: number): NativeInput {
  return { fd, offset, dtype: "U8", shape: [size], digest: true };
}

export function hashTask(...inputs: readonly NativeInput[]): HashTask {
  return { kind: "hash", label: "hash", inputs };
}

/** What a promise was rejected with. */
export async function rejection(promise: Promise<unknown>): Promise<NodeJS.ErrnoException> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof Error) return error;
  }
  throw new Error("the promise was not rejected with an Error");
}
