// What theta knows of a shard that it wrote: its layout and, for each tensor, what made it and what came out. A sidecar
// `<digest>.json` holds it beside the stored shard; it is the action cache, the index over it is derived.

import type { InputCounters, MaskCounters } from "../../native/addon-types.ts";
import { decodeChecked, encodeChecked } from "./checked-json.ts";
import { sha256 } from "./sha256.ts";

/** What a run counted. Policies that change no byte are judged from these, on a hit exactly as on a run. */
export interface ActionCounters {
  /** One an input; empty when every element of every input is finite. */
  readonly inputs: readonly InputCounters[];
  readonly masks: readonly MaskCounters[];
  readonly overflow: number;
  readonly firstOverflow: number;
  readonly antiparallel: number;
}

export interface TensorRecord {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  /** Bytes from the start of the file. */
  readonly offset: number;
  readonly bytes: number;
  /** Of the payload, `sha256:<hex>`. */
  readonly digest: string;
  /** Action key. */
  readonly key: string;
  /** The action key without the inputs' digests. */
  readonly weak: string;
  /** Of an action that model-wide statistics are part of: SHA-256 over the weak key and the inputs' digests, to tell them apart. */
  readonly fed?: string;
  /** Operations with their revisions, and names of the inputs' roles: not compared, only told when a key differs. */
  readonly operations: string;
  readonly roles: readonly string[];
  readonly counters: ActionCounters;
}

export interface ShardRecord {
  /** Name of the shard in the store; see `shardDigest`. */
  readonly digest: string;
  /** SHA-256 of the header bytes, so equal layouts can be told without reading them. */
  readonly layout: string;
  /** Size of the file. */
  readonly bytes: number;
  /** Own stamp (device, inode, size, mtime) of the file when it was finished. */
  readonly stamp: string;
  /** In file order. */
  readonly tensors: readonly TensorRecord[];
  /** Of other actions that gave the same bytes. */
  readonly more: readonly TensorRecord[];
}

/**
 * A shard's identity as a function of its tensors only: SHA-256, in hex, over the layout and the payload digests in
 * file order, one a line.
 */
export function shardDigest(layout: string, payloads: readonly string[]): string {
  return sha256([layout, ...payloads].join("\n"));
}

const SCHEMA = "theta.shard/1";

export function encodeSidecar(record: ShardRecord): string {
  return encodeChecked({ schema: SCHEMA, ...record });
}

/** Undefined for anything but an intact sidecar of a shard with that digest. */
export function decodeSidecar(text: string, digest: string): ShardRecord | undefined {
  const content = decodeChecked(text);
  if (content === undefined) return undefined;
  const { schema, ...record } = content as ShardRecord & { readonly schema: string };
  if (schema !== SCHEMA || record.digest !== digest) return undefined;
  const payloads = record.tensors.map((tensor) => tensor.digest);
  return shardDigest(record.layout, payloads) === digest ? record : undefined;
}
