// Finished shards, by digest. What is found here has the bytes that its record says: a shard whose file changed since
// it was stored is not found, and dropped when the store may be changed. Knows neither outputs nor actions' programs.

import { chmodSync, closeSync, openSync, readFileSync, renameSync, rmSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { replaceFile, syncDirectory, writeDurably } from "./durable.ts";
import { identityOfDescriptor, ownStamp, ownStampAt } from "./file-identity.ts";
import type { IndexDatabase } from "./index-database.ts";
import { namesIn } from "./names-in.ts";
import { decodeSidecar, encodeSidecar, type ShardRecord, type TensorRecord } from "./shard-record.ts";

/** A file that holds a shard's bytes: the stored one, or one that was published and still is what theta wrote. */
export interface StoredShard {
  readonly path: string;
  readonly record: ShardRecord;
}

/** Where the result of an action lies. */
export interface StoredTensor {
  readonly shard: StoredShard;
  readonly tensor: TensorRecord;
}

const DIGEST = /^[0-9a-f]{64}$/;
const SIDECAR = /^([0-9a-f]{64})\.json$/;
/** A sidecar before its shard has its name. */
const COMING = /^([0-9a-f]{64})\.coming$/;

export class ShardStore {
  readonly #folder: string;
  readonly #index: IndexDatabase;
  /** Looked at in this process; null when there is none that can be used. */
  readonly #found = new Map<string, StoredShard | null>();
  /** Tensors of a shard by action key. */
  readonly #byKey = new Map<string, ReadonlyMap<string, TensorRecord>>();
  /** Promised, and not what the sidecar says, or the sidecar is damaged. */
  readonly #spoiled = new Set<string>();
  /** Of the spoiled ones, those that were read and will not do. */
  readonly #refused = new Set<string>();
  /** Shards that some process is adding, or was killed while it added them. */
  readonly #coming: readonly string[];

  /** Brings the index in line with the folder, which is the truth. */
  constructor(folder: string, index: IndexDatabase) {
    this.#folder = folder;
    this.#index = index;
    // In this order: a shard that another process adds meanwhile is in the folder before it is in the index.
    const indexed = new Set(index.shardDigests());
    const names = namesIn(folder);
    const stored = new Set(names.flatMap((name) => SIDECAR.exec(name)?.[1] ?? []));
    this.#coming = names.flatMap((name) => COMING.exec(name)?.[1] ?? []);
    for (const digest of indexed) if (!stored.has(digest)) index.dropShard(digest);
    for (const digest of stored) {
      if (indexed.has(digest)) continue;
      const shard = this.find(digest);
      if (shard !== undefined) index.addShard(shard.record);
    }
  }

  path(digest: string): string {
    return join(this.#folder, `${digest}.safetensors`);
  }

  find(digest: string): StoredShard | undefined {
    let shard = this.#found.get(digest);
    if (shard === undefined) {
      shard = this.#look(digest) ?? null;
      this.#found.set(digest, shard);
    }
    return shard ?? undefined;
  }

  /** Newest usable record of each action key. */
  lookUp(keys: readonly string[]): ReadonlyMap<string, StoredTensor> {
    const found = new Map<string, StoredTensor>();
    for (const [key, digests] of this.#index.shardsOf(keys)) {
      for (const digest of digests) {
        const shard = this.find(digest);
        const tensor = shard && this.#tensors(shard).get(key);
        if (shard === undefined || tensor === undefined) continue;
        found.set(key, { shard, tensor });
        break;
      }
    }
    return found;
  }

  /**
   * Takes over a finished file, whose bytes are durable, under its final name. When the store has the shard already,
   * that one stays, since an output may be a link to it, and learns which actions give it too.
   */
  add(file: string, content: Omit<ShardRecord, "stamp" | "more">): StoredShard {
    this.#found.delete(content.digest);
    const existing = this.find(content.digest);
    if (existing !== undefined) {
      const richer = this.#learn(existing, content.tensors);
      rmSync(file);
      return richer;
    }
    const record: ShardRecord = { ...content, stamp: ownStampAt(file) ?? "", more: [] };
    const path = this.path(content.digest);
    writeDurably(this.#comingSidecar(content.digest), encodeSidecar(record));
    renameSync(file, path);
    return this.#promise({ path, record });
  }

  /** Whether `finishAdding` may have something to do. */
  get cutOff(): boolean {
    return this.#coming.length > 0;
  }

  /**
   * Adds the shards whose file has its final name and whose sidecar has not: a process was killed between the two. Call it
   * under the mutation lock.
   */
  finishAdding(): void {
    for (const digest of this.#coming) {
      const path = this.path(digest);
      const record = this.#readRecord(this.#comingSidecar(digest), digest);
      // Otherwise it was cut off earlier, and its journal has what was finished; or another process came first.
      if (typeof record === "object" && ownStampAt(path) === record.stamp) this.#promise({ path, record });
    }
  }

  /** The last step of adding one: from here on the store promises its bytes. */
  #promise({ path, record }: StoredShard): StoredShard {
    renameSync(this.#comingSidecar(record.digest), this.#sidecar(record.digest));
    chmodSync(path, 0o444);
    return this.#stored({ path, record });
  }

  #learn({ path, record }: StoredShard, tensors: readonly TensorRecord[]): StoredShard {
    const keys = new Set([...record.tensors, ...record.more].map(({ key }) => key));
    const news = tensors.filter(({ key }) => !keys.has(key));
    // Also where there is nothing to learn: what is run again is what the index did not know.
    if (news.length === 0) return this.#stored({ path, record });
    const richer = { ...record, more: [...record.more, ...news] };
    replaceFile(this.#sidecar(record.digest), encodeSidecar(richer));
    return this.#stored({ path, record: richer });
  }

  #stored(shard: StoredShard): StoredShard {
    const { digest } = shard.record;
    syncDirectory(this.#folder);
    this.#index.addShard(shard.record);
    this.#found.set(digest, shard);
    this.#byKey.delete(digest);
    this.#spoiled.delete(digest);
    this.#refused.delete(digest);
    return shard;
  }

  /** Those of the spoiled ones whose file is merely not the one that was stored, and was not read yet: that tells whether it will do. */
  otherwiseStamped(): readonly StoredShard[] {
    return [...this.#spoiled].flatMap((digest) => {
      if (this.#refused.has(digest)) return [];
      const record = this.#readSidecar(digest);
      const path = this.path(digest);
      return record === undefined || ownStampAt(path) === undefined ? [] : [{ path, record }];
    });
  }

  /** It was read, and is not what the record says, or could not be believed. */
  refuse({ record: { digest } }: StoredShard): void {
    this.#refused.add(digest);
  }

  /** The file with this stamp was read and is what the record says. Call it under the mutation lock. */
  restamp(digest: string, stamp: string): void {
    const path = this.path(digest);
    // As it is now: another process may have changed either.
    const record = this.#readSidecar(digest);
    if (record === undefined || ownStampAt(path) !== stamp) return;
    const restored = { ...record, stamp };
    replaceFile(this.#sidecar(digest), encodeSidecar(restored));
    this.#stored({ path, record: restored });
  }

  /** Whether `dropSpoiled` has something to do. */
  get spoiled(): boolean {
    return this.#spoiled.size > 0;
  }

  /** Deletes what was found to be not what it should be. Call it under the mutation lock. */
  dropSpoiled(): void {
    for (const digest of this.#spoiled) {
      // Another process may have put a good one in its place.
      if (this.#look(digest) === undefined) this.#drop(digest);
      else this.#found.delete(digest);
    }
    this.#spoiled.clear();
  }

  /** Deletes a shard whose bytes are not what its record says, though its file looks untouched. Call it under the mutation lock. */
  distrust({ record: { digest, stamp } }: StoredShard): void {
    if (ownStampAt(this.path(digest)) === stamp) this.#drop(digest);
  }

  #drop(digest: string): void {
    rmSync(this.#sidecar(digest), { force: true });
    rmSync(this.path(digest), { force: true });
    this.#index.dropShard(digest);
    this.#found.set(digest, null);
  }

  /** Notes that a shard is needed now; false when it is gone, which this store then knows. */
  use(digest: string): boolean {
    if (noteUse(this.#sidecar(digest)) && ownStampAt(this.path(digest)) !== undefined) return true;
    this.#found.set(digest, null);
    return false;
  }

  /** Takes a shard out, to be deleted from `trash`. The sidecar goes first: without it nothing is promised. */
  evict(digest: string, trash: string): void {
    moveAway(this.#sidecar(digest), join(trash, `${digest}.json`));
    moveAway(this.path(digest), join(trash, `${digest}.safetensors`));
    this.#index.dropShard(digest);
    this.#found.set(digest, null);
  }

  #tensors(shard: StoredShard): ReadonlyMap<string, TensorRecord> {
    let tensors = this.#byKey.get(shard.record.digest);
    if (tensors === undefined) {
      tensors = new Map([...shard.record.tensors, ...shard.record.more].map((tensor) => [tensor.key, tensor]));
      this.#byKey.set(shard.record.digest, tensors);
    }
    return tensors;
  }

  #look(digest: string): StoredShard | undefined {
    // A damaged index may say anything.
    if (!DIGEST.test(digest)) return undefined;
    const path = this.path(digest);
    const record = this.#readSidecar(digest);
    if (record === undefined) return undefined;
    if (ownStampAt(path) === record.stamp) return { path, record };
    this.#spoiled.add(digest);
    return undefined;
  }

  #readSidecar(digest: string): ShardRecord | undefined {
    const record = this.#readRecord(this.#sidecar(digest), digest);
    if (record === "damaged") this.#spoiled.add(digest);
    return record === "damaged" ? undefined : record;
  }

  /** Undefined when there is none. */
  #readRecord(path: string, digest: string): ShardRecord | "damaged" | undefined {
    let text: string;
    try {
      text = readFileSync(path, "utf8");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
      throw error;
    }
    return decodeSidecar(text, digest) ?? "damaged";
  }

  #sidecar(digest: string): string {
    return join(this.#folder, `${digest}.json`);
  }

  #comingSidecar(digest: string): string {
    return join(this.#folder, `${digest}.coming`);
  }
}

/** A shard that was promised is not there, or is not what it was: what relied on it has to be looked up again. */
export class ShardGone extends Error {
  constructor({ path }: StoredShard) {
    super(`${path} was changed or deleted while it was in use`);
    this.name = "ShardGone";
  }
}

/**
 * The sidecar's mtime is when its shard was last of use: it outlives the index, and enters no stamp. False when there is
 * no sidecar.
 */
export function noteUse(sidecar: string): boolean {
  const now = new Date();
  try {
    utimesSync(sidecar, now, now);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return false;
    // Another user's shard, or a store that cannot be written: of use all the same.
    if (code === "EPERM" || code === "EACCES" || code === "EROFS") return true;
    throw error;
  }
}

function moveAway(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
}

/** Opens it for reading, or undefined when the file is not any more what its record says. */
export function openShard(shard: StoredShard): number | undefined {
  let fd: number;
  try {
    fd = openSync(shard.path, "r");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
  if (ownStamp(identityOfDescriptor(fd)) === shard.record.stamp) return fd;
  closeSync(fd);
  return undefined;
}
