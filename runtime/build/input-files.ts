// The files that hold the build's inputs: their descriptors, the digests of their tensors, and the proof that they did
// not change while they were read.

import { closeSync, constants, fdatasync, openSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import type { TensorInfo } from "../../compiler/checkpoint.ts";
import type { FileSystemCalls } from "../../native/addon-types.ts";
import type { FileIdentity } from "../checkpoint/source-file.ts";
import { EXIT, Failure } from "../failure.ts";
import { identityOfDescriptor, inputStamp } from "../store/file-identity.ts";
import type { LockedInputs } from "../lock-file/hold-to-lock.ts";
import { placeOf, type DigestCache, type Place } from "../store/stat-cache.ts";
import { timeStampTrust, type TimeStampTrust } from "../store/time-stamp-trust.ts";
import { systemErrorText } from "../system-error.ts";
import { isTooManyFiles, tooManyFiles } from "../too-many-files.ts";

/** How far time stamps and what is remembered are believed. */
export interface Belief {
  /** Those of tmpfs, NFS, SMB, FUSE and 9p, too. */
  readonly trustRemoteStat: boolean;
  /** Digests that are remembered are compared with what is read. */
  readonly recheck: boolean;
}

interface InputFile {
  readonly path: string;
  readonly identity: FileIdentity;
  readonly trust: TimeStampTrust;
  readonly digests: Map<Place, string>;
  /** Digests were learned since they were last saved. */
  unsaved: boolean;
  fd: Promise<number> | undefined;
}

/** A build that is killed loses the digests of so many milliseconds. */
const SAVE_EVERY_MS = 1000;

export class InputFiles {
  readonly #files: ReadonlyMap<string, InputFile>;
  readonly #cache: DigestCache;
  readonly #signal: AbortSignal;
  readonly #locked: LockedInputs | undefined;
  readonly #recheck: boolean;
  /** Of the files' digests, those that were asked for: most are, many times. One that is known stays. */
  readonly #known = new Map<TensorInfo, string>();
  #savedAt = performance.now();

  constructor(
    paths: ReadonlySet<string>,
    opened: ReadonlyMap<string, FileIdentity>,
    cache: DigestCache,
    calls: FileSystemCalls,
    { trustRemoteStat, recheck }: Belief,
    signal: AbortSignal,
    locked?: LockedInputs,
  ) {
    this.#cache = cache;
    this.#signal = signal;
    this.#locked = locked;
    this.#recheck = recheck;
    const list = [...paths].map((path) => {
      const identity = opened.get(path);
      if (identity === undefined) throw new Error(`no header of ${path} was read`);
      return { path, identity };
    });
    const trustOf = new Map<bigint, TimeStampTrust>();
    for (const { path, identity } of list) {
      if (!trustOf.has(identity.device)) {
        trustOf.set(identity.device, timeStampTrust(calls.fileSystemType(path), trustRemoteStat));
      }
    }
    const known = cache.load(list.map((file) => file.identity));
    this.#files = new Map(
      list.map(({ path, identity }, index): [string, InputFile] => {
        const trust = trustOf.get(identity.device)!;
        // What an earlier build with --trust-remote-stat learned does not count without it.
        const digests = trust.cacheable ? known[index]! : new Map<Place, string>();
        return [path, { path, identity, trust, digests, unsaved: false, fd: undefined }];
      }),
    );
  }

  /** `sha256:<hex>` of a payload, when it is known. */
  digest(tensor: TensorInfo): string | undefined {
    const known = this.#known.get(tensor);
    if (known !== undefined) return known;
    const digest = this.#file(tensor).digests.get(placeOf(tensor));
    if (digest !== undefined) this.#known.set(tensor, digest);
    return digest;
  }

  /**
   * Whether an unchanged file proves that a digest which is known is that of what is read now. Where it does not, as in
   * memory file systems, or where nothing is to be believed, each reading takes the digest again, and `learn` compares.
   */
  isProven(tensor: TensorInfo): boolean {
    return !this.#recheck && this.#file(tensor).trust.cacheable;
  }

  /** Identity of the bytes that a tensor stands for, whether or not their digest is known. */
  place(tensor: TensorInfo): string {
    return `${inputStamp(this.#file(tensor).identity)}@${placeOf(tensor)}`;
  }

  /** One descriptor a file and build. Waits until a change after this moment would leave another time stamp. */
  open(tensor: TensorInfo): Promise<number> {
    const file = this.#file(tensor);
    file.fd ??= this.#open(file);
    return file.fd;
  }

  /** Begins to open what is going to be asked for. Who asks hears of what goes wrong. */
  openSoon(tensors: Iterable<TensorInfo>): void {
    const waiting = new Set([...tensors].map((tensor) => this.open(tensor)));
    for (const opening of waiting) opening.catch(() => undefined);
  }

  /** Takes digests of bytes that were read; throws a Failure: 66 the file changed meanwhile, or is not as locked; 3 what was known is false. */
  async learn(tensors: readonly TensorInfo[], digests: readonly (string | null)[]): Promise<void> {
    await this.note(tensors, digests);
    this.checkLocked(tensors);
  }

  /** The same for who calls `checkLocked` behind many of them, so that one message names all that differ. */
  async note(tensors: readonly TensorInfo[], digests: readonly (string | null)[]): Promise<void> {
    await Promise.all(
      tensors.map(async (tensor, index) => {
        const file = this.#file(tensor);
        checkUnchanged(file, await this.open(tensor));
        const digest = digests[index];
        if (digest === null || digest === undefined) return;
        const known = file.digests.get(placeOf(tensor));
        if (known !== undefined && known !== digest) throw this.#contradiction(file, tensor);
        file.digests.set(placeOf(tensor), digest);
        file.unsaved = true;
      }),
    );
    if (performance.now() - this.#savedAt > SAVE_EVERY_MS) this.save();
  }

  /** The file is as it was, and its bytes are not: without time stamps it changed, with them what was remembered is false. */
  #contradiction(file: InputFile, { name }: TensorInfo): Failure {
    if (!file.trust.cacheable) return changedMeanwhile(file);
    file.digests.clear();
    file.unsaved = true;
    this.save();
    const message = `${file.path}: the bytes of ${name} have another digest than the store remembered`;
    const help = "what it remembered of this file is forgotten: run the command again";
    return new Failure(EXIT.verification, message, { code: "input-digest-false", help });
  }

  /** Throws a Failure (66) when a digest that is known is not the one that the lock file asks for. */
  checkLocked(tensors: Iterable<TensorInfo>): void {
    this.#locked?.checkKnown(tensors, (tensor) => this.digest(tensor));
  }

  /** Lets the next builds know what this one learned. Cheap when that is nothing. */
  save(): void {
    this.#savedAt = performance.now();
    const learned = [...this.#files.values()].filter((file) => file.unsaved && this.#provable(file));
    if (learned.length > 0) {
      this.#cache.save(learned.map(({ identity, digests }) => ({ file: identity, digests })));
    }
    for (const file of learned) file.unsaved = false;
  }

  async close(): Promise<void> {
    for (const { fd } of this.#files.values()) {
      // One that could not be opened was reported by who asked for it.
      const opened = await fd?.catch(() => undefined);
      if (opened !== undefined) closeSync(opened);
    }
  }

  #file(tensor: TensorInfo): InputFile {
    const file = this.#files.get(tensor.file);
    if (file === undefined) throw new Error(`${tensor.file} is not an input of this build`);
    return file;
  }

  async #open(file: InputFile): Promise<number> {
    let fd: number;
    try {
      fd = openSync(file.path, constants.O_RDONLY | constants.O_NONBLOCK);
    } catch (error) {
      throw unreadable(file.path, error);
    }
    try {
      // A mapped writer's stores move mtime when they are written back, later stores when they fault again.
      await promisify(fdatasync)(fd).catch(ignoreUnsupported);
      if (file.trust.cacheable) await this.#outlastGranularity(file);
      checkUnchanged(file, fd);
      return fd;
    } catch (error) {
      closeSync(fd);
      throw error;
    }
  }

  /** Waiting is better than an entry that cannot be trusted: it is paid once, a hash at every build. */
  async #outlastGranularity(file: InputFile): Promise<void> {
    const settled = file.identity.ctimeNs + file.trust.granularity;
    const missing = settled - nowNs();
    if (missing <= 0n || missing > file.trust.granularity) return;
    await sleep(Number(missing / 1_000_000n) + 1, undefined, { signal: this.#signal });
  }

  /** A ctime in the future (the clock was set back) proves nothing. */
  #provable(file: InputFile): boolean {
    return file.trust.cacheable && file.identity.ctimeNs + file.trust.granularity <= nowNs();
  }
}

function checkUnchanged(file: InputFile, fd: number): void {
  if (inputStamp(identityOfDescriptor(fd)) === inputStamp(file.identity)) return;
  throw changedMeanwhile(file);
}

function changedMeanwhile({ path }: InputFile): Failure {
  const help = "try again when nothing writes to it any more";
  return new Failure(EXIT.input, `${path} changed while it was read`, { code: "input-changed", help });
}

function unreadable(path: string, error: unknown): Failure {
  if (isTooManyFiles((error as NodeJS.ErrnoException).code)) return tooManyFiles(path, error);
  const message = `${path} cannot be opened: ${systemErrorText(error)}`;
  return new Failure(EXIT.input, message, { code: "source-unreadable" }, error);
}

/** Read-only mounts and some network file systems have nothing to write back. */
function ignoreUnsupported(error: unknown): void {
  const { code } = error as NodeJS.ErrnoException;
  if (code !== "EBADF" && code !== "EROFS" && code !== "EINVAL" && code !== "ENOSYS" && code !== "ENOTSUP") throw error;
}

function nowNs(): bigint {
  return BigInt(Date.now()) * 1_000_000n;
}
