// An output whose tensors are all made: what it holds now, whether the directory says so already, and publishing it.

import { statSync } from "node:fs";
import { join } from "node:path";
import type { Action } from "../../compiler/tensor-graph.ts";
import type { FileSystemCalls } from "../../native/addon-types.ts";
import type { BuildContext } from "../build-context.ts";
import { checkpointDigest } from "../checkpoint/theta-file.ts";
import type { SideFile } from "../checkpoint/side-files.ts";
import { contentStamp, outputContent } from "../output/output-content.ts";
import { outputPaths } from "../output/output-paths.ts";
import { checkForeignFiles, ownFiles } from "../output/own-files.ts";
import { publishOutput } from "../output/publish-output.ts";
import { checkDiskSpace } from "../store/disk-space.ts";
import { ownStampAt } from "../store/file-identity.ts";
import { existingParent } from "../store/make-folder.ts";
import {
  writeOutputRecord,
  type OutputRecord,
  type PublishedFile,
  type PublishedSideFile,
} from "../store/output-record.ts";
import type { TensorRecord } from "../store/shard-record.ts";
import type { StoredShard } from "../store/shard-store.ts";
import { storeFailure } from "../store/store-failure.ts";
import type { StorePaths } from "../store/store-paths.ts";
import type { InputFiles } from "./input-files.ts";
import type { Standings } from "./look-up.ts";
import type { ShardPlan } from "./shard-job.ts";
import { recordOfHit } from "./tensor-record.ts";
import type { WantedOutput, WantedShard } from "./wanted-output.ts";

export interface FinishedShard {
  readonly wanted: WantedShard;
  readonly stored: StoredShard;
  /** One an action: what this recipe's actions gave, whatever others gave the same bytes. */
  readonly records: readonly TensorRecord[];
}

export interface FinishedOutput {
  readonly wanted: WantedOutput;
  readonly shards: readonly FinishedShard[];
  readonly records: ReadonlyMap<Action, TensorRecord>;
  /** `checkpointDigest` of its tensors. */
  readonly digest: string;
  readonly sideFiles: readonly SideFile[];
  readonly sideFilesFrom: string;
}

export function finishOutput(
  wanted: WantedOutput,
  shards: readonly FinishedShard[],
  context: BuildContext,
  inputs: InputFiles,
): FinishedOutput {
  const records = new Map<Action, TensorRecord>();
  for (const shard of shards) {
    shard.wanted.actions.forEach((action, index) => records.set(action, shard.records[index]!));
  }
  const digest = checkpointDigest(records.values());
  const { recipe, version } = context;
  const sideFiles = outputContent(wanted.graph, {
    digest,
    shardNames: shards.map((shard) => shard.wanted.file.name),
    index: wanted.index,
    recipe,
    version,
    payload: (tensor) => inputs.digest(tensor),
    locked: context.locked,
  });
  return { wanted, shards, records, digest, sideFiles, sideFilesFrom: contentStamp(sideFiles) };
}

/** One that the plan found in the store, or still published: every tensor of it is a hit. */
export function readyShard(shard: WantedShard, plan: ShardPlan, standings: Standings): FinishedShard {
  const records = shard.actions.map((action, index) => {
    const standing = standings.get(action);
    if (standing?.state !== "hit") throw new Error(`${action.tensor} was planned as stored`);
    return recordOfHit(action, shard.file.tensors[index]!, standing.found.tensor);
  });
  return { wanted: shard, stored: plan.ready.get(shard)!, records };
}

/** Why the directory is not yet what it should be; undefined when it is. */
export function staleBecause({ wanted, shards, sideFilesFrom }: FinishedOutput): string | undefined {
  const { record, held, path } = wanted;
  if (record === undefined) return "theta has not built it yet";
  if (record.shards.length !== shards.length) return "its shards are cut otherwise";
  for (const [index, { stored, wanted: shard }] of shards.entries()) {
    const before = record.shards[index]!;
    if (before.file.name !== shard.file.name) return "its shards are cut otherwise";
    if (before.record.digest !== stored.record.digest) return `${shard.file.name} changes`;
    if (!held.has(stored.record.digest)) return missingOrEdited(path, before.file);
  }
  const edited = record.sideFiles.find(({ name, stamp }) => ownStampAt(join(path, name)) !== stamp);
  if (edited !== undefined) return missingOrEdited(path, edited);
  return record.sideFilesFrom === sideFilesFrom ? undefined : "its side files change";
}

