// Whether a store and what was published from it hold the bytes that the records say. Reads everything and changes
// nothing; builds may run at the same time.

import { closeSync, fstatSync, openSync } from "node:fs";
import { join, relative } from "node:path";
import type { Engine, FileSystemCalls } from "../../native/addon-types.ts";
import { checkShardFile } from "./check-shard-file.ts";
import { identityOfDescriptor, isFresh, ownStamp, ownStampAt } from "./file-identity.ts";
import { describeFault, type Fault, type Finding } from "./finding.ts";
import { disagreements, readIndexContent, type ActionsByShard, type IndexContent } from "./index-content.ts";
import { isHeld, tryLock } from "./lock.ts";
import { isNotOurs, underMutationLock } from "./mutation-lock.ts";
import { readOutputRecord, type OutputRecord } from "./output-record.ts";
import { missingFile, outputRecords, publishedFiles, storedFiles, type PromisedFile } from "./promised-files.ts";
import { outputId, type StorePaths } from "./store-paths.ts";

export interface Verification {
  readonly findings: readonly Finding[];
  /** Files that were read, and the bytes that they should have. */
  readonly shards: number;
  readonly outputs: number;
  readonly bytes: number;
}

export interface VerifyObserver {
  /** Once, before the first byte is read. */
  total(files: number, bytes: number): void;
}

/** The bytes are right, the stamp is not; of a stored shard only. A stamp that the next change need not show is not given. */
interface Touched {
  readonly kind: "touched";
  readonly stamp: string | undefined;
}

type FileFault = Fault | Touched | "gone";

/** So many files are open at once; the engine gets the tensors of all of them. */
const FILES_AT_ONCE = 4;

/** Rejects with what the engine threw when it was cancelled or out of memory. */
export async function verifyStore(
  calls: FileSystemCalls,
  engine: Engine,
  paths: StorePaths,
  observer: VerifyObserver,
  signal: AbortSignal,
): Promise<Verification> {
  // Under the lock nothing moves in or out, so what is half there is so for good.
  const [stored, index] = await readStore(calls, paths, signal);
  const { records, findings: damaged } = outputRecords(paths);
  const published = records.map(publishedFiles);
  const files: PromisedFile[] = [...stored.files, ...published.flatMap((output) => output.files)];
  const bytes = files.reduce((sum, { record }) => sum + record.bytes, 0);
  observer.total(files.length, bytes);
  const results = new FileResults(engine);
  const faults = await inTurns(files, async (file) => {
    signal.throwIfAborted();
    return results.check(file);
  });
  const wrong = files.flatMap((file, at) => {
    const fault = faults[at];
    if (fault === undefined) return [];
    return [file.output === undefined ? ofShard(file, fault) : ofOutput(file, file.output, fault)];
  });
  const findings = [
    ...stored.findings,
    ...compareIndex(paths, index, stored.sidecars),
    ...damaged,
    ...published.flatMap((output) => output.findings),
    ...wrong,
  ].filter((finding) => isSettled(calls, paths, finding, records));
  const outputs = published.filter((output) => output.files.length > 0).length;
  return { findings, shards: stored.files.length, outputs, bytes };
}

async function readStore(
  calls: FileSystemCalls,
  paths: StorePaths,
  signal: AbortSignal,
): Promise<readonly [ReturnType<typeof storedFiles>, IndexContent]> {
  const read = async (): Promise<readonly [ReturnType<typeof storedFiles>, IndexContent]> => {
    const folder = storedFiles(paths);
    return [folder, await readIndexContent(paths.index)];
  };
  try {
    return await underMutationLock(calls, paths, signal, read);
  } catch (error) {
    // A build that runs meanwhile may make it look worse than it is.
    if (isNotOurs(error)) return read();
    throw error;
  }
}

