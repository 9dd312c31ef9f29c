// A store, opened: its folder, the index over it, its shards and what is known of inputs.

import type { FileSystemCalls } from "../../native/addon-types.ts";
import { IndexDamaged, IndexDatabase, removeIndex } from "./index-database.ts";
import { MeasurementCache } from "./measurement-cache.ts";
import { underMutationLock } from "./mutation-lock.ts";
import { ShardStore } from "./shard-store.ts";
import { StatCache } from "./stat-cache.ts";
import { StatisticStore } from "./statistic-store.ts";
import { storeFailure } from "./store-failure.ts";
import { existingStore, prepareStore, storePaths, type StorePaths } from "./store-paths.ts";
import { isLocal } from "./time-stamp-trust.ts";

export interface Store {
  readonly paths: StorePaths;
  readonly index: IndexDatabase;
  readonly shards: ShardStore;
  readonly inputs: StatCache;
  readonly measurements: MeasurementCache;
  readonly statistics: StatisticStore;
  close(): void;
}

/**
 * Opens the store, making it when there is none, and closes it behind the work. When the index turns out to be damaged, it
 * is thrown away and the work begins again: all that is lost with it is digests of inputs. Throws a Failure: 71 the disk is
 * full, 73 the store cannot be written or is of another version, 75 another process holds its index; and AbortError when
 * the signal fired.
 */
export async function withStore<T>(
  root: string,
  calls: FileSystemCalls,
  work: (store: Store) => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  const open = (): Promise<Store> => openStore(root, calls, signal);
  try {
    return await closing(open, work);
  } catch (error) {
    if (!(error instanceof IndexDamaged)) throw storeFailure(error, root, "written");
  }
  removeIndex(storePaths(root).index);
  try {
    return await closing(open, work);
  } catch (error) {
    throw storeFailure(error, root, "written");
  }
}

/** For looking only: nothing is made, changed or locked. Where there is no store, an empty one. */
export async function withStoreToLook<T>(root: string, work: (store: Store) => Promise<T>): Promise<T> {
  const over = async (index: string | undefined): Promise<Store> =>
    storeOver(existingStore(root) ?? storePaths(root), await IndexDatabase.openCopy(index));
  try {
    return await closing(() => over(storePaths(root).index), work);
  } catch (error) {
    if (!(error instanceof IndexDamaged)) throw storeFailure(error, root, "read");
  }
  try {
    return await closing(() => over(undefined), work);
  } catch (error) {
    throw storeFailure(error, root, "read");
  }
}

async function closing<T>(open: () => Promise<Store>, work: (store: Store) => Promise<T>): Promise<T> {
  const store = await open();
  let result: T;
  try {
    result = await work(store);
  } catch (error) {
    try {
      store.close();
    } catch {
      // What went wrong first is what has to be told.
    }
    throw error;
  }
  store.close();
  return result;
}

async function openStore(root: string, calls: FileSystemCalls, signal: AbortSignal | undefined): Promise<Store> {
  const paths = prepareStore(root);
  const store = storeOver(paths, await IndexDatabase.open(paths.index, isLocal(calls.fileSystemType(root)), signal));
  try {
    const { shards } = store;
    if (shards.cutOff) await underMutationLock(calls, paths, signal ?? neverAborted(), () => shards.finishAdding());
    return store;
  } catch (error) {
    store.close();
    throw error;
  }
}

function neverAborted(): AbortSignal {
  return new AbortController().signal;
}

function storeOver(paths: StorePaths, index: IndexDatabase): Store {
  try {
    const shards = new ShardStore(paths.shards, index);
    const [inputs, measurements] = [new StatCache(index), new MeasurementCache(index)];
    const statistics = new StatisticStore(paths.statistics);
    return { paths, index, shards, inputs, measurements, statistics, close: () => index.close() };
  } catch (error) {
    index.close();
    throw error;
  }
}
