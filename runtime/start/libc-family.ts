// What libsql asks of @neon-rs/load and of detect-libc, in their place: which of its binaries this system takes. Node's own
// executable names its loader, and with it the C library.

import { closeSync, openSync, readSync } from "node:fs";

/** These names are theirs. */
export const GLIBC = "glibc";
export const MUSL = "musl";

export function currentTarget(): string {
  return `linux-${process.arch}-${familySync() === MUSL ? "musl" : "gnu"}`;
}

export function familySync(): string {
  return loaderOf("/proc/self/exe").includes("ld-musl-") ? MUSL : GLIBC;
}

/** The loader that a 64-bit little-endian ELF file names; "" when it names none. */
function loaderOf(path: string): string {
  const LOADER = 3;
  const fd = openSync(path, "r");
  try {
    const read = (offset: number, length: number): Buffer => {
      const bytes = Buffer.alloc(length);
      readSync(fd, bytes, 0, length, offset);
      return bytes;
    };
    const file = read(0, 64);
    const entrySize = file.readUInt16LE(54);
    const table = read(Number(file.readBigUInt64LE(32)), file.readUInt16LE(56) * entrySize);
    for (let at = 0; at < table.length; at += entrySize) {
      if (table.readUInt32LE(at) !== LOADER) continue;
      return read(Number(table.readBigUInt64LE(at + 8)), Number(table.readBigUInt64LE(at + 32))).toString("latin1");
    }
    return "";
  } finally {
    closeSync(fd);
  }
}