/** A file with two names, as a hard link gives it, is read once. */
class FileResults {
  readonly #engine: Engine;
  readonly #known = new Map<string, Promise<Fault | undefined>>();

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  async check({ path, record, output }: PromisedFile): Promise<FileFault | undefined> {
    let fd: number;
    try {
      fd = openSync(path, "r");
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      return code === "ENOENT" ? "gone" : { kind: "unreadable", why: message };
    }
    try {
      const identity = identityOfDescriptor(fd);
      const stamp = ownStamp(identity);
      const { dev, ino } = fstatSync(fd);
      const tensors = record.tensors.map(({ digest }) => digest).join();
      const id = `${dev}:${ino} ${record.layout} ${tensors}`;
      const known = this.#known.get(id) ?? checkShardFile(fd, record, this.#engine);
      this.#known.set(id, known);
      const fault = await known;
      if (fault !== undefined || output !== undefined) return fault;
      if (stamp === record.stamp) return undefined;
      const isSettled = !isFresh(identity) && ownStamp(identityOfDescriptor(fd)) === stamp;
      return { kind: "touched", stamp: isSettled ? stamp : undefined };
    } finally {
      closeSync(fd);
    }
  }
}

function ofShard({ path, record }: PromisedFile, fault: FileFault): Finding {
  const { digest } = record;
  const drop = { kind: "shard", digest } as const;
  if (fault !== "gone" && fault.kind === "touched") {
    const { stamp } = fault;
    const message =
      "was written to, copied or restored since it was stored: the bytes are right, the time stamp is not";
    const mend = stamp === undefined ? drop : ({ kind: "stamp", digest, stamp } as const);
    return { code: "shard-changed", path, message, tensors: [], drop: mend };
  }
  if (fault === "gone") {
    return { code: "shard-missing", path, message: "is gone, and its sidecar still promises it", tensors: [], drop };
  }
  const code = fault.kind === "unreadable" ? "shard-unreadable" : "shard-damaged";
  return { code, path, message: describeFault(fault), tensors: tensorsOf(fault), drop };
}

function ofOutput({ path }: PromisedFile, output: OutputRecord, fault: FileFault): Finding {
  if (fault === "gone" || fault.kind === "touched") return missingFile(path);
  const drop = { kind: "published", output: output.path, name: relative(output.path, path) } as const;
  return { code: "output-damaged", path, message: describeFault(fault), tensors: tensorsOf(fault), drop };
}

function tensorsOf(fault: Fault): readonly string[] {
  return fault.kind === "payload" ? fault.tensors : [];
}

function compareIndex(paths: StorePaths, index: IndexContent, sidecars: ActionsByShard): readonly Finding[] {
  const finding = { path: paths.index, tensors: [] };
  if (index.state === "damaged") {
    return [{ ...finding, code: "index-damaged", message: `is damaged: ${index.why}`, drop: { kind: "index" } }];
  }
  // A missing one is made from the sidecars, as a shard that it lacks is taken from there.
  const digests = index.state === "missing" ? [] : disagreements(index.shards, sidecars);
  if (digests.length === 0) return [];
  const message = `says otherwise of ${digests.length} shards than their sidecars, such as ${digests[0]!}`;
  return [{ ...finding, code: "index-disagrees", message, drop: { kind: "entries", digests } }];
}

/** False for what only seemed wrong because a build or a garbage collection went on meanwhile. */
function isSettled(
  calls: FileSystemCalls,
  paths: StorePaths,
  { code, drop, path }: Finding,
  records: readonly OutputRecord[],
): boolean {
  if ((drop.kind === "shard" || drop.kind === "stamp") && code !== "sidecar-missing") {
    return ownStampAt(join(paths.shards, `${drop.digest}.json`)) !== undefined;
  }
  if (!code.startsWith("output-")) return true;
  const record = records.find((output) => path.startsWith(`${output.path}/`))!;
  if (isBeingBuilt(calls, paths, record)) return false;
  return readOutputRecord(paths, record.path)?.published === record.published;
}

function isBeingBuilt(calls: FileSystemCalls, paths: StorePaths, { path }: OutputRecord): boolean {
  try {
    const lock = tryLock(calls, join(paths.locks, outputId(path)));
    if (isHeld(lock)) return true;
    lock.release();
    return false;
  } catch (error) {
    if (isNotOurs(error)) return false;
    throw error;
  }
}

async function inTurns<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<readonly R[]> {
  const results: R[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let at = next++; at < items.length; at = next++) results[at] = await work(items[at]!);
  };
  const workers = await Promise.allSettled(Array.from({ length: FILES_AT_ONCE }, worker));
  for (const outcome of workers) if (outcome.status === "rejected") throw outcome.reason;
  return results;
}
