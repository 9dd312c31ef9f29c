// A checkpoint in shards: model.safetensors.index.json says which file holds which tensor, and both must agree.

import type { TensorInfo } from "../../compiler/checkpoint.ts";
import { sortByBytes } from "./byte-order.ts";
import { JsonReader } from "./json-reader.ts";
import { fail, quoted } from "./problem.ts";
import { type SafetensorsHeader, readSafetensorsHeader } from "./safetensors-header.ts";
import { type OpenedFiles, type SourceFile, inside, kindOf, readText } from "./source-file.ts";

/** Four times the largest index seen in the wild. */
const LARGEST_INDEX = 250_000_000;
const MOST_SHARDS = 10_000;

/** All tensors of the shards, as of one file. `directory` holds `index` and the shards. */
export function readShards(directory: SourceFile, index: SourceFile, opened: OpenedFiles): SafetensorsHeader {
  const shardOf = readWeightMap(index, opened);
  const headers = new Map<string, SafetensorsHeader>();
  const tied = new Map<string, string>();
  for (const shard of sortByBytes([...new Set(shardOf.values())])) {
    const file = inside(directory, shard);
    if (kindOf(file) === undefined) {
      fail("shard-missing", `${index.display} names the shard ${quoted(shard)}, which does not exist`, INCOMPLETE);
    }
    const header = readSafetensorsHeader(file, opened);
    headers.set(shard, header);
    const checkListed = (name: string): void => {
      const listed = shardOf.get(name);
      if (listed === shard) return;
      const holds = `${file.display} holds tensor ${quoted(name)}`;
      if (listed === undefined) fail("shard-tensors", `${holds}, which ${index.display} does not list`, STALE);
      fail("shard-tensors", `${holds}, which ${index.display} puts into ${quoted(listed)}`, STALE);
    };
    for (const name of header.tensors.keys()) checkListed(name);
    for (const [name, stored] of header.tied) {
      checkListed(name);
      tied.set(name, stored);
    }
  }
  const tensors = new Map<string, TensorInfo>();
  for (const name of sortByBytes([...shardOf.keys()])) {
    const shard = shardOf.get(name)!;
    const tensor = headers.get(shard)!.tensors.get(name);
    if (tensor !== undefined) tensors.set(name, tensor);
    else if (!tied.has(name)) {
      const sentence = `${index.display} puts tensor ${quoted(name)} into ${quoted(shard)}, which does not hold it`;
      fail("shard-tensors", sentence, STALE);
    }
  }
  return { tensors, tied };
}

const INCOMPLETE = "was the download or the copy interrupted?";
const STALE = "index and shards are not of the same checkpoint";

function readWeightMap(index: SourceFile, opened: OpenedFiles): ReadonlyMap<string, string> {
  const reader = new JsonReader(readText(index, opened, LARGEST_INDEX), index.display);
  const shardOf = new Map<string, string>();
  const shards = new Set<string>();
  let present = false;
  reader.readObject("the index", (key) => {
    if (key !== "weight_map") {
      reader.readValue(quoted(key));
      return;
    }
    present = true;
    reader.readObject("weight_map", (tensor) => {
      const shard = reader.readString("a file name in weight_map");
      if (!shards.has(shard)) {
        checkShardName(shard, tensor, index);
        shards.add(shard);
        if (shards.size > MOST_SHARDS) {
          fail("bad-index", `${index.display} names more than ${MOST_SHARDS} shards`);
        }
      }
      shardOf.set(tensor, shard);
    });
  });
  reader.end();
  if (!present) fail("bad-index", `${index.display} has no weight_map`);
  return shardOf;
}

/** A shard lies beside its index, whatever the index says; links are followed afterwards, as hub snapshots need. */
function checkShardName(shard: string, tensor: string, index: SourceFile): void {
  const wrong = (what: string): never =>
    fail("shard-name", `${index.display}: the shard ${quoted(shard)} of tensor ${quoted(tensor)} ${what}`);
  if (shard === "") wrong("has no name");
  if (/[/\\]/.test(shard)) wrong("must be the name of a file beside the index, not a path");
  if (shard.includes("\0")) wrong("has a NUL character in its name");
  if (shard.includes("..")) wrong('must not have ".." in its name');
  if (!shard.endsWith(".safetensors")) wrong("is not a .safetensors file");
}