/** Makes the directory hold the output. Returns bytes copied because they could not be shared with the store. */
export async function publish(
  calls: FileSystemCalls,
  store: StorePaths,
  context: BuildContext,
  output: FinishedOutput,
  build: string,
): Promise<number> {
  const { wanted, shards, sideFiles } = output;
  const { display } = wanted.graph.output;
  const paths = outputPaths(wanted.path);
  const own = ownFiles(paths.output, display, recordedFiles(wanted), context.adopt);
  const names = [...shards.map((shard) => shard.wanted.file.name), ...sideFiles.map(({ name }) => name)];
  checkForeignFiles(paths.output, display, names, own, context.adopt);
  const content = {
    shards: shards.map(({ wanted: shard, stored }) => ({
      name: shard.file.name,
      stored,
      held: wanted.held.get(stored.record.digest) ?? linkedAlready(stored, join(paths.output, shard.file.name)),
    })),
    sideFiles,
  };
  const place = existingParent(paths.output);
  if (statSync(place).dev !== statSync(store.root).dev) {
    // Nothing can be shared with the store there.
    const news = content.shards.filter(({ held }) => held === undefined);
    const bytes = news.reduce((sum, { stored }) => sum + stored.record.bytes, 0);
    checkDiskSpace(place, bytes, content.shards.length + sideFiles.length);
  }
  const published = await publishOutput(calls, paths, content, own);
  record(store, context, output, build, published.shards, published.sideFiles);
  return published.copied;
}

/** A build that was cut off behind its switch left a link that no record knows. */
function linkedAlready(stored: StoredShard, path: string): StoredShard | undefined {
  return ownStampAt(path) === stored.record.stamp ? { ...stored, path } : undefined;
}

/** The directory holds it, but other actions may have given the same bytes: only the record learns that; true if so. */
export function recordAgain(store: StorePaths, context: BuildContext, output: FinishedOutput, build: string): boolean {
  const before = output.wanted.record!;
  const keys = before.shards.flatMap((shard) => shard.record.tensors.map(({ key }) => key));
  const now = output.shards.flatMap(({ records }) => records.map(({ key }) => key));
  if (keys.every((key, index) => key === now[index])) return false;
  record(
    store,
    context,
    output,
    build,
    before.shards.map(({ file }) => file),
    before.sideFiles,
  );
  return true;
}

/** Names that theta wrote in an output, by its own records. */
export function recordedFiles({ record }: WantedOutput): ReadonlySet<string> | undefined {
  if (record === undefined) return undefined;
  return new Set([...record.shards.map(({ file }) => file.name), ...record.sideFiles.map(({ name }) => name)]);
}

function record(
  store: StorePaths,
  context: BuildContext,
  output: FinishedOutput,
  build: string,
  shardFiles: readonly PublishedFile[],
  sideFiles: readonly PublishedSideFile[],
): void {
  const recorded: OutputRecord = {
    path: output.wanted.path,
    recipe: context.recipe,
    theta: context.version,
    parameters: Object.fromEntries(context.parameters),
    published: new Date().toISOString(),
    build,
    digest: output.digest,
    shards: output.shards.map(({ stored, records }, index) => ({
      file: shardFiles[index]!,
      record: { ...stored.record, tensors: records, more: [] },
    })),
    sideFiles,
    sideFilesFrom: output.sideFilesFrom,
  };
  try {
    writeOutputRecord(store, recorded);
  } catch (error) {
    // The store may lie on another disk than the output, which the caller would blame.
    throw storeFailure(error, store.root, "written");
  }
}

function missingOrEdited(path: string, { name }: PublishedFile): string {
  return ownStampAt(join(path, name)) === undefined ? `${name} is missing` : `${name} was edited`;
}
