// Where things lie in a store, and making one. Everything but `index.sqlite` is the truth; that one is derived.

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { EXIT, Failure } from "../failure.ts";
import { makeFolder } from "./make-folder.ts";
import { sha256 } from "./sha256.ts";

/** Raised when a store of this version cannot be read by an older theta, or the other way round. */
export const STORE_VERSION = "1";

export interface StorePaths {
  readonly root: string;
  /** Derived; deleting it loses only the digests of inputs. */
  readonly index: string;
  /** `<digest>.safetensors` with its sidecar `<digest>.json`. */
  readonly shards: string;
  /** `<id>.partial` with its journal `<id>.journal`: shards in the making. */
  readonly partial: string;
  /** `<sha256 of the output's absolute path>.json`: what each output last held. */
  readonly outputs: string;
  readonly locks: string;
  /** What garbage collection took out and has still to delete. */
  readonly trash: string;
}

const CACHEDIR_TAG = `Signature: 8a477f597d28d172789f06886806bc55
# This folder is a cache of theta. See https://bford.info/cachedir/
`;

/** Throws a Failure (73) when the store cannot be made or is of another version. */
export function prepareStore(root: string): StorePaths {
  const paths = storePaths(root);
  try {
    for (const folder of [paths.shards, paths.partial, paths.outputs, paths.locks, paths.trash]) makeFolder(folder);
    writeOnce(join(root, ".gitignore"), "*\n");
    writeOnce(join(root, "CACHEDIR.TAG"), CACHEDIR_TAG);
    writeOnce(join(root, "version"), `${STORE_VERSION}\n`);
  } catch (error) {
    throw new Failure(
      EXIT.output,
      `the store ${root} cannot be written: ${(error as Error).message}`,
      { code: "store-not-writable", help: "choose another place with --store or THETA_STORE" },
      error,
    );
  }
  checkVersion(root);
  return paths;
}

/** A store that is there already; undefined when there is none. Throws a Failure (73) when it is of another version. */
export function existingStore(root: string): StorePaths | undefined {
  if (!existsSync(join(root, "version"))) return undefined;
  checkVersion(root);
  return storePaths(root);
}

function checkVersion(root: string): void {
  const version = readFileSync(join(root, "version"), "utf8").trim();
  if (version !== STORE_VERSION) {
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
    locks: join(root, "locks"),
    trash: join(root, "trash"),
  };
}

/** Name of an output in `outputs/` and `locks/`; its path without links. */
export function outputId(outputPath: string): string {
  return sha256(outputPath);
}

function writeOnce(path: string, text: string): void {
  if (!existsSync(path)) writeFileSync(path, text);
}
