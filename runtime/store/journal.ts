// The journal of a shard in the making: one line a finished tensor, appended after its bytes were written. Each line
// carries a checksum, so a torn last line is told from a whole one.

import { sha256 } from "./sha256.ts";
import { closeSync, existsSync, openSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { cutOff, writeAll } from "./durable.ts";
import type { TensorRecord } from "./shard-record.ts";

export interface JournalHeader {
  readonly schema: "theta.journal/1";
  /** Of the shard; see `ShardRecord.layout`. */
  readonly layout: string;
  /** Since which boot of which machine the bytes were written: the page cache outlives a process, not a power cut. */
  readonly boot: string;
}

export interface JournalContent {
  readonly header: JournalHeader | undefined;
  /** By tensor name; the last line of a name counts. */
  readonly tensors: ReadonlyMap<string, TensorRecord>;
  /** Bytes of whole lines. */
  readonly length: number;
}

export class Journal {
  readonly #fd: number;

  /** Appends behind what `content` found; a torn end is cut off. */
  constructor(path: string, header: JournalHeader, content: JournalContent) {
    this.#fd = openSync(path, "a", 0o644);
    cutOff(this.#fd, content.length);
    if (content.length === 0) this.#append(header);
  }

  add(tensor: TensorRecord): void {
    this.#append(tensor);
  }

  close(): void {
    closeSync(this.#fd);
  }

  #append(value: JournalHeader | TensorRecord): void {
    const line = JSON.stringify(value);
    writeAll(this.#fd, Buffer.from(`${checksum(line)} ${line}\n`), null);
  }
}

export const EMPTY_JOURNAL: JournalContent = { header: undefined, tensors: new Map(), length: 0 };

export function readJournal(path: string): JournalContent {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return EMPTY_JOURNAL;
    throw error;
  }
  let header: JournalHeader | undefined;
  const tensors = new Map<string, TensorRecord>();
  let length = 0;
  for (let end = bytes.indexOf(10); end !== -1; end = bytes.indexOf(10, length)) {
    const [sum = "", line = ""] = split(bytes.toString("utf8", length, end));
    if (checksum(line) !== sum) break;
    const value = JSON.parse(line) as JournalHeader | TensorRecord;
    if ("schema" in value) header = value;
    else tensors.set(value.name, value);
    length = end + 1;
  }
  return { header, tensors, length };
}

/** Weak keys of every tensor that some shard in the making has finished: a build that was cut off may resume there. */
export function journaledWeakKeys(partialFolder: string): ReadonlySet<string> {
  const weak = new Set<string>();
  if (!existsSync(partialFolder)) return weak;
  for (const name of readdirSync(partialFolder)) {
    if (!name.endsWith(".journal")) continue;
    for (const tensor of readJournal(join(partialFolder, name)).tensors.values()) weak.add(tensor.weak);
  }
  return weak;
}

function checksum(line: string): string {
  return sha256(line).slice(0, 16);
}

function split(line: string): readonly [string, string] {
  const space = line.indexOf(" ");
  return [line.slice(0, space), line.slice(space + 1)];
}
