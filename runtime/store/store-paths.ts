// Where things lie in a store, and making one. Everything but `index.sqlite` is the truth; that one is derived.

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { EXIT, Failure } from "../failure.ts";
import { makeFolder } from "./make-folder.ts";
import { replaceFile, replaceFileAndSync } from "./durable.ts";
import { sha256 } from "./sha256.ts";

/** Raised when a store of this version cannot be read by an older theta, or the other way round. */
export const STORE_VERSION = "1";

export interface StorePaths {
  readonly root: string;
  /** Derived; deleting it loses only digests of inputs and what gates measured. */
  readonly index: string;
  /** `<digest>.safetensors` with its sidecar `<digest>.json`, which is `<digest>.coming` until the shard has its name. */
  readonly shards: string;
  /** `<id>.partial` with its journal `<id>.journal`: shards in the making. */
  readonly partial: string;
  /** `<sha256 of the output's absolute path>.json`: what each output last held. */
  readonly outputs: string;
  /** `<id>.json.gz`: what each build did. Read to answer, never to decide what runs. */
  readonly builds: string;
  /** Values of model-wide statistics, and parts of them. */
  readonly statistics: string;
  readonly locks: string;
  /** What garbage collection took out and has still to delete. */
  readonly trash: string;
}

const CACHEDIR_TAG = `Signature: 8a477f597d28d172789f06886806bc55
# This folder is a cache of theta. See https://bford.info/cachedir/
`;

/** Throws a Failure (73) when the store is of another version, and what the system says when it cannot be made. */
export function prepareStore(root: string): StorePaths {
  const paths = storePaths(root);
  for (const folder of [paths.shards, paths.partial, paths.outputs, paths.statistics, paths.locks, paths.trash])
    makeFolder(folder);
  writeOnce(join(root, ".gitignore"), "*\n");
  writeOnce(join(root, "CACHEDIR.TAG"), CACHEDIR_TAG);
  if (readVersion(root) === undefined) replaceFileAndSync(join(root, "version"), encodeVersion(STORE_VERSION));
  checkVersion(root);
  return paths;
}

/** A store that is there already; undefined when there is none. Throws a Failure (73) when it is of another version. */
export function existingStore(root: string): StorePaths | undefined {
  if (!existsSync(join(root, "version"))) return undefined;
  checkVersion(root);
  return storePaths(root);
}

/** With a checksum, so that a damaged version is told from another one. */
function encodeVersion(version: string): string {
  return `${version}\n${sha256(version)}\n`;
}

/** Undefined when there is none, or it is damaged: everything in a store names its own schema, so it can be written again. */
function readVersion(root: string): string | undefined {
  let text: string;
  try {
    text = readFileSync(join(root, "version"), "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
  const [version = ""] = text.split("\n");
  return text === encodeVersion(version) ? version : undefined;
}

function checkVersion(root: string): void {
  const version = readVersion(root);
  if (version !== undefined && version !== STORE_VERSION) {
    throw new Failure(
      EXIT.output,
      `the store ${root} has version ${version}; this theta reads version ${STORE_VERSION}`,
      {
        code: "store-version",
        help: "use another store with --store, or delete this one: it holds nothing that cannot be rebuilt",
      },
    );
  }
}

export function storePaths(root: string): StorePaths {
  return {
    root,
    index: join(root, "index.sqlite"),
    shards: join(root, "shards"),
    partial: join(root, "partial"),
    outputs: join(root, "outputs"),
    builds: join(root, "builds"),
    statistics: join(root, "statistics"),
    locks: join(root, "locks"),
    trash: join(root, "trash"),
  };
}

/** Name of an output in `outputs/` and `locks/`; its path without links. */
export function outputId(outputPath: string): string {
  return sha256(outputPath);
}

function writeOnce(path: string, text: string): void {
  if (!existsSync(path)) replaceFile(path, text);
}
