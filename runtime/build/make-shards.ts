// Makes the shards that are not stored: every action of every shard goes to one engine, and a shard moves into the
// store as soon as its last tensor is written. Knows no output directory.

import { closeSync } from "node:fs";
import type { TensorInfo } from "../../compiler/checkpoint.ts";
import type { Action } from "../../compiler/tensor-graph.ts";
import type { Engine, FileSystemCalls, TaskResult } from "../../native/addon-types.ts";
import { EXIT, Failure } from "../failure.ts";
import type { BuildObserver } from "../progress.ts";
import type { PassingMeasurements } from "../gates/measure-in-passing.ts";
import { PartialShard } from "../store/partial-shard.ts";
import { shardDigest, type TensorRecord } from "../store/shard-record.ts";
import { openShard, type StoredShard, type StoredTensor } from "../store/shard-store.ts";
import type { Store } from "../store/store.ts";
import type { Lease } from "../store/lease.ts";
import { underMutationLock } from "../store/mutation-lock.ts";
import type { InputFiles } from "./input-files.ts";
import { engineFailure } from "./engine-failure.ts";
import { isOfOneOutput } from "./failed-outputs.ts";
import { keyOf, type Standing, type Standings } from "./look-up.ts";
import { fedOf } from "./reason-to-run.ts";
import { recordOfHit, recordOfRun } from "./tensor-record.ts";
import { computeTask, countersOf, type TaskFiles } from "./native-task.ts";
import { workOf, type ShardJob } from "./shard-job.ts";
import type { OrderedJob } from "./shard-order.ts";
import type { Rankings } from "./statistics/rankings.ts";

export interface MakeShards {
  readonly store: Store;
  readonly engine: Engine;
  readonly calls: FileSystemCalls;
  readonly lease: Lease;
  readonly inputs: InputFiles;
  /** Of results, for gates. */
  readonly measurements: PassingMeasurements;
  /** Of elements, for masks over a model. */
  readonly rankings: Rankings;
  readonly standings: Standings;
  readonly observer: BuildObserver;
  readonly signal: AbortSignal;
  readonly keepGoing: boolean;
}

export interface MadeShard {
  readonly stored: StoredShard;
  /** One an action of the shard. */
  readonly records: readonly TensorRecord[];
}

/** A tensor's bytes in a file of this build that is open. */
interface Written {
  readonly fd: number;
  readonly record: TensorRecord;
  /** Whether the action ran, or its result was found, resumed or copied. */
  readonly how: "run" | "copied";
}

/** With what the engine or a file system call threw, or a Failure. */
export interface FailedTensor {
  readonly error: unknown;
  readonly action: Action;
}

/** Where a tensor's bytes go. */
interface Here {
  readonly partial: PartialShard;
  readonly offset: number;
  readonly bytes: number;
  /** Of the tasks that bring them there; see `OrderedJob`. */
  readonly group: number;
}

export class ShardMaker {
  readonly #given: MakeShards;
  readonly #partials = new Map<ShardJob, PartialShard>();
  /** By what makes them: the second of two equal actions waits for the first and copies. */
  readonly #making = new Map<string, Promise<Written>>();
  /** Digests of inputs that a running action computes while the bytes pass. */
  readonly #hashing = new Map<string, Promise<unknown>>();
  readonly #sources = new Map<string, number | undefined>();
  #ran = 0;
  readonly #failures = new Map<ShardJob, FailedTensor[]>();
  #cause: FailedTensor | undefined;

  constructor(given: MakeShards) {
    this.#given = given;
  }

  /** Actions that ran, as opposed to results that were found, resumed or copied. */
  get ran(): number {
    return this.#ran;
  }

