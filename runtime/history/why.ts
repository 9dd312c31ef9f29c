// Why the tensors of an output are what they are: what its last recorded build says of them. Reads records alone, so it
// answers when the inputs, and even the output, are gone.

import type { Glob } from "../../compiler/glob.ts";
import { matchesGlob } from "../../compiler/glob.ts";
import type { HitReason, RunReason } from "../reasons.ts";
import { readOutputRecord } from "../store/output-record.ts";
import type { StorePaths } from "../store/store-paths.ts";
import {
  listBuildIds,
  readBuildRecord,
  type BuildRecord,
  type RecordedOutput,
  type RecordedTensor,
} from "./build-record.ts";

/** A run that gave what a tensor that did not run holds. */
export interface EarlierRun {
  readonly build: string;
  readonly started: string;
  readonly reason: RunReason | HitReason;
}

export interface ToldTensor {
  readonly tensor: RecordedTensor;
  /** Of one that did not run, where a record tells. */
  readonly lastRun?: EarlierRun;
}

export type Why =
  /** No build has made it. */
  | { readonly state: "never-built" }
  /** A build made it then, and no record says more: it was deleted, damaged, or made room for others. */
  | { readonly state: "not-recorded"; readonly published: string; readonly theta: string }
  | {
      readonly state: "told";
      /** The last build that made a tensor of the output, switched it, or failed to. */
      readonly build: BuildRecord;
      readonly output: RecordedOutput;
      readonly tensors: readonly ToldTensor[];
      /** When a later build published the output, whose record is not there. */
      readonly later?: string;
    };

/** Reads each record once, newest first, and no further than the question goes. */
export class History {
  readonly #store: StorePaths;
  readonly #ids: readonly string[];
  readonly #read = new Map<string, BuildRecord | undefined>();

  constructor(store: StorePaths) {
    this.#store = store;
    this.#ids = listBuildIds(store);
  }

  /** `path`: the output's, without links. */
  why(path: string): Why {
    const published = readOutputRecord(this.#store, path);
    for (const [at, id] of this.#ids.entries()) {
      const build = this.#record(id);
      const output = build?.outputs.find((each) => each.path === path);
      if (build === undefined || output === undefined || output.state === "current") continue;
      const isLater = published?.build !== undefined && published.build > id;
      return {
        state: "told",
        build,
        output,
        tensors: this.#withRuns(output.tensors, at),
        ...(isLater && { later: published.published }),
      };
    }
    if (published === undefined) return { state: "never-built" };
    return { state: "not-recorded", published: published.published, theta: published.theta };
  }

  /** Records that are there and cannot be read, among those that were looked at. */
  get damaged(): number {
    return [...this.#read.values()].filter((record) => record === undefined).length;
  }

  #record(id: string): BuildRecord | undefined {
    if (!this.#read.has(id)) this.#read.set(id, readBuildRecord(this.#store, id));
    return this.#read.get(id);
  }

  #withRuns(tensors: readonly RecordedTensor[], newest: number): readonly ToldTensor[] {
    const wanted = new Set(tensors.flatMap(({ how, key }) => (how === "reused" && key !== undefined ? [key] : [])));
    const runs = new Map<string, EarlierRun>();
    for (const id of this.#ids.slice(newest)) {
      if (runs.size === wanted.size) break;
      const build = this.#record(id);
      if (build === undefined) continue;
      for (const { how, key, reason } of build.outputs.flatMap((output) => output.tensors)) {
        if (how !== "run" || key === undefined || !wanted.has(key) || runs.has(key)) continue;
        runs.set(key, { build: id, started: build.started, reason });
      }
    }
    return tensors.map((tensor) => {
      const lastRun = tensor.how === "reused" ? runs.get(tensor.key ?? "") : undefined;
      return { tensor, ...(lastRun && { lastRun }) };
    });
  }
}

/** Tensors that a glob takes, by their stored or tied names, and that read a source of that role. */
export function choose(
  output: RecordedOutput,
  tensors: readonly ToldTensor[],
  glob: Glob | undefined,
  role: string | undefined,
): readonly ToldTensor[] {
  const tied = new Set(
    Object.entries(output.aliases).flatMap(([alias, stored]) =>
      glob !== undefined && matchesGlob(glob, alias) ? [stored] : [],
    ),
  );
  // The factors of an adapter have roles of their own: "chat A", "chat B".
  const isOf = (source: number): boolean => {
    const own = output.sources[source]!.role;
    return own === role || own.startsWith(`${role} `);
  };
  return tensors.filter(
    ({ tensor: { name, inputs } }) =>
      (glob === undefined || matchesGlob(glob, name) || tied.has(name)) &&
      (role === undefined || inputs.some(([source]) => isOf(source))),
  );
}
