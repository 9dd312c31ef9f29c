// The thresholds of della masks `per: model`: the elements of a vector are ranked when the first action that runs asks for
// them, and thresholds lie in files without names until the build ends. Nothing of it is stored: nearly every rank moves with
// any change, and they take as long to read as the vector.

import { closeSync } from "node:fs";
import { join } from "node:path";
import type { Program, RankStatistic, StatisticMember } from "../../../compiler/tensor-graph.ts";
import type { Addon, Engine, RankTask } from "../../../native/addon-types.ts";
import { openNameless } from "../../store/nameless-file.ts";
import type { StorePaths } from "../../store/store-paths.ts";
import { engineFailure } from "../engine-failure.ts";
import type { InputFiles } from "../input-files.ts";
import type { Thresholds } from "../native-program.ts";
import {
  isRanked,
  rankLabel,
  rankTask,
  ruleOf,
  textOf,
  thresholdFile,
  type MemberFiles,
  type ModelDella,
  type ThresholdFile,
  type WantedThresholds,
} from "./rank-task.ts";

export class Rankings {
  readonly #addon: Addon;
  readonly #inputs: InputFiles;
  readonly #paths: StorePaths;
  /** By key. */
  readonly #statistics = new Map<string, RankStatistic>();
  /** By key, then by place and rule: what is asked for together with the first. */
  readonly #expected = new Map<string, Map<string, WantedThresholds>>();
  readonly #thresholds = new Map<string, Promise<Thresholds>>();
  readonly #open: number[] = [];
  readonly #ranked = new Set<string>();

  constructor(addon: Addon, inputs: InputFiles, paths: StorePaths) {
    this.#addon = addon;
    this.#inputs = inputs;
    this.#paths = paths;
  }

  /** Vectors that were ranked. */
  get ran(): number {
    return this.#ranked.size;
  }

  /** What a key stands for. */
  know(key: string, statistic: RankStatistic): void {
    this.#statistics.set(key, statistic);
  }

  /** Programs that are likely to run. One that was not expected has its vector ranked once more. */
  expect(programs: Iterable<Program>): void {
    for (const { operations } of programs) {
      for (const operation of operations) if (isRanked(operation)) this.#expect(operation);
    }
  }

  /** One an operation, of those that ask for thresholds. Throws what the engine throws, or a Failure. */
  async thresholdsOf({ operations }: Program, engine: Engine): Promise<readonly (Thresholds | undefined)[]> {
    const found = operations.map(async (operation) => {
      if (!isRanked(operation)) return undefined;
      const known = this.#thresholds.get(idOf(operation));
      return known ?? this.#rank(operation, engine);
    });
    return Promise.all(found);
  }

  /** Ranks what these programs need, side by side. What fails is told to who asks for it. */
  async prepare(programs: readonly Program[], engine: Engine): Promise<void> {
    await Promise.allSettled(programs.map((program) => this.thresholdsOf(program, engine)));
  }

  /** Call it when no task is outstanding. */
  close(): void {
    for (const fd of this.#open.splice(0)) closeSync(fd);
  }

  #expect(operation: ModelDella): void {
    const { ranking } = operation;
    if (ranking === undefined) return;
    const wanted = this.#expected.get(ranking) ?? new Map<string, WantedThresholds>();
    this.#expected.set(ranking, wanted);
    wanted.set(idOf(operation), wantedBy(operation));
  }

  /** All that is expected of the vector, in one task and one file. */
  #rank(operation: ModelDella, engine: Engine): Promise<Thresholds> {
    this.#expect(operation);
    const key = operation.ranking!;
    const statistic = this.#statistics.get(key);
    this.#ranked.add(key);
    if (statistic === undefined) throw new Error(`nobody knows the tensors of the ranking ${key}`);
    const all = [...this.#expected.get(key)!].filter(([id]) => !this.#thresholds.has(id));
    const file = thresholdFile(
      all.map(([, one]) => one),
      statistic,
    );
    const ranked = this.#run(engine, statistic, file);
    all.forEach(([id], index) => {
      const { rule, offset } = file.targets[index]!;
      const one = ranked.then(({ fd, keepsAny }): Thresholds => ({ fd, offset, keepsAny: keepsAny[rule]! }));
      // Whoever asks for it hears of a failure; nobody may.
      one.catch(() => undefined);
      this.#thresholds.set(id, one);
    });
    return this.#thresholds.get(idOf(operation))!;
  }

  async #run(
    engine: Engine,
    statistic: RankStatistic,
    file: ThresholdFile,
  ): Promise<{ readonly fd: number; readonly keepsAny: readonly boolean[] }> {
    const { root, partial } = this.#paths;
    const { members, vector } = statistic;
    try {
      const files = await Promise.all(members.map((member) => this.#filesOf(member, engine)));
      const fd = openNameless(join(partial, `ranks-${process.pid}.partial`));
      this.#open.push(fd);
      const task = rankTask(statistic, files, file, fd);
      this.#addon.fallocate(fd, file.bytes);
      const result = await engine.run(task);
      await this.#learn(members, task.tensors, result.inputDigests);
      return { fd, keepsAny: result.keepsAny! };
    } catch (error) {
      throw engineFailure(error, rankLabel(vector), root);
    }
  }

  async #filesOf({ program, inputs }: StatisticMember, engine: Engine): Promise<MemberFiles> {
    const tensors = inputs.map(({ tensor }) => tensor);
    const [fds, thresholds] = await Promise.all([
      Promise.all(tensors.map((tensor) => this.#inputs.open(tensor))),
      this.thresholdsOf(program, engine),
    ]);
    return { inputs: fds, digests: tensors.map((tensor) => !this.#inputs.isProven(tensor)), thresholds };
  }

  /** What was ranked are the bytes whose digests are in the key. */
  async #learn(
    members: readonly StatisticMember[],
    tensors: RankTask["tensors"],
    digests: readonly (string | null)[],
  ): Promise<void> {
    let at = 0;
    for (const [index, { inputs }] of members.entries()) {
      const read = inputs.map(({ tensor }) => tensor);
      await this.#inputs.learn(read, digests.slice(at, at + read.length));
      at += tensors[index]!.inputs.length;
    }
  }
}

function wantedBy(operation: ModelDella): WantedThresholds {
  return { place: operation.place!, rule: ruleOf(operation) };
}

function idOf(operation: ModelDella): string {
  return `${operation.ranking} ${textOf(wantedBy(operation))}`;
}