  /** Actions that failed, those that were cancelled among them. */
  get failed(): number {
    return [...this.#failures.values()].reduce((sum, failures) => sum + failures.length, 0);
  }

  /** The failure for which the engine was cancelled. */
  get cause(): FailedTensor | undefined {
    return this.#cause;
  }

  /** All that went wrong in a shard, by the order of its tensors. */
  failuresOf(job: ShardJob): readonly FailedTensor[] {
    const place = ({ action }: FailedTensor): number => job.shard.actions.indexOf(action);
    return [...(this.#failures.get(job) ?? [])].sort((a, b) => place(a) - place(b));
  }

  /** Reserves the shards' bytes. Before any of them is made, so that a full disk shows before any work. */
  open(jobs: Iterable<ShardJob>): void {
    const { calls, store } = this.#given;
    for (const job of jobs) {
      const { header, size } = job.shard.file;
      const layout = { id: job.id, layout: job.shard.layout, header, bytes: size };
      this.#partials.set(job, PartialShard.open(calls, store.paths.partial, layout, job.base));
    }
  }

  /**
   * The job's shard, stored; `open` comes first. All jobs may be started at once, the engine orders their tasks by groups.
   * Rejects when anything failed, with what the engine or a file system call threw, or a Failure: 3 other bits than
   * before, 66 an input changed; see `failure` for the cause.
   */
  async make({ job, group }: OrderedJob): Promise<MadeShard> {
    const { calls, lease, store, signal } = this.#given;
    const { size, tensors } = job.shard.file;
    const partial = this.#partials.get(job)!;
    const making = new Map<Action, Promise<TensorRecord>>();
    // As the engine will take them, so that the first ones it gets are not small ones.
    for (const index of bySize(tensors)) {
      const { offset, bytes } = tensors[index]!;
      const action = job.shard.actions[index]!;
      making.set(action, this.#tensor(job, action, { partial, offset, bytes, group }));
    }
    const records = await settleAll(job.shard.actions.map((action) => making.get(action)!));
    await partial.flush();
    const content = {
      digest: shardDigest(
        job.shard.layout,
        records.map((record) => record.digest),
      ),
      layout: job.shard.layout,
      bytes: size,
      tensors: records,
    };
    return underMutationLock(calls, store.paths, signal, () => {
      const stored = store.shards.add(partial.path, content);
      lease.pin([content.digest]);
      partial.moved();
      return { stored, records };
    });
  }

  /** Call it when every promise of `make` has settled. Unfinished shards stay for the next build. */
  close(): void {
    for (const partial of this.#partials.values()) partial.close();
    for (const fd of this.#sources.values()) if (fd !== undefined) closeSync(fd);
  }

  async #tensor(job: ShardJob, action: Action, here: Here): Promise<TensorRecord> {
    try {
      return await this.#makeOnce(job, action, here);
    } catch (error) {
      this.#failed(job, { error, action });
      throw error;
    }
  }

  #failed(job: ShardJob, failed: FailedTensor): void {
    const { engine, keepGoing, store } = this.#given;
    const failures = this.#failures.get(job);
    if (failures === undefined) this.#failures.set(job, [failed]);
    else failures.push(failed);
    const failure = engineFailure(failed.error, failed.action.tensor, store.paths.root);
    if (keepGoing && isOfOneOutput(failure)) return;
    // What follows is cancelled by it.
    this.#cause ??= failed;
    engine.cancel();
  }

  async #makeOnce(job: ShardJob, action: Action, here: Here): Promise<TensorRecord> {
    const { inputs, standings, observer } = this.#given;
    const key = knownKey(standings.get(action));
    const work = key ?? workOf(action, inputs);
    const first = this.#making.get(work);
    const making = first === undefined ? this.#make(action, here, key) : this.#copyWritten(first, action, here);
    if (first === undefined) this.#making.set(work, making);
    const { record, how } = await making;
    observer.actionDone({ output: job.output.graph.output.display, tensor: action.tensor, how, bytes: here.bytes });
    return record;
  }

  async #make(action: Action, here: Here, key: string | undefined): Promise<Written> {
    const { partial } = here;
    const standing = this.#given.standings.get(action);
    const isForced = standing?.state !== "hit" && standing?.reason === "forced";
    const resumed = isForced ? undefined : partial.finished(action.tensor);
    if (resumed !== undefined && resumed.key === key && (await this.#reachedDisk(here, resumed))) {
      return { fd: partial.fd, record: resumed, how: "copied" };
    }
    const copied = standing?.state === "hit" ? await this.#copyStored(standing.found, action, here) : undefined;
    const record = copied ?? (await this.#run(action, here, standing));
    partial.add(record);
    return { fd: partial.fd, record, how: copied === undefined ? "run" : "copied" };
  }

  async #run(action: Action, here: Here, standing: Standing | undefined): Promise<TensorRecord> {
    const { inputs } = this.#given;
    const tensors = action.inputs.map(({ tensor }) => tensor);
    const fds = await Promise.all(tensors.map((tensor) => inputs.open(tensor)));
    const mine = tensors.map((tensor) => this.#claim(tensor));
    const files = { inputs: fds, digests: mine, output: here.partial.fd, offset: here.offset };
    const running = this.#compute(action, files, here.group);
    tensors.forEach((tensor, index) => {
      if (mine[index] === true) this.#hashing.set(inputs.place(tensor), running);
    });
    const result = await running;
    for (const tensor of tensors) await this.#whenHashed(tensor, here.group);
    inputs.checkLocked(tensors);
    const made = {
      digest: result.digest!,
      key: keyOf(action, inputs),
      fed: fedOf(action, inputs),
      counters: countersOf(action, result),
    };
    const record = recordOfRun(action, here, made);
    if (standing?.state === "miss" && standing.lost !== undefined) checkSameBits(standing.lost, record);
    this.#ran++;
    return record;
  }

  /** What the inputs' bytes were is learned before anything is said of the result. */
  async #compute(action: Action, files: Omit<TaskFiles, "thresholds">, group: number): Promise<TaskResult> {
    const { engine, inputs, measurements, rankings } = this.#given;
    const thresholds = await rankings.thresholdsOf(action.program, engine);
    const measure = await measurements.taskPart(action, inputs);
    const result = await engine.run({ ...computeTask(action, { ...files, thresholds }, measure), group });
    const tensors = action.inputs.map(({ tensor }) => tensor);
    await inputs.learn(tensors, result.inputDigests);
    await measurements.take(action, result, inputs);
    return result;
  }

  /** Whether the caller is the one to compute the digest of a tensor that nobody knows, or one to compare it. */
  #claim(tensor: TensorInfo): boolean {
    const { inputs } = this.#given;
    if (!inputs.isProven(tensor)) return true;
    return inputs.digest(tensor) === undefined && !this.#hashing.has(inputs.place(tensor));
  }

  /** Who was to compute the digest may have failed for a reason that is nobody else's: then it is computed alone. */
  async #whenHashed(tensor: TensorInfo, group: number): Promise<void> {
    const { inputs } = this.#given;
    const place = inputs.place(tensor);
    while (inputs.digest(tensor) === undefined) {
      const hashing = this.#hashing.get(place);
      await hashing?.catch(() => undefined);
      if (inputs.digest(tensor) !== undefined || this.#hashing.get(place) !== hashing) continue;
      const alone = this.#hash(tensor, group);
      this.#hashing.set(place, alone);
      await alone;
    }
  }

  async #hash(tensor: TensorInfo, group: number): Promise<void> {
    const { engine, inputs } = this.#given;
    const { name, offset, dtype, shape } = tensor;
    const input = { fd: await inputs.open(tensor), offset, dtype, shape, digest: true };
    const { inputDigests } = await engine.run({ kind: "hash", label: name, inputs: [input], group });
    await inputs.learn([tensor], inputDigests);
  }

  /** Undefined when the stored bytes are not what their record says: then the action runs again. */
  async #copyStored(found: StoredTensor, action: Action, here: Here): Promise<TensorRecord | undefined> {
    const { calls, signal, store } = this.#given;
    const fd = this.#source(found.shard);
    if (fd === undefined) return undefined;
    const { offset, digest } = found.tensor;
    const copied = await this.#copy(fd, offset, action, here);
    if (copied === digest) return recordOfHit(action, here, found.tensor);
    await underMutationLock(calls, store.paths, signal, () => store.shards.distrust(found.shard));
    return undefined;
  }

