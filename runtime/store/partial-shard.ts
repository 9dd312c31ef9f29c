// A shard in the making: `<id>.partial` and its journal. Its id is a function of what is being made, so a build that
// was cut off at any moment goes on in the same file.

import {
  closeSync,
  constants,
  existsSync,
  fdatasync,
  fstatSync,
  openSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
} from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import type { FileSystemCalls } from "../../native/addon-types.ts";
import { cutOff, writeAll } from "./durable.ts";
import { EMPTY_JOURNAL, Journal, readJournal, type JournalContent } from "./journal.ts";
import { unlockAndClose } from "./lock.ts";
import { openShard, type StoredShard } from "./shard-store.ts";
import type { TensorRecord } from "./shard-record.ts";

export interface PartialLayout {
  /** Of everything that decides what the shard will hold. */
  readonly id: string;
  /** SHA-256 of `header`. */
  readonly layout: string;
  /** The file's first bytes. */
  readonly header: Uint8Array;
  /** Size of the finished file. */
  readonly bytes: number;
}

export class PartialShard {
  readonly fd: number;
  readonly path: string;
  /** Tensors whose bytes are in the file, by name. */
  readonly #finished: Map<string, TensorRecord>;
  /** False after a reboot: what the journal says was written may not have reached the disk. */
  readonly trusted: boolean;
  readonly #calls: FileSystemCalls;
  readonly #journal: Journal;
  readonly #journalPath: string;
  #moved = false;

  /** Goes on where an earlier build was cut off, else starts, on a clone of `base` where the file system can clone. */
  static open(
    calls: FileSystemCalls,
    folder: string,
    layout: PartialLayout,
    base: StoredShard | undefined,
  ): PartialShard {
    const { fd, stem } = openLocked(calls, folder, layout.id);
    try {
      return new PartialShard(calls, fd, stem, layout, base);
    } catch (error) {
      closeSync(fd);
      // What was reserved before the disk was full goes back, unless finished tensors are in it.
      if (readJournal(`${stem}.journal`).tensors.size === 0) rmSync(`${stem}.partial`, { force: true });
      throw error;
    }
  }

  private constructor(
    calls: FileSystemCalls,
    fd: number,
    stem: string,
    layout: PartialLayout,
    base: StoredShard | undefined,
  ) {
    this.#calls = calls;
    this.fd = fd;
    this.path = `${stem}.partial`;
    this.#journalPath = `${stem}.journal`;
    const found = readJournal(this.#journalPath);
    const usable =
      found.header?.layout === layout.layout && found.tensors.size > 0 && fstatSync(fd).size >= layout.header.length;
    // Its lines speak of bytes that are not there; gone before the file can look as if they were.
    if (!usable) rmSync(this.#journalPath, { force: true });
    const content: JournalContent = usable ? found : EMPTY_JOURNAL;
    const boot = bootId();
    this.trusted = content.header === undefined || content.header.boot === boot;
    this.#finished = new Map(content.tensors);
    // A clone gives its unchanged tensors with the header; those lines go into the journal like any other.
    const cloned = usable ? [] : cloneInto(calls, fd, base);
    if (!usable && cloned.length === 0) cutOff(fd, 0);
    calls.fallocate(fd, layout.bytes);
    writeAll(fd, layout.header, 0);
    this.#journal = new Journal(this.#journalPath, { schema: "theta.journal/1", layout: layout.layout, boot }, content);
    for (const tensor of cloned) this.add(tensor);
  }

  finished(name: string): TensorRecord | undefined {
    return this.#finished.get(name);
  }

  /** Call it when the tensor's bytes have been written. */
  add(tensor: TensorRecord): void {
    this.#journal.add(tensor);
    this.#finished.set(tensor.name, tensor);
  }

  /** The bytes are on the disk when this resolves. */
  async flush(): Promise<void> {
    await promisify(fdatasync)(this.fd);
  }

  /** Call it when the file has moved into the store. The descriptor stays until `close`. */
  moved(): void {
    this.#moved = true;
    rmSync(this.#journalPath, { force: true });
  }

  /** Keeps what is finished for the next build; bytes that were only reserved go back. */
  close(): void {
    this.#journal.close();
    if (!this.#moved && this.#finished.size === 0) {
      rmSync(this.#journalPath, { force: true });
      rmSync(this.path, { force: true });
    }
    unlockAndClose(this.#calls, this.fd);
  }
}

/** Nobody resumes a build that was cut off so long ago. */
export const ABANDONED_MS = 24 * 3600 * 1000;

/** Deletes shards in the making that no process holds and none has written to for a day, and journals of no shard. */
export function removeAbandoned(calls: FileSystemCalls, folder: string): void {
  const before = Date.now() - ABANDONED_MS;
  const old = readdirSync(folder).filter((name) => {
    const stat = statSync(join(folder, name), { throwIfNoEntry: false });
    return stat !== undefined && stat.mtimeMs <= before;
  });
  for (const name of old) {
    const path = join(folder, name);
    if (name.endsWith(".partial")) removeUnlessHeld(calls, path);
    // A process was killed after its shard had moved into the store.
    else if (name.endsWith(".journal") && !existsSync(partialOf(path))) rmSync(path, { force: true });
  }
}

function removeUnlessHeld(calls: FileSystemCalls, path: string): void {
  let fd: number;
  try {
    fd = openSync(path, "r");
  } catch (error) {
    // Another process collects garbage, too.
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return;
    throw error;
  }
  if (calls.tryLock(fd)) {
    rmSync(path.replace(/partial$/, "journal"), { force: true });
    rmSync(path, { force: true });
  }
  closeSync(fd);
}

function partialOf(journal: string): string {
  return journal.replace(/journal$/, "partial");
}

/** The lock is on the file itself. Where another build makes the same shard, this one makes its own copy. */
function openLocked(calls: FileSystemCalls, folder: string, id: string): { fd: number; stem: string } {
  for (const stem of [join(folder, id), join(folder, `${id}-${process.pid}`)]) {
    const fd = openSync(`${stem}.partial`, constants.O_RDWR | constants.O_CREAT, 0o644);
    // The other build may have moved the file into the store between our opening and locking it.
    if (calls.tryLock(fd) && sameFile(fd, `${stem}.partial`)) return { fd, stem };
    closeSync(fd);
  }
  throw new Error(`partial shard ${id} is locked twice by this process`);
}

function sameFile(fd: number, path: string): boolean {
  const ours = fstatSync(fd, { bigint: true });
  const named = statSync(path, { bigint: true, throwIfNoEntry: false });
  return named !== undefined && named.ino === ours.ino && named.dev === ours.dev;
}

function cloneInto(calls: FileSystemCalls, fd: number, base: StoredShard | undefined): readonly TensorRecord[] {
  const from = base && openShard(base);
  if (base === undefined || from === undefined) return [];
  try {
    return calls.reflink(from, fd) ? base.record.tensors : [];
  } finally {
    closeSync(from);
  }
}

function bootId(): string {
  return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
}
