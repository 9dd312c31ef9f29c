// Garbage collection: takes out what `chooseVictims` names. Victims are renamed into `trash/` under the mutation lock and
// deleted behind it, so a crash at any moment leaves whole shards, or trash for the next one to delete.

import { readdirSync, rmSync, statfsSync } from "node:fs";
import { join } from "node:path";
import type { FileSystemCalls } from "../../native/addon-types.ts";
import { chooseVictims, DEFAULT_MAX_AGE, type Bounds, type Choice } from "./choose-victims.ts";
import { syncDirectory } from "./durable.ts";
import { allLeases, leasedDigests } from "./lease.ts";
import { isNotOurs, underMutationLock } from "./mutation-lock.ts";
import { ABANDONED_MS, removeAbandoned } from "./partial-shard.ts";
import { noteUse } from "./shard-store.ts";
import type { StatisticFile } from "./statistic-store.ts";
import type { Store } from "./store.ts";
import type { StorePaths } from "./store-paths.ts";
import { storeUsage, type OutputUsage, type PartialUsage, type StoreUsage } from "./store-usage.ts";

export interface Garbage extends Choice {
  /** Shards in the making that nobody has gone on with for a day. */
  readonly abandoned: readonly PartialUsage[];
  /** Records of outputs that are gone for longer than history is kept. */
  readonly forgotten: readonly OutputUsage[];
  /** Values of statistics, and parts of them, that nobody asked for while history is kept. */
  readonly statistics: readonly StatisticFile[];
  /** Bytes that deleting all of it gives back, left-overs of crashes included. */
  readonly freed: number;
}

/** What `collectGarbage` would take now; no shard is touched. */
export async function findGarbage(
  calls: FileSystemCalls,
  paths: StorePaths,
  bounds: Bounds,
  signal: AbortSignal,
): Promise<{ readonly usage: StoreUsage; readonly garbage: Garbage }> {
  const look = (needed: ReadonlySet<string>): { readonly usage: StoreUsage; readonly garbage: Garbage } => {
    const usage = storeUsage(calls, paths);
    return { usage, garbage: garbageOf(usage, needed, bounds) };
  };
  try {
    return await underMutationLock(calls, paths, signal, () => look(leasedDigests(calls, paths.locks)));
  } catch (error) {
    if (!isNotOurs(error)) throw error;
    // Somebody else's store, which we may only look at: whether its builds still run cannot be asked.
    return look(allLeases(paths.locks));
  }
}

/** Safe beside running builds: what they need is left, and they make what they find gone. */
export async function collectGarbage(
  calls: FileSystemCalls,
  store: Store,
  bounds: Bounds,
  signal: AbortSignal,
): Promise<Garbage> {
  const { paths, shards } = store;
  const garbage = await underMutationLock(calls, paths, signal, () => {
    const usage = storeUsage(calls, paths);
    const found = garbageOf(usage, leasedDigests(calls, paths.locks), bounds);
    for (const { shard } of found.victims) shards.evict(shard.digest, paths.trash);
    // Only who holds this lock makes files that belong to no shard, for a moment; of records they are of an hour ago.
    for (const path of usage.litter) rmSync(path, { force: true, recursive: true });
    for (const { file } of found.forgotten) rmSync(file, { force: true });
    for (const { path } of found.statistics) rmSync(path, { force: true });
    syncDirectory(paths.shards);
    // It becomes history on the day on which its output lets go of it.
    for (const { digest, inOutput } of usage.shards) if (inOutput) noteUse(join(paths.shards, `${digest}.json`));
    return found;
  });
  for (const name of readdirSync(paths.trash)) {
    signal.throwIfAborted();
    rmSync(join(paths.trash, name), { force: true, recursive: true });
  }
  removeAbandoned(calls, paths.partial);
  return garbage;
}

/** Before work that needs so many bytes: gives up as much history as is missing, where history has it. */
export async function makeRoom(
  calls: FileSystemCalls,
  store: Store,
  bytes: number,
  signal: AbortSignal,
): Promise<void> {
  const { bavail, bsize } = statfsSync(store.paths.root);
  const missing = bytes - bavail * bsize;
  if (missing <= 0) return;
  const bounds = { maxSize: undefined, maxAge: DEFAULT_MAX_AGE };
  const { garbage } = await findGarbage(calls, store.paths, bounds, signal);
  const before = garbage.history + garbage.victims.reduce((sum, { shard }) => sum + shard.frees, 0);
  await collectGarbage(calls, store, { ...bounds, maxSize: Math.max(0, before - missing) }, signal);
}

function garbageOf(usage: StoreUsage, needed: ReadonlySet<string>, bounds: Bounds): Garbage {
  const now = Date.now();
  const choice = chooseVictims(usage, needed, bounds, now);
  const abandoned = usage.partials.filter(({ lastWrite }) => now - lastWrite > ABANDONED_MS);
  const forgotten = usage.outputs.filter(
    ({ exists, record }) => !exists && now - Date.parse(record.published) > bounds.maxAge,
  );
  const statistics = unusedStatistics(usage.statistics, choice.maxSize, now - bounds.maxAge);
  const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);
  const freed =
    sum(choice.victims.map(({ shard }) => shard.frees)) +
    sum([...abandoned, ...forgotten, ...statistics].map(({ bytes }) => bytes)) +
    usage.litterBytes +
    usage.trashBytes;
  return { ...choice, abandoned, forgotten, statistics, freed };
}

/** Of the bytes that history may take, statistics may have so small a part. */
const STATISTICS_SHARE = 8;

/** What is too old, and the least recently used of what is too much. */
function unusedStatistics(files: readonly StatisticFile[], maxSize: number, oldest: number): readonly StatisticFile[] {
  let bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  return [...files]
    .sort((a, b) => a.lastUse - b.lastUse)
    .filter((file) => {
      if (file.lastUse >= oldest && bytes <= maxSize / STATISTICS_SHARE) return false;
      bytes -= file.bytes;
      return true;
    });
}
