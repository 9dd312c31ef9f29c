// What each output last held. It makes a build with nothing to do cheap, tells later why something ran, and says which
// files of an output are theta's.

import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { decodeChecked, encodeChecked } from "./checked-json.ts";
import { replaceFileAndSync } from "./durable.ts";
import type { ShardRecord } from "./shard-record.ts";
import { outputId, type StorePaths } from "./store-paths.ts";

export interface PublishedFile {
  /** Relative to the output. */
  readonly name: string;
  /** Own stamp of the published file. */
  readonly stamp: string;
}

/** Of a shard the record has the digests of its tensors. */
export interface PublishedSideFile extends PublishedFile {
  /** `sha256:<hex>` of its bytes. */
  readonly digest: string;
}

export interface OutputRecord {
  readonly path: string;
  readonly recipe: string;
  readonly theta: string;
  /** Effective values of the recipe's parameters; the output need not depend on all of them. */
  readonly parameters: Readonly<Record<string, unknown>>;
  /** RFC 3339. */
  readonly published: string;
  /** The id of the build's own record, which tells more; it may be gone. */
  readonly build?: string;
  /** Over the sorted lines `name dtype shape payload-digest`. */
  readonly digest: string;
  readonly shards: readonly { readonly file: PublishedFile; readonly record: ShardRecord }[];
  readonly sideFiles: readonly PublishedSideFile[];
  /** Stands for everything that the side files were made from; equal means they would come out the same. */
  readonly sideFilesFrom: string;
}

const SCHEMA = "theta.published/2";

export function readOutputRecord(store: StorePaths, path: string): OutputRecord | undefined {
  return readRecord(recordPath(store, path));
}

function readRecord(file: string): OutputRecord | undefined {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
  const content = decodeChecked(text);
  if (content === undefined) return undefined;
  const { schema, ...record } = content as OutputRecord & { readonly schema: string };
  return schema === SCHEMA ? record : undefined;
}

/** All that can be read, with the file that holds each. */
export function listOutputRecords(
  store: StorePaths,
): readonly { readonly file: string; readonly record: OutputRecord }[] {
  const names = readdirSync(store.outputs).filter((name) => name.endsWith(".json"));
  return names.flatMap((name) => {
    const file = join(store.outputs, name);
    const record = readRecord(file);
    return record === undefined ? [] : [{ file, record }];
  });
}

export function writeOutputRecord(store: StorePaths, record: OutputRecord): void {
  replaceFileAndSync(recordPath(store, record.path), encodeChecked({ schema: SCHEMA, ...record }));
}

function recordPath(store: StorePaths, path: string): string {
  return join(store.outputs, `${outputId(path)}.json`);
}
