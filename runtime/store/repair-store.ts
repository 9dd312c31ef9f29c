// Drops what a verification found wrong, so that the next build makes it again. No bytes are mended in place: the recipe is
// the only thing that says what they should be.

import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { FileSystemCalls } from "../../native/addon-types.ts";
import type { Drop, Finding } from "./finding.ts";
import { removeIndex } from "./index-database.ts";
import { takeLock, tryLock } from "./lock.ts";
import { underMutationLock } from "./mutation-lock.ts";
import { readOutputRecord, writeOutputRecord } from "./output-record.ts";
import { withStore, type Store } from "./store.ts";
import { outputId, type StorePaths } from "./store-paths.ts";

/** Waits for builds of the outputs that it touches. Throws a Failure (73) when the store cannot be written. */
export async function repairStore(
  calls: FileSystemCalls,
  paths: StorePaths,
  findings: readonly Finding[],
  signal: AbortSignal,
): Promise<void> {
  const drops = findings.map(({ drop }) => drop);
  // A build that has it open goes on with a file without a name, and the next one reads the sidecars.
  if (drops.some(({ kind }) => kind === "index")) removeIndex(paths.index);
  await withStore(paths.root, calls, async (store) => {
    await underMutationLock(calls, paths, signal, () => {
      for (const drop of drops) dropStored(store, drop);
    });
    for (const name of readdirSync(paths.trash)) rmSync(join(paths.trash, name), { force: true, recursive: true });
    for (const drop of drops) {
      if (drop.kind === "published") await forgetPublished(calls, paths, drop.output, drop.name, signal);
    }
  });
}

function dropStored({ index, paths, shards }: Store, drop: Drop): void {
  switch (drop.kind) {
    case "shard":
      shards.evict(drop.digest, paths.trash);
      return;
    case "stamp":
      shards.restamp(drop.digest, drop.stamp);
      return;
    case "entries":
      for (const digest of drop.digests) {
        index.dropShard(digest);
        const shard = shards.find(digest);
        if (shard !== undefined) index.addShard(shard.record);
      }
      return;
    case "file":
      rmSync(drop.path, { force: true });
      return;
    case "index":
    case "published":
    case "nothing":
      return;
  }
}

/** Neither its bytes nor what was said of them is believed any more: which of the two is wrong, nobody knows. */
async function forgetPublished(
  calls: FileSystemCalls,
  paths: StorePaths,
  output: string,
  name: string,
  signal: AbortSignal,
): Promise<void> {
  const lock = await takeLock(() => tryLock(calls, join(paths.locks, outputId(output))), signal);
  try {
    const record = readOutputRecord(paths, output);
    if (record === undefined) return;
    const shards = record.shards.map((shard) =>
      shard.file.name === name
        ? { file: { name, stamp: "" }, record: { ...shard.record, tensors: [], stamp: "" } }
        : shard,
    );
    const sideFiles = record.sideFiles.map((file) => (file.name === name ? { ...file, stamp: "" } : file));
    writeOutputRecord(paths, { ...record, shards, sideFiles });
  } finally {
    lock.release();
  }
}
