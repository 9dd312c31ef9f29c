// Bytes of a recipe to its text.

import { isUtf8 } from "node:buffer";
import type { Diagnostic } from "./diagnostic.ts";
import type { Source } from "./source.ts";

interface DecodedSource {
  /** Absent when the bytes are no text. */
  readonly source: Source | undefined;
  readonly diagnostics: readonly Diagnostic[];
}

/** A byte order mark and CRLF stay in the text, so that offsets are those of the file; the lexer knows both. */
export function decodeSource(bytes: Uint8Array, path: string, directory: string): DecodedSource {
  const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
  const source: Source = { path, directory, text };
  if (isUtf8(bytes)) return { source, diagnostics: [] };

  if (bytes.subarray(0, 1024).includes(0) && !isUtf16(bytes)) {
    const message = "this is a binary file, not a recipe";
    return { source: undefined, diagnostics: [{ code: "not-utf8", severity: "error", message, source }] };
  }
  // The text with replacement characters is good for showing the line.
  const at = firstInvalidByte(bytes);
  // What stands before the bad byte is valid, so its decoded length is the offset of the replacement character.
  const start = new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes.subarray(0, at)).length;
  const byte = bytes[at]!.toString(16).padStart(2, "0");
  const diagnostic: Diagnostic = {
    code: "not-utf8",
    severity: "error",
    message: `this file is not UTF-8: byte ${at} is 0x${byte}`,
    span: { source, start, end: Math.min(start + 1, text.length) },
    help: isUtf16(bytes) ? "it looks like UTF-16; save it as UTF-8" : "save the recipe as UTF-8",
  };
  return { source: undefined, diagnostics: [diagnostic] };
}

function isUtf16(bytes: Uint8Array): boolean {
  return bytes.length > 1 && bytes[0]! + bytes[1]! === 0xff + 0xfe;
}

/** The index of the first byte that begins no valid sequence; `bytes.length` when there is none. */
function firstInvalidByte(bytes: Uint8Array): number {
  let at = 0;
  while (at < bytes.length) {
    const length = sequenceLength(bytes[at]!);
    if (length === 0 || !isUtf8(bytes.subarray(at, at + length))) return at;
    at += length;
  }
  return at;
}

function sequenceLength(lead: number): number {
  if (lead < 0x80) return 1;
  if (lead < 0xc2) return 0;
  if (lead < 0xe0) return 2;
  if (lead < 0xf0) return 3;
  return lead < 0xf5 ? 4 : 0;
}
