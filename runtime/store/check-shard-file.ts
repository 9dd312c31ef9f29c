// Reads all of one shard's file and compares it with its record. The bytes are hashed by the addon.

import { fstatSync, readSync } from "node:fs";
import type { Engine } from "../../native/addon-types.ts";
import type { Fault } from "./finding.ts";
import type { ShardRecord } from "./shard-record.ts";
import { sha256 } from "./sha256.ts";

/** `fd`: the shard's, open for reading. Rejects only when the engine was cancelled. */
export async function checkShardFile(fd: number, record: ShardRecord, engine: Engine): Promise<Fault | undefined> {
  const { size } = fstatSync(fd);
  if (size !== record.bytes) return { kind: "size", is: size, should: record.bytes };
  try {
    if (!hasHeader(fd, record)) return { kind: "header" };
    const digests = await Promise.all(record.tensors.map(({ name, offset, bytes }) => hash(fd, name, offset, bytes)));
    const wrong = record.tensors.filter(({ digest }, index) => digests[index] !== digest).map(({ name }) => name);
    return wrong.length === 0 ? undefined : { kind: "payload", tensors: wrong };
  } catch (error) {
    const { code, message } = error as Error & { readonly code?: string };
    if (code === "cancelled" || code === "memory") throw error;
    return { kind: "unreadable", why: message };
  }

  async function hash(from: number, label: string, offset: number, bytes: number): Promise<string | null | undefined> {
    // As plain bytes: what the numbers are like was counted when they were made.
    const input = { fd: from, offset, dtype: "U8", shape: [bytes], digest: true };
    const { inputDigests } = await engine.run({ kind: "hash", label, inputs: [input] });
    return inputDigests[0];
  }
}

/** The header reaches up to the first tensor: theta leaves no holes. */
function hasHeader(fd: number, { bytes, layout, tensors }: ShardRecord): boolean {
  const length = Math.min(bytes, ...tensors.map(({ offset }) => offset));
  const header = Buffer.alloc(length);
  for (let done = 0; done < length;) {
    const count = readSync(fd, header, done, length - done, done);
    if (count === 0) return false;
    done += count;
  }
  return sha256(header) === layout;
}
