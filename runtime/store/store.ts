// A store, opened: its folder, the index over it, its shards and what is known of inputs.

import type { FileSystemCalls } from "../../native/addon-types.ts";
import { EXIT, Failure } from "../failure.ts";
import { IndexDatabase } from "./index-database.ts";
import { ShardStore } from "./shard-store.ts";
import { StatCache } from "./stat-cache.ts";
import { prepareStore, type StorePaths } from "./store-paths.ts";
import { isLocal } from "./time-stamp-trust.ts";

export interface Store {
  readonly paths: StorePaths;
  readonly index: IndexDatabase;
  readonly shards: ShardStore;
  readonly inputs: StatCache;
  close(): void;
}

/** Makes the store when there is none. Throws a Failure (73) when it cannot be written or is of another version. */
export async function openStore(root: string, calls: FileSystemCalls): Promise<Store> {
  const paths = prepareStore(root);
  try {
    const index = await IndexDatabase.open(paths.index, isLocal(calls.fileSystemType(root)));
    const shards = new ShardStore(paths.shards, index);
    return { paths, index, shards, inputs: new StatCache(index), close: () => index.close() };
  } catch (error) {
    const message = `the store ${root} cannot be used: ${(error as Error).message}`;
    throw new Failure(EXIT.output, message, { code: "store-unusable" }, error);
  }
}
