// The canonical header of a safetensors file: a function of its tensors alone, and where none of them is large byte for byte
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
 * In a file with a large tensor the payloads begin with a page, and those of whole pages, as large ones nearly always are,
 * come first: the disk takes them from memory without a copy (native/io/output_sink.h), and whoever maps the file finds them
 * aligned. A page that two payloads share is written through the page cache, and locks the file for as long as that takes.
 */
const PAGE = 4096;
const LARGE_TENSOR = 1 << 20;

/** Largest alignment first, then by name, so that every payload is aligned to its element's size. */
export function layoutFile(tensors: readonly OutputTensor[], metadata = METADATA): FileLayout {
  const sized = tensors.map(({ name, dtype, shape }) => ({
    name,
    dtype,
    shape,
    bytes: tensorBytes({ name, dtype, shape }),
  }));
  const isPaged = sized.some(({ bytes }) => bytes >= LARGE_TENSOR);
  const behindPages = ({ bytes }: { readonly bytes: number }): number => Number(isPaged && bytes % PAGE > 0);
  sized.sort(
    (a, b) =>
      behindPages(a) - behindPages(b) || dtypeRank(b.dtype) - dtypeRank(a.dtype) || compareByBytes(a.name, b.name),
  );
  const members: string[] = [];
  const keys = Object.keys(metadata).sort(compareByBytes);
  if (keys.length > 0) {
    members.push(`"__metadata__":${JSON.stringify(Object.fromEntries(keys.map((key) => [key, metadata[key]])))}`);
  }
  let end = 0;
  for (const { name, dtype, shape, bytes } of sized) {
    members.push(
      `${JSON.stringify(name)}:{"dtype":"${dtype}","shape":[${shape.join(",")}],"data_offsets":[${end},${end + bytes}]}`,
    );
    end += bytes;
  }
  const json = Buffer.from(`{${members.join(",")}}`, "utf8");
  const alignment = isPaged ? PAGE : ALIGNMENT;
  const header = Buffer.alloc(Math.ceil((LENGTH_BYTES + json.length) / alignment) * alignment, " ");
  header.writeBigUInt64LE(BigInt(header.length - LENGTH_BYTES));
  json.copy(header, LENGTH_BYTES);
  let offset = header.length;
  const placed = sized.map((tensor) => {
    offset += tensor.bytes;
    return { ...tensor, offset: offset - tensor.bytes };
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
