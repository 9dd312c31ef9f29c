// The files that a store's records promise: stored shards by their sidecars, published files by the records of outputs; and
// what is wrong with them at first sight, before a payload is read.

import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { systemErrorText } from "../system-error.ts";
import { ownStampAt } from "./file-identity.ts";
import type { Finding } from "./finding.ts";
import type { ActionsByShard } from "./index-content.ts";
import { listOutputRecords, type OutputRecord, type PublishedSideFile } from "./output-record.ts";
import { sha256 } from "./sha256.ts";
import { decodeSidecar, type ShardRecord } from "./shard-record.ts";
import type { StorePaths } from "./store-paths.ts";

/** A shard's file and the record that it must fit. */
export interface PromisedFile {
  readonly path: string;
  readonly record: ShardRecord;
  /** Undefined for a stored shard. */
  readonly output?: OutputRecord;
}

interface Promised {
  readonly files: readonly PromisedFile[];
  readonly findings: readonly Finding[];
}

/** Call it under the mutation lock. */
export function storedFiles(paths: StorePaths): Promised & { readonly sidecars: ActionsByShard } {
  const names = new Set(readdirSync(paths.shards));
  const digests = new Set([...names].flatMap((name) => /^([0-9a-f]{64})\.(json|safetensors)$/.exec(name)?.[1] ?? []));
  const files: PromisedFile[] = [];
  const findings: Finding[] = [];
  const sidecars = new Map<string, ReadonlyMap<string, string>>();
  for (const digest of [...digests].sort()) {
    const sidecar = join(paths.shards, `${digest}.json`);
    const path = join(paths.shards, `${digest}.safetensors`);
    const found = (code: Finding["code"], at: string, message: string): void =>
      void findings.push({ code, path: at, message, tensors: [], drop: { kind: "shard", digest } });
    if (!names.has(`${digest}.json`)) {
      found("sidecar-missing", path, "is a stored shard without the sidecar that says what it holds");
      continue;
    }
    const record = decodeSidecar(readFileSync(sidecar, "utf8"), digest);
    if (record === undefined) {
      found("sidecar-damaged", sidecar, "was cut off or edited: its checksum or its name is wrong");
      continue;
    }
    const all = [...record.tensors, ...record.more];
    sidecars.set(digest, new Map(all.map(({ key, weak }) => [key, weak])));
    if (names.has(`${digest}.safetensors`)) files.push({ path, record });
    else found("shard-missing", path, "is gone, and its sidecar still promises it");
  }
  return { files, findings, sidecars };
}

export function outputRecords(paths: StorePaths): {
  readonly records: readonly OutputRecord[];
  readonly findings: readonly Finding[];
} {
  const readable = listOutputRecords(paths);
  const files = new Set(readable.map(({ file }) => file));
  const findings = readdirSync(paths.outputs)
    .filter((name) => name.endsWith(".json"))
    .map((name) => join(paths.outputs, name))
    .filter((path) => !files.has(path))
    .map((path): Finding => {
      const message = "is the record of an output, and was cut off, edited, or written by another version of theta";
      return { code: "record-damaged", path, message, tensors: [], drop: { kind: "file", path } };
    });
  return { records: readable.map(({ record }) => record), findings };
}

/** Of an output of which nothing is left, nothing is expected. */
export function publishedFiles(output: OutputRecord): Promised {
  const all = output.shards.map(({ file, record }) => ({ path: join(output.path, file.name), file, record, output }));
  const present = all.filter(({ path }) => ownStampAt(path) !== undefined);
  if (present.length === 0) return { files: [], findings: [] };
  const missing = [...all.map(({ file }) => file), ...output.sideFiles]
    .filter(({ name }) => ownStampAt(join(output.path, name)) === undefined)
    .map(({ name }) => missingFile(join(output.path, name)));
  return { files: present, findings: [...missing, ...output.sideFiles.flatMap((file) => ofSideFile(output, file))] };
}

function ofSideFile(output: OutputRecord, { name, stamp, digest }: PublishedSideFile): readonly Finding[] {
  const path = join(output.path, name);
  const now = ownStampAt(path);
  if (now === undefined) return [];
  const drop = { kind: "published", output: output.path, name } as const;
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    const message = `cannot be read: ${systemErrorText(error)}`;
    return [{ code: "output-damaged", path, message, tensors: [], drop }];
  }
  if (`sha256:${sha256(bytes)}` === digest) return [];
  if (now === stamp) {
    const message = "does not hold what theta wrote, and no time stamp shows it";
    return [{ code: "output-damaged", path, message, tensors: [], drop }];
  }
  const message = "was written by theta and edited since";
  return [{ code: "output-edited", path, message, tensors: [], drop: { kind: "nothing" } }];
}

export function missingFile(path: string): Finding {
  const message = "was published by theta and is gone";
  return { code: "output-missing-file", path, message, tensors: [], drop: { kind: "nothing" } };
}
