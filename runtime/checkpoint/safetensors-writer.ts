// The canonical header of a safetensors file: a function of its tensors alone, and but for spaces at its end byte for byte
// what the official writer makes of the same tensors. Payloads are written elsewhere, to the offsets that this file decides.

import type { Dtype } from "../../compiler/checkpoint.ts";
import { compareByBytes } from "./byte-order.ts";
import { dtypeBits, dtypeRank, payloadBytes } from "./dtype-bits.ts";

/** A tensor to be written. */
export interface OutputTensor {
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
}

/** `offset` counts from the start of the file. */
export interface PlacedTensor extends OutputTensor {
  readonly offset: number;
  readonly bytes: number;
}

export interface FileLayout {
  /** The file's first bytes: length and JSON, padded with spaces, to be followed by the payloads in the order of `tensors`, without gaps. */
  readonly header: Uint8Array;
  /** In the order in which they lie. */
  readonly tensors: readonly PlacedTensor[];
  /** Bytes of the whole file. */
  readonly size: number;
}

/** What transformers wants to see. */
const METADATA: Readonly<Record<string, string>> = { format: "pt" };

/** The length of the JSON, before it. */
const LENGTH_BYTES = 8;
/** What the official writer pads headers to. */
const ALIGNMENT = 8;
/**
 * Where a tensor is large, the payloads begin with a page, and as nearly all tensors of models are whole pages, so do all:
 * the disk takes them from memory without a copy (native/io/output_sink.h), and whoever maps the file finds them aligned.
 * A page that two payloads share is written through the page cache, and locks the file for as long as that takes.
 */
const PAGE = 4096;
const LARGE_TENSOR = 1 << 20;

/** Largest alignment first, then by name, so that every payload is aligned to its element's size. */
export function layoutFile(tensors: readonly OutputTensor[], metadata = METADATA): FileLayout {
  const ordered = [...tensors].sort(
    (a, b) => dtypeRank(b.dtype) - dtypeRank(a.dtype) || compareByBytes(a.name, b.name),
  );
  const members: string[] = [];
  const keys = Object.keys(metadata).sort(compareByBytes);
  if (keys.length > 0) {
    members.push(`"__metadata__":${JSON.stringify(Object.fromEntries(keys.map((key) => [key, metadata[key]])))}`);
  }
  let end = 0;
  const sizes = ordered.map(({ name, dtype, shape }) => {
    const bytes = tensorBytes({ name, dtype, shape });
    members.push(
      `${JSON.stringify(name)}:{"dtype":"${dtype}","shape":[${shape.join(",")}],"data_offsets":[${end},${end + bytes}]}`,
    );
    end += bytes;
    return bytes;
  });
  const json = Buffer.from(`{${members.join(",")}}`, "utf8");
  const alignment = sizes.some((bytes) => bytes >= LARGE_TENSOR) ? PAGE : ALIGNMENT;
  const header = Buffer.alloc(Math.ceil((LENGTH_BYTES + json.length) / alignment) * alignment, " ");
  header.writeBigUInt64LE(BigInt(header.length - LENGTH_BYTES));
  json.copy(header, LENGTH_BYTES);
  let offset = header.length;
  const placed = ordered.map(({ name, dtype, shape }, index) => {
    const bytes = sizes[index]!;
    offset += bytes;
    return { name, dtype, shape, offset: offset - bytes, bytes };
  });
  return { header, tensors: placed, size: offset };
}

/** Bytes of the payload. Every tensor here came out of a header that was checked, so a size is always there. */
export function tensorBytes({ name, dtype, shape }: OutputTensor): number {
  const bits = dtypeBits(dtype);
  const bytes = bits === undefined ? "overflow" : payloadBytes(bits, shape);
  if (typeof bytes === "string") throw new Error(`tensor ${name} has no payload size: ${dtype} [${shape.join(", ")}]`);
  return bytes;
}
