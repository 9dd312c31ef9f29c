// merge.lock: what every input of a recipe held when `theta lock` looked at it, as text that diffs well in review: JSON
// with one thing a line, sorted. Reads what people may have edited or merged by hand. Knows no recipe.

import { basename, dirname, join } from "node:path";
import { compareByBytes } from "../checkpoint/byte-order.ts";
import { isObject, type JsonObject, type JsonValue, parseJson } from "../checkpoint/json-reader.ts";
import { fail, quoted, SourceFailure } from "../checkpoint/problem.ts";
import { readText, type SourceFile } from "../checkpoint/source-file.ts";
import { checkpointDigest } from "../checkpoint/theta-file.ts";
import { EXIT, Failure } from "../failure.ts";

const SCHEMA = "theta.lock/1";
/** Three million tensors. */
const LARGEST = 512_000_000;
const DIGEST = /^sha256:[0-9a-f]{64}$/;
const TENSOR = /^(\S+) \[((?:\d+(?:, \d+)*)?)\] (sha256:[0-9a-f]{64})$/;

export type SourceKind = "model" | "adapter" | "vector";

export interface LockedTensor {
  readonly dtype: string;
  readonly shape: readonly number[];
  /** `sha256:<hex>` of the payload. */
  readonly digest: string;
}

export interface LockedSource {
  readonly kind: SourceKind;
  /** `sha256:<hex>` of files beside the weights that can change an output, by name. */
  readonly files: ReadonlyMap<string, string>;
  /** By stored name, every one that the checkpoint holds. */
  readonly tensors: ReadonlyMap<string, LockedTensor>;
}

export interface LockFile {
  /** Members of every list of models, in their order, by its name. */
  readonly lists: ReadonlyMap<string, readonly string[]>;
  /** By path, relative to the recipe unless that spells it from the root. */
  readonly sources: ReadonlyMap<string, LockedSource>;
}

/** `merge.lock` beside `merge.theta`. */
export function lockFilePath(recipe: string): string {
  return join(dirname(recipe), `${basename(recipe).replace(/\.theta$/, "")}.lock`);
}

/** The same facts give the same bytes. */
export function lockFileText({ lists, sources }: LockFile): string {
  const sourceText = ({ kind, files, tensors }: LockedSource): object => ({
    kind,
    digest: sourceDigest(tensors),
    files: sorted(files),
    tensors: sorted(
      new Map(
        [...tensors].map(([name, { dtype, shape, digest }]) => [name, `${dtype} [${shape.join(", ")}] ${digest}`]),
      ),
    ),
  });
  const json = {
    schema: SCHEMA,
    lists: sorted(lists),
    sources: sorted(new Map([...sources].map(([path, source]) => [path, sourceText(source)]))),
  };
  return `${JSON.stringify(json, null, 2)}\n`;
}

/** As builds and `theta inspect --digests` print it of the whole checkpoint. */
export function sourceDigest(tensors: LockedSource["tensors"]): string {
  return checkpointDigest([...tensors].map(([name, tensor]) => ({ name, ...tensor })));
}

/** @throws Failure (66) naming what is wrong and where; undefined when there is no such file. */
export function readLockFile(file: SourceFile): LockFile | undefined {
  try {
    return parseLockFile(readText(file, new Map(), LARGEST), file.display);
  } catch (error) {
    if (!(error instanceof SourceFailure)) throw error;
    const { code, message } = error.problem;
    if (code === "source-missing") return undefined;
    const help = "restore it, or write it anew with theta lock";
    throw new Failure(EXIT.input, message, { code: "bad-lock-file", help }, error);
  }
}

function parseLockFile(text: string, display: string): LockFile {
  const wrong = (what: string): never => fail("json-type", `${display}: ${what}`);
  const object = (value: JsonValue | undefined, what: string): JsonObject =>
    isObject(value) ? value : wrong(`${what} must be an object`);
  const root = object(parseJson(text, display, "the lock file"), "the lock file");
  const schema = root.get("schema");
  if (schema !== SCHEMA) {
    return wrong(`schema must be ${quoted(SCHEMA)}${typeof schema === "string" ? `, not ${quoted(schema)}` : ""}`);
  }
  const lists = new Map<string, readonly string[]>();
  for (const [name, members] of object(root.get("lists"), "lists")) {
    if (!Array.isArray(members) || !members.every((member) => typeof member === "string")) {
      return wrong(`the list ${quoted(name)} must be an array of paths`);
    }
    lists.set(name, members);
  }
  const sources = new Map<string, LockedSource>();
  for (const [path, value] of object(root.get("sources"), "sources")) {
    const within = `the source ${quoted(path)}`;
    const fields = object(value, within);
    const kind = fields.get("kind");
    if (kind !== "model" && kind !== "adapter" && kind !== "vector") {
      return wrong(`${within}: kind must be "model", "adapter" or "vector"`);
    }
    const files = new Map<string, string>();
    for (const [name, digest] of object(fields.get("files"), `${within}: files`)) {
      if (typeof digest !== "string" || !DIGEST.test(digest)) {
        return wrong(`${within}: ${quoted(name)} must have a digest, sha256: and 64 hexadecimal digits`);
      }
      files.set(name, digest);
    }
    const tensors = new Map<string, LockedTensor>();
    for (const [name, line] of object(fields.get("tensors"), `${within}: tensors`)) {
      const parts = typeof line === "string" ? TENSOR.exec(line) : null;
      if (parts === null) return wrong(`${within}: ${quoted(name)} must be like "F32 [2, 3] sha256:…"`);
      const [, dtype, shape, digest] = parts as unknown as [string, string, string, string];
      tensors.set(name, { dtype, shape: shape === "" ? [] : shape.split(", ").map(Number), digest });
    }
    const digest = fields.get("digest");
    if (digest !== sourceDigest(tensors)) return wrong(`${within}: its digest is not that of its tensors`);
    sources.set(path, { kind, files, tensors });
  }
  return { lists, sources };
}

function sorted<T>(map: ReadonlyMap<string, T>): object {
  return Object.fromEntries([...map].sort(([a], [b]) => compareByBytes(a, b)));
}
