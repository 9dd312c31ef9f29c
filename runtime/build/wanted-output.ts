// An output as the build sees it: what it shall hold, and what it held when it was last published.

import { join } from "node:path";
import type { Action, OutputGraph } from "../../compiler/tensor-graph.ts";
import { layoutShards, type ShardFile, type ShardLayout } from "../checkpoint/shard-layout.ts";
import { resolveLinks } from "../output/real-place.ts";
import { ownStampAt } from "../store/file-identity.ts";
import { readOutputRecord, type OutputRecord } from "../store/output-record.ts";
import type { TensorRecord } from "../store/shard-record.ts";
import { sha256 } from "../store/sha256.ts";
import type { StoredShard, StoredTensor } from "../store/shard-store.ts";
import type { StorePaths } from "../store/store-paths.ts";

export interface WantedShard {
  readonly file: ShardFile;
  /** SHA-256 of the header. */
  readonly layout: string;
  /** In file order, one a tensor. */
  readonly actions: readonly Action[];
}

export interface WantedOutput {
  readonly graph: OutputGraph;
  /** Of its directory, links followed: by whatever way it is reached, it is one output. */
  readonly path: string;
  readonly index: ShardLayout["index"];
  readonly shards: readonly WantedShard[];
  /** What theta last wrote there, by its records; the directory may have been changed since. */
  readonly record: OutputRecord | undefined;
  /** Shards that still lie there as theta wrote them, by digest. */
  readonly held: ReadonlyMap<string, StoredShard>;
  /** Tensors of the record, by action key, and where one that still lies there can be read. */
  readonly heldByKey: ReadonlyMap<string, StoredTensor>;
  readonly recordByName: ReadonlyMap<string, TensorRecord>;
}

export function wantOutput(store: StorePaths, graph: OutputGraph): WantedOutput {
  const { output, actions } = graph;
  const byName = new Map(actions.map((action) => [action.tensor, action]));
  const layout = layoutShards(
    actions.map(({ tensor: name, dtype, shape }) => ({ name, dtype, shape })),
    output.shard,
  );
  const shards = layout.shards.map((file) => ({
    file,
    layout: sha256(file.header),
    actions: file.tensors.map((tensor) => byName.get(tensor.name)!),
  }));
  const directory = resolveLinks(output.path);
  const record = readOutputRecord(store, directory);
  const held = new Map<string, StoredShard>();
  const heldByKey = new Map<string, StoredTensor>();
  const recordByName = new Map<string, TensorRecord>();
  for (const { file, record: content } of record?.shards ?? []) {
    const path = join(directory, file.name);
    const shard = { path, record: { ...content, stamp: file.stamp } };
    const intact = ownStampAt(path) === file.stamp;
    if (intact) held.set(content.digest, shard);
    for (const tensor of content.tensors) {
      recordByName.set(tensor.name, tensor);
      if (intact) heldByKey.set(tensor.key, { shard, tensor });
    }
  }
  return { graph, path: directory, index: layout.index, shards, record, held, heldByKey, recordByName };
}
