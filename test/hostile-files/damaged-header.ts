// Makes sources out of one damaged file, for the tables beside this file.

import { mkdirSync, writeFileSync } from "node:fs";
import { safetensorsBytesOf } from "../support/tensors.ts";
import type { HostileSource } from "./hostile-source.ts";

/** A model directory whose one file has these bytes. */
export function bytes(name: string, content: Uint8Array, code: string, message: string): HostileSource {
  const make = (path: string): void => {
    mkdirSync(path);
    writeFileSync(`${path}/model.safetensors`, content);
  };
  return { name, kind: "model", make, code, message };
}

/** The same from a header and the number of payload bytes behind it. */
export function header(name: string, text: string, payload: number, code: string, message: string): HostileSource {
  return bytes(name, safetensorsBytesOf(text, new Uint8Array(payload)), code, message);
}

/** One tensor "a", its entry as it stands. */
export function entry(name: string, text: string, payload: number, code: string, message: string): HostileSource {
  return header(name, `{"a":${text}}`, payload, code, message);
}

export function length(value: bigint, rest = 0): Uint8Array {
  const file = new Uint8Array(8 + rest);
  new DataView(file.buffer).setBigUint64(0, value, true);
  return file;
}

export const A = '"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}';
export const BIG = "9007199254740993";
