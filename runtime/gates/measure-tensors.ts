// Measures tensors of a finished output for its gates, natively. What is needed of one tensor comes out of one task for
// each tensor that it is compared with. Knows no gate.

import { closeSync } from "node:fs";
import { join } from "node:path";
import type { TensorInfo } from "../../compiler/checkpoint.ts";
import type { Action } from "../../compiler/tensor-graph.ts";
import type { Engine, NativeInput, TaskResult } from "../../native/addon-types.ts";
import { engineFailure } from "../build/engine-failure.ts";
import { computeTask } from "../build/native-task.ts";
import type { Session } from "../build/session.ts";
import { settle } from "../compare/payloads.ts";
import { tensorBytes } from "../checkpoint/safetensors-writer.ts";
import { identityOfDescriptor, ownStamp } from "../store/file-identity.ts";
import { openNameless } from "../store/nameless-file.ts";
import { openShard, ShardGone, type StoredShard } from "../store/shard-store.ts";
import type { Measurements, MissingMeasurements } from "./look-up-measurements.ts";
import { aloneOf, aloneOfPair, isPayload, pairOf, pairWithItself, type Alone, type Pair } from "./measurement.ts";

/** Where a tensor of the output lies. */
export interface TensorPlace {
  readonly shard: StoredShard;
  /** Bytes from the start of the file. */
  readonly offset: number;
}

/** Throws ShardGone, or a Failure: 66 an input cannot be read or changes, 71 out of memory or disk. */
export async function measureTensors(
  session: Session,
  engine: Engine,
  missing: readonly MissingMeasurements[],
  placeOf: (action: Action) => TensorPlace,
): Promise<Measurements> {
  const measuring = new Measuring(session, engine, placeOf);
  try {
    const settled = await Promise.allSettled(missing.map((needs) => measuring.measure(needs)));
    const failed = settled.find(({ status }) => status === "rejected");
    if (failed?.status === "rejected") throw failed.reason;
    measuring.checkShards();
    session.inputs.save();
    return measuring;
  } finally {
    measuring.close();
  }
}

class Measuring implements Measurements {
  readonly alone = new Map<Action, Alone>();
  readonly pairs = new Map<Action, Pair>();
  readonly #session: Session;
  readonly #engine: Engine;
  readonly #placeOf: (action: Action) => TensorPlace;
  /** Open, by path. */
  readonly #shards = new Map<string, { readonly fd: number; readonly shard: StoredShard }>();
  readonly #turns: Turns;

  constructor(session: Session, engine: Engine, placeOf: (action: Action) => TensorPlace) {
    this.#session = session;
    this.#engine = engine;
    this.#placeOf = placeOf;
    this.#turns = new Turns(session.context.engine.threads);
  }

  async measure({ action, alone, operands, equal }: MissingMeasurements): Promise<void> {
    try {
      const a = this.#ofOutput(action);
      const pairs = await settle(operands.map((operand) => this.#compare(a, operand)));
      const derived = pairs.flatMap((pair) => aloneOfPair(pair) ?? []);
      const found = derived[0] ?? (alone ? await this.#measureAlone(a, action) : undefined);
      if (found === undefined || action.work === "bytes") return;
      this.alone.set(action, found);
      for (const operand of equal) this.pairs.set(operand, pairWithItself(found));
    } catch (error) {
      throw engineFailure(error, action.tensor, this.#session.store.paths.root);
    }
  }

  /** Throws ShardGone for one that was written to meanwhile: what was measured is not of the bytes that it promises. */
  checkShards(): void {
    for (const { fd, shard } of this.#shards.values()) {
      if (ownStamp(identityOfDescriptor(fd)) !== shard.record.stamp) throw new ShardGone(shard);
    }
  }

  close(): void {
    for (const { fd } of this.#shards.values()) closeSync(fd);
  }

  async #measureAlone(input: NativeInput, { tensor }: Action): Promise<Alone> {
    const result = await this.#engine.run({ kind: "measure", label: tensor, input });
    return aloneOf(result.statistics!, result.inputCounters[0]!);
  }

  async #compare(a: NativeInput, operand: Action): Promise<Pair> {
    const pair = isPayload(operand)
      ? await this.#compareWithPayload(a, operand)
      : await this.#turns.take(() => this.#compareWithComputed(a, operand));
    this.pairs.set(operand, pair);
    return pair;
  }

  async #compareWithPayload(a: NativeInput, operand: Action): Promise<Pair> {
    const { inputs } = this.#session;
    const { tensor } = operand.inputs[0]!;
    const { offset, dtype, shape } = tensor;
    const b = { fd: await inputs.open(tensor), offset, dtype, shape, digest: this.#wantsDigest(tensor) };
    const result = await this.#engine.run({ kind: "compare", label: operand.tensor, a, b });
    await inputs.learn([tensor], result.inputDigests.slice(1));
    return pairOf(result.comparison!, result.inputCounters);
  }

  /** What has to be computed lies in a file without a name until it was compared. */
  async #compareWithComputed(a: NativeInput, operand: Action): Promise<Pair> {
    const { tensor: name, dtype, shape } = operand;
    const { addon, store } = this.#session;
    const fd = openNameless(join(store.paths.partial, `operand-${process.pid}.partial`));
    try {
      addon.fallocate(fd, tensorBytes({ name, dtype, shape }));
      await this.#compute(operand, fd);
      const b = { fd, offset: 0, dtype, shape, digest: false };
      const result = await this.#engine.run({ kind: "compare", label: name, a, b });
      return pairOf(result.comparison!, result.inputCounters);
    } finally {
      closeSync(fd);
    }
  }

  async #compute(operand: Action, output: number): Promise<TaskResult> {
    const { inputs, rankings } = this.#session;
    const tensors = operand.inputs.map(({ tensor }) => tensor);
    const fds = await Promise.all(tensors.map((tensor) => inputs.open(tensor)));
    const digests = tensors.map((tensor) => this.#wantsDigest(tensor));
    const thresholds = await rankings.thresholdsOf(operand.program, this.#engine);
    const files = { inputs: fds, digests, output, offset: 0, thresholds };
    const result = await this.#engine.run(computeTask(operand, files));
    await inputs.learn(tensors, result.inputDigests);
    return result;
  }

  #wantsDigest(tensor: TensorInfo): boolean {
    const { inputs } = this.#session;
    return !inputs.isProven(tensor) || inputs.digest(tensor) === undefined;
  }

  #ofOutput(action: Action): NativeInput {
    const { shard, offset } = this.#placeOf(action);
    const fd = this.#shards.get(shard.path)?.fd ?? openShard(shard);
    if (fd === undefined) throw new ShardGone(shard);
    this.#shards.set(shard.path, { fd, shard });
    return { fd, offset, dtype: action.dtype, shape: action.shape, digest: false };
  }
}

/** So many at a time: each takes room on the disk. */
class Turns {
  readonly #waiting: (() => void)[] = [];
  #free: number;

  constructor(most: number) {
    this.#free = most;
  }

  async take<T>(work: () => Promise<T>): Promise<T> {
    if (this.#free === 0) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#free--;
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#free++;
      else next();
    }
  }
}
