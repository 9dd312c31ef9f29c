// Reads the header of a safetensors file and believes nothing in it. Two reads: the length, then the header; no byte
// of a payload. Format: 8 bytes little-endian N, N bytes of JSON, then payloads without holes to the end of the file.

import type { TensorInfo } from "../../compiler/checkpoint.ts";
import { compareByBytes } from "./byte-order.ts";
import { dtypeBits, payloadBytes } from "./dtype-bits.ts";
import { JsonReader } from "./json-reader.ts";
import { type Entry, readPlainHeader } from "./plain-header.ts";
import { type SourceCode, fail, quoted, shapeText } from "./problem.ts";
import { type OpenedFiles, type SourceFile, readExactly, utf8, withFile } from "./source-file.ts";

/** The official reader's limit. */
const LARGEST_HEADER = 100_000_000;
/** NumPy's limit, and far more than a model has. */
const MOST_DIMENSIONS = 64;
const LENGTH_BYTES = 8;

export interface SafetensorsHeader {
  /** By name, sorted by bytes. */
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  /**
   * Other name → name in `tensors`, for names that state the same place, dtype and shape: one stored tensor, whose name
   * is the smallest by bytes.
   */
  readonly tied: ReadonlyMap<string, string>;
}

/** Every name with its place, for readers to whom it does not matter that some share one. */
export function untied({ tensors, tied }: SafetensorsHeader): ReadonlyMap<string, TensorInfo> {
  const shared = [...tied].map(([name, stored]): [string, TensorInfo] => [name, { ...tensors.get(stored)!, name }]);
  return new Map([...tensors, ...shared]);
}

/** Throws SourceFailure. */
export function readSafetensorsHeader(file: SourceFile, opened: OpenedFiles): SafetensorsHeader {
  return withFile(file, opened, (fd, size) => {
    const { display } = file;
    if (size < LENGTH_BYTES) {
      fail("safetensors-truncated", `${display} has ${size} bytes, too few for a safetensors file`);
    }
    const first = readExactly(file, fd, 0, LENGTH_BYTES);
    const length = first.readBigUInt64LE();
    if (length > BigInt(LARGEST_HEADER)) {
      const help = FOREIGN_STARTS.find(([bytes]) => first.toString("latin1").startsWith(bytes))?.[1] ?? NOT_SAFETENSORS;
      const sentence = `${display} says its header has ${length} bytes; at most ${LARGEST_HEADER} are read`;
      fail("safetensors-header-size", sentence, help);
    }
    const start = LENGTH_BYTES + Number(length);
    if (start > size) {
      fail(
        "safetensors-truncated",
        `${display} says its header has ${length} bytes, but the file has only ${size}`,
        NOT_COMPLETE,
      );
    }
    if (length === 0n) fail("safetensors-header-size", `${display} says its header has 0 bytes`, NOT_SAFETENSORS);
    const text = utf8(readExactly(file, fd, LENGTH_BYTES, Number(length)), `the header of ${display}`);
    const entries = readPlainHeader(text, MOST_DIMENSIONS) ?? parseHeader(text, display);
    return placeTensors(entries, file, start, size);
  });
}

const NOT_SAFETENSORS = "is it a safetensors file?";
/** What other files begin with, read as a length. */
const FOREIGN_STARTS: readonly (readonly [bytes: string, help: string])[] = [
  ["version ", 'it is a Git LFS pointer: fetch the file with "git lfs pull"'],
  ["PK", "it is a zip archive, as PyTorch writes them: convert it to safetensors first"],
  ["GGUF", "it is a GGUF file: name the safetensors files it was made from"],
];
const NOT_COMPLETE = "was the download or the copy interrupted?";

function parseHeader(text: string, display: string): Entry[] {
  const reader = new JsonReader(text, `the header of ${display}`);
  const entries: Entry[] = [];
  const readEntry = entryReader(reader, display);
  let current: string | undefined;
  reader.within = () => (current === undefined ? "" : `tensor ${quoted(current)}: `);
  reader.readObject("it", (name) => {
    if (name === "__metadata__") {
      reader.readObject("__metadata__", () => reader.readString("a value of __metadata__"));
    } else {
      current = name;
      entries.push(readEntry(name));
      current = undefined;
    }
  });
  reader.end();
  return entries;
}

