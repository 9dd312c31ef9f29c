// Opens files that nobody vouches for: regular files only, without ever waiting for a writer at the other end of a
// pipe, and remembers what was opened so that the stat cache need not look again.

import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  lstatSync,
  openSync,
  readSync,
  readdirSync,
  statSync,
} from "node:fs";
import { isUtf8 } from "node:buffer";
import { createHash } from "node:crypto";
import { basename, dirname, isAbsolute, join } from "node:path";
import { didYouMean } from "../../dsl/did-you-mean.ts";
import { typeInWords } from "../file-type.ts";
import { systemErrorName } from "../system-error.ts";
import { isTooManyFiles, tooManyFiles } from "../too-many-files.ts";
import { sortByBytes } from "./byte-order.ts";
import { fail, quoted } from "./problem.ts";

/** What tells one state of a file from another, of the file behind any links. */
export interface FileIdentity {
  readonly device: bigint;
  readonly inode: bigint;
  readonly size: bigint;
  readonly mtimeNs: bigint;
  readonly ctimeNs: bigint;
}

/** By path as opened. A path that was opened twice keeps its first identity, so a change in between is noticed. */
export type OpenedFiles = Map<string, OpenedFile>;

export interface OpenedFile extends FileIdentity {
  /** Of the content in hex, when all of it was read. */
  sha256?: string;
}

export interface SourceFile {
  readonly path: string;
  /** As messages call it. */
  readonly display: string;
}

/** Passes an open descriptor and the size, and closes it again. */
export function withFile<T>(file: SourceFile, opened: OpenedFiles, read: (fd: number, size: number) => T): T {
  const fd = openRegular(file);
  try {
    const stat = fstatSync(fd, { bigint: true });
    if (!stat.isFile())
      fail("source-not-a-file", `${file.display} is ${typeInWords(stat)}; only regular files are read`);
    if (!opened.has(file.path)) {
      const { dev: device, ino: inode, size, mtimeNs, ctimeNs } = stat;
      opened.set(file.path, { device, inode, size, mtimeNs, ctimeNs });
    }
    const content = read(fd, Number(stat.size));
    const after = fstatSync(fd, { bigint: true });
    if (after.size !== stat.size || after.mtimeNs !== stat.mtimeNs || after.ctimeNs !== stat.ctimeNs) {
      fail("source-unreadable", `${file.display} changed while it was read`);
    }
    return content;
  } finally {
    closeSync(fd);
  }
}

/** The whole of a small file; `limit` in bytes. */
export function readWhole(file: SourceFile, opened: OpenedFiles, limit: number): Buffer {
  return withFile(file, opened, (fd, size) => {
    if (size > limit) {
      fail("source-too-large", `${file.display} has ${size} bytes; such a file is read up to ${limit} bytes`);
    }
    const content = readExactly(file, fd, 0, size);
    const known = opened.get(file.path)!;
    const digest = createHash("sha256").update(content).digest("hex");
    if ((known.sha256 ??= digest) !== digest) {
      fail("source-unreadable", `${file.display} changed while it was read`);
    }
    return content;
  });
}

/** The same as text. */
export function readText(file: SourceFile, opened: OpenedFiles, limit: number): string {
  return utf8(readWhole(file, opened, limit), file.display);
}

/** Exactly `length` bytes from `start`; a file that is shorter changed under us. */
export function readExactly(file: SourceFile, fd: number, start: number, length: number): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  let filled = 0;
  while (filled < length) {
    const count = attempt(file, () => readSync(fd, bytes, filled, length - filled, start + filled));
    if (count === 0) fail("source-unreadable", `${file.display} became shorter while it was read`);
    filled += count;
  }
  return bytes;
}

export function utf8(bytes: Uint8Array, display: string): string {
  if (!isUtf8(bytes)) fail("source-encoding", `${display} is not UTF-8`);
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8");
}

/** What lies at a path, links followed; undefined when nothing does. */
export function kindOf(file: SourceFile): "directory" | "file" | "other" | undefined {
  const stat = attempt(file, () => statSync(file.path, { throwIfNoEntry: false }));
  if (stat === undefined) return undefined;
  if (stat.isDirectory()) return "directory";
  return stat.isFile() ? "file" : "other";
}

