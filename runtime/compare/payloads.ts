// Reads payloads of checkpoints for commands that work without a recipe: natively, bounded, cancellable, and with the
// digests that a store nearby knows of unchanged files. A store is used where there is one, never made.

import type { TensorInfo } from "../../compiler/checkpoint.ts";
import type {
  Addon,
  Engine,
  EngineOptions,
  InputCounters,
  NativeTask,
  TaskResult,
  TensorComparison,
  TensorStatistics,
} from "../../native/addon-types.ts";
import { engineFailure } from "../build/engine-failure.ts";
import { InputFiles } from "../build/input-files.ts";
import { loadedAddon } from "../build/session.ts";
import type { FileIdentity } from "../checkpoint/source-file.ts";
import { IndexDatabase } from "../store/index-database.ts";
import { type DigestCache, type Place, StatCache } from "../store/stat-cache.ts";
import { existingStore } from "../store/store-paths.ts";
import { isLocal } from "../store/time-stamp-trust.ts";
import { systemErrorText } from "../system-error.ts";

export interface PayloadOptions {
  readonly engine: EngineOptions;
  /** Absolute path of where a store may be. */
  readonly store: string;
  readonly trustRemoteStat: boolean;
  /** The readers' `OpenedFiles`. */
  readonly opened: ReadonlyMap<string, FileIdentity>;
  /** Told a few times a second how many bytes were read. */
  readonly onProgress: (bytes: number) => void;
  /** A store that is there cannot be used: a sentence for the user. */
  readonly onWarning: (message: string) => void;
}

export interface Measured {
  readonly statistics: TensorStatistics;
  readonly counters: InputCounters;
}

export interface Compared {
  readonly comparison: TensorComparison;
  readonly a: InputCounters;
  readonly b: InputCounters;
}

export interface Payloads {
  /** `sha256:<hex>`, when it is known. */
  digest(tensor: TensorInfo): string | undefined;
  /** Whether two tensors are the same bytes of the same file. */
  isSamePlace(a: TensorInfo, b: TensorInfo): boolean;
  /** Makes the digest known. */
  hash(tensor: TensorInfo): Promise<void>;
  /** Of a floating dtype; makes the digest known on the way, when that is asked for and it is not. */
  measure(tensor: TensorInfo, digest: boolean): Promise<Measured>;
  /** Of one shape, and of one dtype or two floating ones. */
  compare(a: TensorInfo, b: TensorInfo): Promise<Compared>;
}

const PROGRESS_MS = 200;

/**
 * `tensors`: all that may be asked for. The first failure ends everything that is under way; `work` must not leave a
 * promise behind. Throws a Failure: 66 a file cannot be read or changes, 71 out of memory.
 */
export async function withPayloads<T>(
  tensors: Iterable<TensorInfo>,
  options: PayloadOptions,
  signal: AbortSignal,
  work: (payloads: Payloads) => Promise<T>,
): Promise<T> {
  const addon = loadedAddon();
  const warn = (error: unknown): void =>
    options.onWarning(`the store ${options.store} does not remember digests: ${systemErrorText(error)}`);
  const index = await openIndex(addon, options.store, warn);
  const cache = index === undefined ? NO_CACHE : cacheOf(index, warn);
  const files = new Set([...tensors].map(({ file }) => file));
  const inputs = new InputFiles(
    files,
    options.opened,
    cache,
    addon,
    { trustRemoteStat: options.trustRemoteStat, recheck: false },
    signal,
  );
  const engine = addon.createEngine(options.engine);
  const cancel = (): void => engine.cancel();
  signal.addEventListener("abort", cancel);
  const ticking = setInterval(() => options.onProgress(engine.progress().read), PROGRESS_MS);
  try {
    signal.throwIfAborted();
    const result = await work(payloadsOf(engine, inputs, options.store));
    inputs.save();
    return result;
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    clearInterval(ticking);
    signal.removeEventListener("abort", cancel);
    engine.close();
    await inputs.close();
    index?.close();
  }
}

const NO_CACHE: DigestCache = {
  load: (files) => files.map(() => new Map<Place, string>()),
  save: () => undefined,
};

/** What the store knows. One that may only be read, such as a colleague's, is told nothing. */
function cacheOf(index: IndexDatabase, warn: (error: unknown) => void): DigestCache {
  const cache = new StatCache(index);
  let writable = true;
  return {
    load: (files) => cache.load(files),
    save(files) {
      if (!writable) return;
      try {
        cache.save(files);
      } catch (error) {
        writable = false;
        warn(error);
      }
    },
  };
}

async function openIndex(
  addon: Addon,
  store: string,
  warn: (error: unknown) => void,
): Promise<IndexDatabase | undefined> {
  const paths = existingStore(store);
  if (paths === undefined) return undefined;
  try {
    return await IndexDatabase.open(paths.index, isLocal(addon.fileSystemType(store)));
  } catch (error) {
    warn(error);
    return undefined;
  }
}

function payloadsOf(engine: Engine, inputs: InputFiles, store: string): Payloads {
  let failed = false;
  /** Runs a task over tensors whose descriptors `task` is given, and sees to it that their files stayed as they were. */
  const run = async (
    tensors: readonly TensorInfo[],
    task: (fds: readonly number[]) => NativeTask,
  ): Promise<TaskResult> => {
    try {
      const fds = await Promise.all(tensors.map((tensor) => inputs.open(tensor)));
      const result = await engine.run(task(fds));
      await inputs.learn(tensors, result.inputDigests);
      return result;
    } catch (error) {
      const [{ name, file }] = tensors as readonly [TensorInfo];
      const failure = engineFailure(error, `${name} of ${file}`, store);
      // What follows from the first failure is of no interest to anybody.
      if (!failed) engine.cancel();
      failed = true;
      throw failure;
    }
  };
  const inputOf = ({ offset, dtype, shape, bytes }: TensorInfo, fd: number) => ({ fd, offset, dtype, shape, bytes });
  return {
    digest: (tensor) => inputs.digest(tensor),
    isSamePlace: (a, b) => inputs.place(a) === inputs.place(b),
    async hash(tensor) {
      await run([tensor], ([fd]) => ({
        kind: "hash",
        label: tensor.name,
        inputs: [{ ...inputOf(tensor, fd!), digest: true }],
      }));
    },
    async measure(tensor, digest) {
      const wanted = digest && inputs.digest(tensor) === undefined;
      const { statistics, inputCounters } = await run([tensor], ([fd]) => ({
        kind: "measure",
        label: tensor.name,
        input: { ...inputOf(tensor, fd!), digest: wanted },
      }));
      return { statistics: statistics!, counters: inputCounters[0]! };
    },
    async compare(a, b) {
      const { comparison, inputCounters } = await run([a, b], ([fdOfA, fdOfB]) => ({
        kind: "compare",
        label: a.name,
        a: { ...inputOf(a, fdOfA!), digest: false },
        b: { ...inputOf(b, fdOfB!), digest: false },
      }));
      return { comparison: comparison!, a: inputCounters[0]!, b: inputCounters[1]! };
    },
  };
}

/** The results in order. Waits for all, also when one fails, and then throws the first failure in time. */
export async function settle<T>(promises: readonly Promise<T>[]): Promise<readonly T[]> {
  try {
    return await Promise.all(promises);
  } finally {
    await Promise.allSettled(promises);
  }
}
