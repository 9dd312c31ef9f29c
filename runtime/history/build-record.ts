// What one build did, for `theta why` and all that asks later: one file a build in the store, written once when the build
// ends and never changed. Losing one loses an answer, and nothing else: no build looks here to decide what runs.

import { readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import type { ActionCounts, HitReason, RunReason } from "../reasons.ts";
import { decodeChecked, encodeChecked } from "../store/checked-json.ts";
import { replaceFile } from "../store/durable.ts";
import { makeFolder } from "../store/make-folder.ts";
import { namesIn } from "../store/names-in.ts";
import type { StorePaths } from "../store/store-paths.ts";
import type { Change, ParameterChange } from "./changes.ts";
import type { DescribedAction, DescribedOperation } from "./described-action.ts";

export interface BuildRecord {
  /** Sorts by time. */
  readonly id: string;
  /** RFC 3339. */
  readonly started: string;
  readonly seconds: number;
  /** `stopped`: something ended it before all outputs were tried. */
  readonly status: "done" | "failed" | "stopped";
  readonly theta: string;
  /** The root recipe's file name, and SHA-256 of its bytes. */
  readonly recipe: string;
  readonly recipeDigest: string;
  /** Effective values. */
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly forced: boolean;
  /** Absent when it was stopped. */
  readonly actions?: ActionCounts;
  /** Those that it was asked for, in the recipe's order. */
  readonly outputs: readonly RecordedOutput[];
}

export interface RecordedOutput {
  /** Without links; `display` as the recipe spells it. */
  readonly path: string;
  readonly display: string;
  /**
   * `current`: the directory was right already; `published`: it was switched; `relearned`: other actions gave the bytes
   * that it holds; `failed`: it kept what it held.
   */
  readonly state: "current" | "published" | "relearned" | "failed";
  /** Why it had to be published, where no tensor says it: "README.md was edited". */
  readonly because?: string;
  /** `checkpointDigest` of what it holds now; absent when it failed. */
  readonly digest?: string;
  /** The build that made what it held before. */
  readonly before?: string;
  /** Parameters of the recipe that had other values then. */
  readonly parameters: readonly ParameterChange[];
  /** Other name → stored name. */
  readonly aliases: Readonly<Record<string, string>>;
  /** None where it was current: those of the build that made it are the same. */
  readonly tensors: readonly RecordedTensor[];
  /** What tensors have in common, by position. */
  readonly programs: readonly (readonly DescribedOperation[])[];
  readonly sources: readonly { readonly role: string; readonly file: string }[];
  readonly changes: readonly Change[];
}

export interface RecordedTensor {
  readonly name: string;
  readonly dtype: string;
  /** `unmade`: the build ended before it. */
  readonly how: "run" | "reused" | "unmade";
  /** Why it ran or did not; of one that is unmade, why it was to run. */
  readonly reason: RunReason | HitReason;
  /** Of one that was found elsewhere than in the output: why the output's own was not good any more. */
  readonly wanted?: RunReason;
  /** Absent where an input's digest was not known yet. */
  readonly key?: string;
  readonly digest?: string;
  /** The digest that the output held before, where it is another. */
  readonly was?: string;
  /** Positions in the output's tables. */
  readonly program: number;
  /** The program's 64-bit streams, which differ from tensor to tensor, in the order of its operations. */
  readonly streams: readonly string[];
  /** Source, its tensor's name (0: the same as this one's), payload digest. */
  readonly inputs: readonly (readonly [source: number, tensor: string | 0, digest: string | null])[];
  readonly changes: readonly number[];
}

const SCHEMA = "theta.build-record/1";
const ENDING = ".json.gz";

/** So much of the past is kept, whichever is less; the newest record always is. */
const MOST_BYTES = 64 * 2 ** 20;
const MOST_BUILDS = 1000;

export function newBuildId(now: Date): string {
  const time = now.toISOString().replace(/[-:]/g, "");
  return `${time}-${process.pid}`;
}

/** Drops the oldest records where there are too many. Throws what the system says. */
export function writeBuildRecord(store: StorePaths, record: BuildRecord): void {
  makeFolder(store.builds);
  // Fast, since it is part of every build; digests do not shrink anyway.
  const bytes = gzipSync(encodeChecked({ schema: SCHEMA, ...record }), { level: 1 });
  replaceFile(fileOf(store, record.id), bytes);
  dropOldest(store);
}

function dropOldest(store: StorePaths): void {
  let bytes = 0;
  for (const [age, id] of listBuildIds(store).entries()) {
    const file = fileOf(store, id);
    bytes += statSync(file, { throwIfNoEntry: false })?.size ?? 0;
    if (age > 0 && (age >= MOST_BUILDS || bytes > MOST_BYTES)) rmSync(file, { force: true });
  }
}

/** Newest first. A store without any has none. */
export function listBuildIds(store: StorePaths): readonly string[] {
  const records = namesIn(store.builds).filter((name) => name.endsWith(ENDING));
  return records.map((name) => name.slice(0, -ENDING.length)).sort((a, b) => (a < b ? 1 : -1));
}

/** Undefined when it is not there, cannot be read, is damaged, or has a schema that this theta does not know. */
export function readBuildRecord(store: StorePaths, id: string): BuildRecord | undefined {
  let content: unknown;
  try {
    content = decodeChecked(gunzipSync(readFileSync(fileOf(store, id)), { maxOutputLength: 2 ** 30 }).toString());
  } catch (error) {
    // The system's codes and zlib's.
    if ((error as NodeJS.ErrnoException).code !== undefined) return undefined;
    throw error;
  }
  if (content === undefined) return undefined;
  const { schema, ...record } = content as BuildRecord & { readonly schema: string };
  return schema === SCHEMA ? record : undefined;
}

function fileOf(store: StorePaths, id: string): string {
  return join(store.builds, `${id}${ENDING}`);
}

/** As the build that recorded it described it. */
export function recordedAction(output: RecordedOutput, tensor: RecordedTensor): DescribedAction {
  const streams = [...tensor.streams];
  return {
    dtype: tensor.dtype,
    operations: output.programs[tensor.program]!.map((operation) =>
      "tie" in operation.settings
        ? { ...operation, settings: { ...operation.settings, tie: streams.shift()! } }
        : operation,
    ),
    inputs: tensor.inputs.map(([source, name, digest]) => ({
      ...output.sources[source]!,
      tensor: name === 0 ? tensor.name : name,
      ...(digest !== null && { digest }),
    })),
  };
}
