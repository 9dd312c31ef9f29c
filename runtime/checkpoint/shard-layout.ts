// Which tensor goes into which file of a checkpoint, in the hub's conventions. A function of the tensors and the shard
// size alone, so an unchanged model keeps its files.

import { sortByBytes } from "./byte-order.ts";
import { type FileLayout, type OutputTensor, layoutFile, tensorBytes } from "./safetensors-writer.ts";

export interface ShardFile extends FileLayout {
  /** File name in the output directory. */
  readonly name: string;
}

export interface ShardLayout {
  readonly shards: readonly ShardFile[];
  /** Present when there is more than one shard. */
  readonly index?: { readonly name: string; readonly content: Uint8Array };
  /** Bytes of all payloads. */
  readonly totalBytes: number;
}

const MB = 1e6;
const GB = 1e9;
const SINGLE_FILE = "model.safetensors";
const INDEX_FILE = "model.safetensors.index.json";

/**
 * Fills shards in the order of names, by bytes. `shardSize` bounds the payloads of a shard, in bytes; a larger tensor
 * gets a shard of its own. Default: one file below 1 GB, else a sixteenth of the whole within 256 MB … 5 GB.
 */
export function layoutShards(tensors: readonly OutputTensor[], shardSize?: number): ShardLayout {
  const byName = new Map(tensors.map((tensor) => [tensor.name, tensor]));
  const ordered = sortByBytes([...byName.keys()]).map((name) => byName.get(name)!);
  const totalBytes = ordered.reduce((sum, tensor) => sum + tensorBytes(tensor), 0);
  const groups = split(ordered, shardSize ?? defaultShardSize(totalBytes));
  const shards = groups.map((group, index) => ({ name: shardName(index, groups.length), ...layoutFile(group) }));
  if (shards.length === 1) return { shards, totalBytes };
  return { shards, index: { name: INDEX_FILE, content: indexContent(shards, totalBytes) }, totalBytes };
}

function defaultShardSize(totalBytes: number): number {
  if (totalBytes < GB) return GB;
  return Math.min(Math.max(Math.ceil(totalBytes / 16), 256 * MB), 5 * GB);
}

/** At least one group, so that a checkpoint without tensors still has its file. */
function split(tensors: readonly OutputTensor[], limit: number): OutputTensor[][] {
  let group: OutputTensor[] = [];
  const groups = [group];
  let filled = 0;
  for (const tensor of tensors) {
    const bytes = tensorBytes(tensor);
    if (group.length > 0 && filled + bytes > limit) {
      group = [];
      groups.push(group);
      filled = 0;
    }
    group.push(tensor);
    filled += bytes;
  }
  return groups;
}

function shardName(index: number, count: number): string {
  if (count === 1) return SINGLE_FILE;
  return `model-${fiveDigits(index + 1)}-of-${fiveDigits(count)}.safetensors`;
}

function fiveDigits(number: number): string {
  return String(number).padStart(5, "0");
}

/** Written line by line: an object would put names such as "7" first and lose `__proto__`. */
function indexContent(shards: readonly ShardFile[], totalBytes: number): Uint8Array {
  const fileOf = new Map(shards.flatMap(({ name: file, tensors }) => tensors.map(({ name }) => [name, file] as const)));
  const lines = sortByBytes([...fileOf.keys()]).map((name) => `    ${JSON.stringify(name)}: "${fileOf.get(name)!}"`);
  const metadata = `  "metadata": {\n    "total_size": ${totalBytes}\n  }`;
  return Buffer.from(`{\n${metadata},\n  "weight_map": {\n${lines.join(",\n")}\n  }\n}\n`, "utf8");
}