/** Reads one entry at a time; made once for all of them, of which there may be many thousands. */
function entryReader(reader: JsonReader, display: string): (name: string) => Entry {
  let name = "";
  let dtype: string | undefined;
  let shape: number[] | undefined;
  let offsets: number[] | undefined;
  let numbers: number[] = [];
  const wrong = (code: SourceCode, sentence: string): never =>
    fail(code, `${display}: tensor ${quoted(name)} ${sentence}`);
  const readDimension = (): void => {
    const dimensions = numbers.push(reader.readCount("a dimension"));
    if (dimensions > MOST_DIMENSIONS) wrong("safetensors-shape", `has more than ${MOST_DIMENSIONS} dimensions`);
  };
  const readOffset = (): void => {
    if (numbers.push(reader.readCount("an offset")) > 2) {
      wrong("safetensors-offsets", "has more than two data_offsets");
    }
  };
  const readField = (key: string): void => {
    if (key === "dtype") {
      dtype = reader.readString("the dtype");
    } else if (key === "shape") {
      shape = numbers = [];
      reader.readArray("the shape", readDimension);
    } else if (key === "data_offsets") {
      offsets = numbers = [];
      reader.readArray("data_offsets", readOffset);
    } else {
      wrong("safetensors-field", `has the field ${quoted(key)}, which safetensors does not define`);
    }
  };
  return (tensor) => {
    name = tensor;
    dtype = shape = offsets = undefined;
    reader.readObject("the entry", readField);
    if (dtype === undefined) return wrong("safetensors-field", "has no dtype");
    if (shape === undefined) return wrong("safetensors-field", "has no shape");
    if (offsets === undefined) return wrong("safetensors-field", "has no data_offsets");
    const [begin, end] = offsets as number[];
    if (begin === undefined || end === undefined) {
      return wrong("safetensors-offsets", `needs two data_offsets, found ${(offsets as number[]).length}`);
    }
    return { name, dtype, shape, begin, end };
  };
}

/** Checks sizes one by one, then that the payloads cover the file from `start` to its end, each byte once. */
function placeTensors(entries: Entry[], file: SourceFile, start: number, size: number): SafetensorsHeader {
  const { display, path } = file;
  for (const entry of entries) checkSize(entry, display);
  entries.sort((a, b) => a.begin - b.begin || a.end - b.end || compareByBytes(a.name, b.name));
  const tied = new Map<string, string>();
  let end = 0;
  let previous: Entry | undefined;
  for (const entry of entries) {
    const { name, begin } = entry;
    if (previous !== undefined && isSamePlace(entry, previous)) {
      tied.set(name, previous.name);
      continue;
    }
    if (begin < end) {
      const sentence = `${display}: tensor ${quoted(name)} begins at byte ${begin}, inside tensor ${quoted(previous!.name)}, which ends at ${end}`;
      fail("safetensors-overlap", sentence);
    }
    if (begin > end) {
      fail(
        "safetensors-hole",
        `${display}: bytes ${end} to ${begin} before tensor ${quoted(name)} belong to no tensor`,
      );
    }
    ({ end } = entry);
    previous = entry;
  }
  if (end > size - start) {
    const sentence = `${display}: tensor ${quoted(previous!.name)} ends at byte ${end} of the payload, but the file has only ${size - start}`;
    fail("safetensors-truncated", sentence, NOT_COMPLETE);
  }
  if (end < size - start) {
    const sentence = `${display}: the last tensor ends at byte ${end} of the payload, but ${size - start} bytes follow the header`;
    fail("safetensors-trailing", sentence);
  }
  const stored = tied.size === 0 ? entries : entries.filter(({ name }) => !tied.has(name));
  const tensors = new Map<string, TensorInfo>();
  for (const { name, dtype, shape, begin, end: last } of inOrderOfNames(stored)) {
    tensors.set(name, { name, dtype, shape, file: path, offset: start + begin, bytes: last - begin });
  }
  return { tensors, tied };
}

/** The official writer leaves them so, within a dtype. */
function inOrderOfNames(entries: Entry[]): Entry[] {
  const isInOrder = entries.every(
    (entry, index) => index === 0 || compareByBytes(entries[index - 1]!.name, entry.name) < 0,
  );
  return isInOrder ? entries : entries.sort((a, b) => compareByBytes(a.name, b.name));
}

/** Whether two names share one stored tensor; an empty one lies nowhere, so it is never shared. */
function isSamePlace(a: Entry, b: Entry): boolean {
  const sameBytes = a.begin === b.begin && a.end === b.end && a.end > a.begin;
  return sameBytes && a.dtype === b.dtype && a.shape.join() === b.shape.join();
}

function checkSize({ name, dtype, shape, begin, end }: Entry, display: string): void {
  const bits = dtypeBits(dtype);
  if (bits === undefined) {
    fail(
      "safetensors-dtype",
      `${display}: tensor ${quoted(name)} has the dtype ${quoted(dtype)}, which safetensors does not define`,
    );
  }
  if (end < begin) {
    fail("safetensors-offsets", `${display}: tensor ${quoted(name)} ends at byte ${end}, before it begins at ${begin}`);
  }
  const bytes = payloadBytes(bits, shape);
  if (bytes === "overflow") {
    fail(
      "safetensors-shape",
      `${display}: the shape ${shapeText(shape)} of tensor ${quoted(name)} is too large to be counted`,
    );
  }
  if (bytes === "partial-byte") {
    fail(
      "safetensors-shape",
      `${display}: tensor ${quoted(name)}, ${shapeText(shape)} ${dtype}, does not fill its last byte`,
    );
  }
  if (bytes !== end - begin) {
    fail(
      "safetensors-size",
      `${display}: tensor ${quoted(name)} has ${end - begin} bytes, but ${shapeText(shape)} ${dtype} takes ${bytes}`,
    );
  }
}
