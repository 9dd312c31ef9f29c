// The canonical header of a safetensors file: a function of its tensors alone, byte for byte what the official writer
// makes of the same tensors. Payloads are written elsewhere, to the offsets that this file decides.

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
  /** The file's first bytes: length and JSON, padded to a multiple of 8, to be followed by the payloads in the order of `tensors`, without gaps. */
  readonly header: Uint8Array;
  /** In the order in which they lie. */
  readonly tensors: readonly PlacedTensor[];
  /** Bytes of the whole file. */
  readonly size: number;
}

/** What transformers wants to see. */
const METADATA: Readonly<Record<string, string>> = { format: "pt" };

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
  const length = Math.ceil(json.length / 8) * 8;
  const header = Buffer.alloc(8 + length, " ");
  header.writeBigUInt64LE(BigInt(length));
  json.copy(header, 8);
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