/** Whether something has this name, a link that leads nowhere too. Costs the same in a directory of any size. */
export function isNamed(file: SourceFile): boolean {
  return attempt(file, () => lstatSync(file.path, { throwIfNoEntry: false })) !== undefined;
}

/** Names of what a directory holds, sorted by bytes. */
export function namesIn(directory: SourceFile): readonly string[] {
  return sortByBytes(attempt(directory, () => readdirSync(directory.path)));
}

/** Runs a system call; what it throws becomes a sentence about the file. */
function attempt<T>(file: SourceFile, call: () => T): T {
  try {
    return call();
  } catch (error) {
    const code = systemErrorName(error) ?? (error instanceof Error && "code" in error ? String(error.code) : undefined);
    if (code === undefined) throw error;
    if (isTooManyFiles(code)) throw tooManyFiles(file.display, error);
    if (code === "ENOENT") missing(file);
    if (code === "ENOTDIR") {
      fail("source-missing", `${file.display} does not exist: what should hold it is no directory`);
    }
    fail("source-unreadable", `${file.display} cannot be read: ${REASONS[code] ?? code}`);
  }
}

/** Says that nothing is there, or that a link leads nowhere, as in a snapshot whose download was interrupted. */
export function missing(file: SourceFile): never {
  const link = attempt(file, () => lstatSync(file.path, { throwIfNoEntry: false }))?.isSymbolicLink() ?? false;
  fail(
    "source-missing",
    link ? `${file.display} is a symbolic link that leads nowhere` : `${file.display} does not exist`,
    link ? undefined : helpForMissing(file),
  );
}

/** What was probably meant: a revision of a model, an adapter on one, a name nearby, or a model of the hub. */
function helpForMissing({ path, display }: SourceFile): string | undefined {
  if (display.startsWith("~")) return "`~` is not expanded; write the directory in full";
  if (startsWithPath(path, "@")) return "a revision is no part of a path; check it out and name its directory";
  if (startsWithPath(path, "+")) {
    return 'an adapter is declared by itself, adapter chat = "…" on llama, and added: llama + chat';
  }
  const near = didYouMean(basename(path), namesBeside(path));
  if (near !== undefined) return `did you mean ${join(dirname(display), near)}?`;
  if (isAbsolute(display)) return undefined;
  const isOfHub = /^[\w-][\w.-]*\/[\w-][\w.-]*(@[\w.-]+)?$/.test(display) && !existsSync(dirname(path));
  const place = `it was looked for at ${path}`;
  return isOfHub ? `${place}; a model of the hub is downloaded first, and its directory named` : place;
}

/** Whether something lies at what stands before the last `sign`, as in mergekit's path@revision and path+adapter. */
function startsWithPath(path: string, sign: string): boolean {
  const end = path.lastIndexOf(sign);
  return end > 0 && existsSync(path.slice(0, end));
}

function namesBeside(path: string): readonly string[] {
  try {
    return sortByBytes(readdirSync(dirname(path)));
  } catch {
    // Help alone: that the file is missing is said already.
    return [];
  }
}

const REASONS: Readonly<Record<string, string>> = {
  EACCES: "permission denied",
  EPERM: "permission denied",
  ELOOP: "its symbolic links form a loop",
  ENAMETOOLONG: "the name is too long for the file system",
  EIO: "the device reports an input/output error",
  ESTALE: "the network file system lost it",
  ERR_INVALID_ARG_VALUE: "the path holds a NUL character",
};

/** O_NONBLOCK keeps the opening of a FIFO from waiting for a writer; it means nothing for regular files. */
function openRegular(file: SourceFile): number {
  // A socket or some devices refuse to be opened (ENXIO), so look first; fstat decides about what was really opened.
  const stat = attempt(file, () => statSync(file.path));
  if (!stat.isFile()) fail("source-not-a-file", `${file.display} is ${typeInWords(stat)}; only regular files are read`);
  return attempt(file, () => openSync(file.path, constants.O_RDONLY | constants.O_NONBLOCK));
}

/** A file in a directory, with the display name that goes with it. */
export function inside(directory: SourceFile, name: string): SourceFile {
  const slash = directory.path.endsWith("/") ? "" : "/";
  return { path: directory.path + slash + name, display: join(directory.display, quoted(name).slice(1, -1)) };
}

/** The directory that a file lies in. */
export function parentOf(file: SourceFile): SourceFile {
  return { path: dirname(file.path), display: dirname(file.display) };
}
