// What takes room in a store, who needs it, and what deleting it would free. Looks only, so it may be asked of a store
// that somebody else builds on; what vanishes meanwhile is left out.

import { closeSync, fstatSync, openSync, readdirSync, statSync, statfsSync, type Stats } from "node:fs";
import { join } from "node:path";
import type { FileSystemCalls } from "../../native/addon-types.ts";
import { readJournal } from "./journal.ts";
import { listOutputRecords, type OutputRecord } from "./output-record.ts";
import { listStatistics, type StatisticFile } from "./statistic-store.ts";
import type { StorePaths } from "./store-paths.ts";

export interface ShardUsage {
  readonly digest: string;
  readonly bytes: number;
  /** Bytes that deleting it gives back: none of a file that has another name, none of blocks that a reflink shares. */
  readonly frees: number;
  /** Bytes that it has in common with a published file or another shard, by a hard link or a reflink. */
  readonly shared: number;
  /** Milliseconds since the epoch; see `noteUse`. */
  readonly lastUse: number;
  /** An output that exists holds it, by the store's records. */
  readonly inOutput: boolean;
}

export interface OutputUsage {
  /** Of its record, in the store. */
  readonly file: string;
  readonly bytes: number;
  readonly record: OutputRecord;
  /** Whether any of its shards still lies there. */
  readonly exists: boolean;
}

/** A shard in the making, which the next build of the same goes on with. */
export interface PartialUsage {
  readonly id: string;
  readonly bytes: number;
  /** Tensors that are finished. */
  readonly tensors: number;
  readonly lastWrite: number;
}

export interface StoreUsage {
  readonly shards: readonly ShardUsage[];
  readonly outputs: readonly OutputUsage[];
  readonly partials: readonly PartialUsage[];
  readonly statistics: readonly StatisticFile[];
  /** What builds recorded of themselves, which bounds itself: see runtime/history/build-record.ts. */
  readonly builds: { readonly files: number; readonly bytes: number };
  readonly indexBytes: number;
  /** Paths of files that belong to no shard and no record: left by a crash, or another process is at work. */
  readonly litter: readonly string[];
  readonly litterBytes: number;
  readonly trashBytes: number;
  /** Of the file system. */
  readonly free: number;
}

const SHARD = /^([0-9a-f]{64})\.safetensors$/;

export function storeUsage(calls: FileSystemCalls, paths: StorePaths): StoreUsage {
  const outputs = outputUsage(paths);
  const needed = new Set<string>();
  for (const { exists, record } of outputs) {
    if (exists) for (const shard of record.shards) needed.add(shard.record.digest);
  }
  const names = new Set(readdirSync(paths.shards));
  const shards: ShardUsage[] = [];
  const whole = new Set<string>();
  for (const name of names) {
    const digest = SHARD.exec(name)?.[1];
    if (digest === undefined || !names.has(`${digest}.json`)) continue;
    const usage = shardUsage(calls, paths, digest, needed.has(digest));
    whole.add(name).add(`${digest}.json`);
    if (usage !== undefined) shards.push(usage);
  }
  const strays = [...names].filter((name) => !whole.has(name)).map((name) => join(paths.shards, name));
  const litter = [...strays, ...abandonedWrites(paths.builds), ...abandonedWrites(paths.outputs)];
  const builds = list(paths.builds).map((name) => join(paths.builds, name));
  const { bavail, bsize } = statfsSync(paths.root);
  return {
    shards,
    outputs,
    partials: partialUsage(paths.partial),
    statistics: listStatistics(paths.statistics),
    builds: { files: builds.length, bytes: allocatedAll(builds) },
    indexBytes: allocatedAll(["", "-wal", "-shm", "-journal"].map((end) => paths.index + end)),
    litter,
    litterBytes: allocatedAll(litter),
    trashBytes: allocatedAll(list(paths.trash).map((name) => join(paths.trash, name))),
    free: bavail * bsize,
  };
}

function shardUsage(
  calls: FileSystemCalls,
  paths: StorePaths,
  digest: string,
  inOutput: boolean,
): ShardUsage | undefined {
  const sidecar = statSync(join(paths.shards, `${digest}.json`), { throwIfNoEntry: false });
  const file = measure(calls, join(paths.shards, `${digest}.safetensors`));
  if (sidecar === undefined || file === undefined) return undefined;
  const { bytes, frees, shared } = file;
  return { digest, bytes, frees: frees + allocated(sidecar), shared, lastUse: sidecar.mtimeMs, inOutput };
}

function measure(calls: FileSystemCalls, path: string): Pick<ShardUsage, "bytes" | "frees" | "shared"> | undefined {
  let fd: number;
  try {
    fd = openSync(path, "r");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
  try {
    const stat = fstatSync(fd);
    const frees = stat.nlink > 1 ? 0 : calls.unsharedBytes(fd);
    return { bytes: stat.size, frees, shared: Math.min(stat.size, allocated(stat) - frees) };
  } finally {
    closeSync(fd);
  }
}

function outputUsage(paths: StorePaths): readonly OutputUsage[] {
  return listOutputRecords(paths).map(({ file, record }) => {
    const exists = record.shards.some(({ file: shard }) => mayLieAt(join(record.path, shard.name)));
    return { file, record, exists, bytes: allocated(statSync(file, { throwIfNoEntry: false })) };
  });
}

/** True also where we may not look. */
function mayLieAt(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EACCES" || code === "EPERM" || code === "ESTALE" || code === "EIO") return true;
    throw error;
  }
}

function partialUsage(folder: string): readonly PartialUsage[] {
  return readdirSync(folder).flatMap((name) => {
    const stat = statSync(join(folder, name), { throwIfNoEntry: false });
    if (!name.endsWith(".partial") || stat === undefined) return [];
    const id = name.slice(0, -".partial".length);
    const tensors = readJournal(join(folder, `${id}.journal`)).tensors.size;
    return [{ id, bytes: allocated(stat), tensors, lastWrite: stat.mtimeMs }];
  });
}

const LONGEST_WRITE_MS = 3600_000;

/** Records that a process was killed over before they had their names; see `replaceFile`. */
function abandonedWrites(folder: string): readonly string[] {
  return list(folder)
    .filter((name) => name.endsWith(".new"))
    .map((name) => join(folder, name))
    .filter((path) => {
      const stat = statSync(path, { throwIfNoEntry: false });
      return stat !== undefined && Date.now() - stat.mtimeMs > LONGEST_WRITE_MS;
    });
}

function allocatedAll(paths: readonly string[]): number {
  return paths.reduce((sum, path) => sum + allocated(statSync(path, { throwIfNoEntry: false })), 0);
}

/** Bytes on disk; a hole has none. */
function allocated(stat: Stats | undefined): number {
  return stat === undefined ? 0 : stat.blocks * 512;
}

/** Nothing where there is no folder: a store that an earlier theta made lacks some, and who needs one says what is in its way. */
function list(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return [];
    throw error;
  }
}
