// A store, opened: its folder, the index over it, its shards and what is known of inputs.

import type { FileSystemCalls } from "../../native/addon-types.ts";
import { EXIT, Failure } from "../failure.ts";
import { IndexDamaged, IndexDatabase, removeIndex } from "./index-database.ts";
import { ShardStore } from "./shard-store.ts";
import { StatCache } from "./stat-cache.ts";
import { prepareStore, storePaths, type StorePaths } from "./store-paths.ts";
import { isLocal } from "./time-stamp-trust.ts";

export interface Store {
  readonly paths: StorePaths;
  readonly index: IndexDatabase;
  readonly shards: ShardStore;
  readonly inputs: StatCache;
  close(): void;
}

/**
 * Opens the store, making it when there is none, and closes it behind the work. When the index turns out to be damaged, it
 * is thrown away and the work begins again: all that is lost with it is digests of inputs. Throws a Failure (73) when the
 * store cannot be written or is of another version.
 */
export async function withStore<T>(
  root: string,
  calls: FileSystemCalls,
  work: (store: Store) => Promise<T>,
): Promise<T> {
  const attempt = async (): Promise<T> => {
    const store = await openStore(root, calls);
    try {
      return await work(store);
    } finally {
      store.close();
    }
  };
  try {
    return await attempt();
  } catch (error) {
    if (!(error instanceof IndexDamaged)) throw error;
    removeIndex(storePaths(root).index);
    return attempt();
  }
}

async function openStore(root: string, calls: FileSystemCalls): Promise<Store> {
  const paths = prepareStore(root);
  try {
    const index = await IndexDatabase.open(paths.index, isLocal(calls.fileSystemType(root)));
    const shards = new ShardStore(paths.shards, index);
    return { paths, index, shards, inputs: new StatCache(index), close: () => index.close() };
  } catch (error) {
    if (error instanceof IndexDamaged) throw error;
    const message = `the store ${root} cannot be used: ${(error as Error).message}`;
    throw new Failure(EXIT.output, message, { code: "store-unusable" }, error);
  }
}
