// Publishes one output: new content beside the old, durable, then switched in.

import { chmodSync, copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { FileSystemCalls } from "../../native/addon-types.ts";
import type { SideFile } from "../checkpoint/side-files.ts";
import { EXIT, Failure } from "../failure.ts";
import { syncDirectory, syncFiles } from "../store/durable.ts";
import { ownStampAt } from "../store/file-identity.ts";
import { makeFolder } from "../store/make-folder.ts";
import type { PublishedFile, PublishedSideFile } from "../store/output-record.ts";
import { sha256 } from "../store/sha256.ts";
import type { StoredShard } from "../store/shard-store.ts";
import type { OutputPaths } from "./output-paths.ts";
import { placeShard } from "./place-shard.ts";
import { discardFresh, makeFresh, switchOutput } from "./switch-output.ts";

export interface NewContent {
  readonly shards: readonly {
    readonly name: string;
    readonly stored: StoredShard;
    /** The same bytes in the present content. */
    readonly held: StoredShard | undefined;
  }[];
  /** theta.json first: it claims the others, should this be cut off. */
  readonly sideFiles: readonly SideFile[];
}

export interface Published {
  /** In the order given. */
  readonly shards: readonly PublishedFile[];
  readonly sideFiles: readonly PublishedSideFile[];
  /** Bytes of shards that could not be shared with the store. */
  readonly copied: number;
}

/** `own`: names in the present content that theta may replace or delete. */
export async function publishOutput(
  calls: FileSystemCalls,
  paths: OutputPaths,
  content: NewContent,
  own: ReadonlySet<string>,
): Promise<Published> {
  makeFresh(paths);
  let published: Published;
  try {
    published = await fill(calls, paths.fresh, content);
  } catch (error) {
    discardFresh(paths);
    throw error;
  }
  switchOutput(calls, paths, own);
  return published;
}

async function fill(calls: FileSystemCalls, fresh: string, content: NewContent): Promise<Published> {
  const folders = new Set([fresh]);
  const digests = new Map<string, string>();
  const place = (name: string): string => join(fresh, name);
  for (const [index, file] of content.sideFiles.entries()) {
    const path = place(file.name);
    digests.set(file.name, writeSideFile(path, file));
    folders.add(dirname(path));
    // theta.json is on the disk before there is anything that it claims.
    if (index === 0) await syncFiles([path]);
  }
  let copied = 0;
  for (const { name, stored, held } of content.shards) {
    copied += await placeShard(calls, stored, held, place(name));
  }
  await syncFiles(content.sideFiles.slice(1).map(({ name }) => place(name)));
  for (const folder of folders) syncDirectory(folder);
  // Taken before the switch: what a reader may do to the files afterwards is not ours.
  const stamp = ({ name }: { readonly name: string }): PublishedFile => ({
    name,
    stamp: ownStampAt(place(name)) ?? "",
  });
  const sideFiles = content.sideFiles.map((file) => ({ ...stamp(file), digest: digests.get(file.name)! }));
  return { shards: content.shards.map(stamp), sideFiles, copied };
}

/** Returns `sha256:<hex>` of what it holds, which is not on the disk yet. */
function writeSideFile(path: string, file: SideFile): string {
  makeFolder(dirname(path));
  if ("content" in file) {
    writeFileSync(path, file.content, { mode: 0o644 });
    return `sha256:${sha256(file.content)}`;
  }
  copyFileSync(file.copyOf, path);
  const digest = `sha256:${sha256(readFileSync(path))}`;
  if (file.digest !== undefined && file.digest !== digest) {
    const help = "build again when nothing writes to it any more";
    throw new Failure(EXIT.input, `${file.copyOf} changed while it was copied`, { code: "input-changed", help });
  }
  chmodSync(path, 0o644);
  return digest;
}