  /** An equal action is being made in this build. */
  async #copyWritten(making: Promise<Written>, action: Action, here: Here): Promise<Written> {
    const first = await making;
    const { digest, offset } = first.record;
    const copied = await this.#copy(first.fd, offset, action, here);
    if (copied !== digest) throw new Error(`${action.tensor}: bytes written in this build read back otherwise`);
    const record = recordOfHit(action, here, first.record);
    here.partial.add(record);
    return { fd: here.partial.fd, record, how: "copied" };
  }

  async #copy(fd: number, offset: number, action: Action, here: Here): Promise<string | undefined> {
    const to = { fd: here.partial.fd, offset: here.offset };
    const { bytes, group } = here;
    const task = { kind: "copy", label: action.tensor, from: { fd, offset }, to, bytes, group } as const;
    return (await this.#given.engine.run(task)).digest;
  }

  /** After a reboot the journal alone does not prove it. */
  async #reachedDisk({ partial, group }: Here, record: TensorRecord): Promise<boolean> {
    if (partial.trusted) return true;
    const { offset, dtype, shape } = record;
    const input = { fd: partial.fd, offset, dtype, shape, digest: true };
    const { inputDigests } = await this.#given.engine.run({ kind: "hash", label: record.name, inputs: [input], group });
    return inputDigests[0] === record.digest;
  }

  #source(shard: StoredShard): number | undefined {
    if (!this.#sources.has(shard.path)) this.#sources.set(shard.path, openShard(shard));
    return this.#sources.get(shard.path);
  }
}

/** Positions, the largest first. */
function bySize(tensors: readonly { readonly bytes: number }[]): readonly number[] {
  return [...tensors.keys()].sort((a, b) => tensors[b]!.bytes - tensors[a]!.bytes);
}

/** Undefined while the digest of an input is not known. */
function knownKey(standing: Standing | undefined): string | undefined {
  if (standing?.state === "hit") return standing.found.tensor.key;
  return standing?.state === "miss" ? standing.key : undefined;
}

function checkSameBits(before: TensorRecord, now: TensorRecord): void {
  if (before.digest === now.digest) return;
  throw new Failure(EXIT.verification, `${now.name}: the same action gave other bits than before`, {
    code: "other-bits",
    facts: [`before  ${before.digest}`, `now     ${now.digest}`, `action  ${now.key}`],
    help: "suspect the machine's memory first; the earlier record was kept",
  });
}

/** Like Promise.all, but waits for all of them: what they use can be closed when this settles. */
async function settleAll<T>(promises: readonly Promise<T>[]): Promise<readonly T[]> {
  const settled = await Promise.allSettled(promises);
  return settled.map((outcome) => {
    if (outcome.status === "rejected") throw outcome.reason;
    return outcome.value;
  });
}
