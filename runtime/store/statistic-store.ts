// Values of model-wide statistics, and what each tensor brought to them, so that a change of one tensor is a reading of that
// one. Derived like everything in a store: a file that is damaged or gone is made again. Knows no recipe.

import { readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { TensorCuts } from "../../compiler/tensor-graph.ts";
import type { FoundInWindow, OrderPlace } from "../../native/addon-types.ts";
import { decodeChecked, encodeChecked } from "./checked-json.ts";
import { namesIn } from "./names-in.ts";
import { sha256 } from "./sha256.ts";

/** What one tensor has where a cut was found. */
export interface StoredWindow {
  readonly first: OrderPlace;
  readonly last: OrderPlace;
  readonly found: FoundInWindow;
}

/** Of one tensor, by the cut that it is for; or its size. */
export interface StoredPart {
  readonly outer?: StoredWindow;
  readonly inner?: StoredWindow;
  readonly size?: number;
}

/** Cuts of the members, in their order; or a sum of sizes. */
export type StoredValue = readonly TensorCuts[] | number;

const VALUE_SCHEMA = "theta.statistic-value/1";
const PART_SCHEMA = "theta.statistic-part/1";
/** Of a weak key, in the name of a part. */
const WEAK_DIGITS = 32;
const NAME = /^(?:[0-9a-f]{64}\.json|[0-9a-f]{32}-[0-9a-f]{64}\.part)$/;

export class StatisticStore {
  readonly #folder: string;
  #weak: Set<string> | undefined;

  constructor(folder: string) {
    this.#folder = folder;
  }

  value(key: string): StoredValue | undefined {
    const bytes = readUsed(this.#valuePath(key));
    const content = bytes && (decodeChecked(bytes.toString("utf8")) as ValueFile | undefined);
    if (content?.schema !== VALUE_SCHEMA || content.key !== key) return undefined;
    if (content.size !== undefined) return Number(content.size);
    return content.cuts?.map(([outerKey, outerTie, innerKey, innerTie]) => ({
      outer: { key: BigInt(outerKey), tie: BigInt(outerTie) },
      inner: { key: BigInt(innerKey), tie: BigInt(innerTie) },
    }));
  }

  saveValue(key: string, value: StoredValue): void {
    const content =
      typeof value === "number"
        ? { size: String(value) }
        : { cuts: value.map(({ outer, inner }) => [outer.key, outer.tie, inner.key, inner.tie].map(hex)) };
    replace(this.#valuePath(key), encodeChecked({ schema: VALUE_SCHEMA, key, ...content }));
  }

  /** Whether any part has this weak key. */
  knowsWeak(weak: string): boolean {
    this.#weak ??= new Set(
      namesIn(this.#folder).flatMap((name) => (name.endsWith(".part") ? [name.split("-")[0]!] : [])),
    );
    return this.#weak.has(weak.slice(0, WEAK_DIGITS));
  }

  part(weak: string, key: string): StoredPart | undefined {
    const bytes = readUsed(this.#partPath(weak, key));
    if (bytes === undefined) return undefined;
    const end = bytes.indexOf("\n", bytes.indexOf("\n") + 1) + 1;
    const header = decodeChecked(bytes.subarray(0, end).toString("utf8")) as PartFile | undefined;
    const elements = bytes.subarray(end);
    if (header?.schema !== PART_SCHEMA || header.key !== key || sha256(elements) !== header.digest) return undefined;
    const outer = header.outer && decodeWindow(header.outer, elements.subarray(0, header.outer.bytes));
    const inner = header.inner && decodeWindow(header.inner, elements.subarray(elements.length - header.inner.bytes));
    const size = header.size === undefined ? undefined : Number(header.size);
    return { ...(outer && { outer }), ...(inner && { inner }), ...(size !== undefined && { size }) };
  }

  savePart(weak: string, key: string, { outer, inner, size }: StoredPart): void {
    const elements = Buffer.concat(
      [outer, inner].flatMap((window) => (window === undefined ? [] : [window.found.elements])),
    );
    const header = encodeChecked({
      schema: PART_SCHEMA,
      key,
      digest: sha256(elements),
      ...(outer && { outer: encodeWindow(outer) }),
      ...(inner && { inner: encodeWindow(inner) }),
      ...(size !== undefined && { size: String(size) }),
    } satisfies PartFile);
    replace(this.#partPath(weak, key), Buffer.concat([Buffer.from(header), elements]));
    this.#weak?.add(weak.slice(0, WEAK_DIGITS));
  }

  #valuePath(key: string): string {
    return join(this.#folder, `${key}.json`);
  }

  #partPath(weak: string, key: string): string {
    return join(this.#folder, `${weak.slice(0, WEAK_DIGITS)}-${key}.part`);
  }
}

export interface StatisticFile {
  readonly path: string;
  readonly bytes: number;
  /** Milliseconds since the epoch. */
  readonly lastUse: number;
}

/** For garbage collection. One that is being written counts as used now; a crash may have left it. */
export function listStatistics(folder: string): readonly StatisticFile[] {
  return namesIn(folder).flatMap((name) => {
    const path = join(folder, name);
    const stat = statSync(path, { throwIfNoEntry: false });
    if (stat === undefined) return [];
    const isWhole = NAME.test(name) || Date.now() - stat.mtimeMs > LONGEST_WRITE_MS;
    return [{ path, bytes: stat.blocks * 512, lastUse: isWhole ? stat.mtimeMs : Date.now() }];
  });
}

const LONGEST_WRITE_MS = 3600_000;

interface ValueFile {
  readonly schema: string;
  readonly key: string;
  readonly cuts?: readonly (readonly [string, string, string, string])[];
  /** In decimal, because it may be infinite or NaN. */
  readonly size?: string;
}

interface PartFile {
  readonly schema: string;
  readonly key: string;
  /** Of all elements. */
  readonly digest: string;
  readonly outer?: WindowHeader;
  readonly inner?: WindowHeader;
  /** As that of a value. */
  readonly size?: string;
}

type WindowHeader = Omit<FoundInWindow, "elements"> & {
  /** Keys and ties. */
  readonly first: readonly [string, string];
  readonly last: readonly [string, string];
  readonly bytes: number;
};

function encodeWindow({ first, last, found: { elements, ...counts } }: StoredWindow): WindowHeader {
  const place = ({ key, tie }: OrderPlace): [string, string] => [hex(key), hex(tie)];
  return { ...counts, first: place(first), last: place(last), bytes: elements.length };
}

function decodeWindow(header: WindowHeader, elements: Uint8Array): StoredWindow {
  const { first, last, above, inside, tiedAbove, tiedBelow, thinning, kept } = header;
  const place = ([key, tie]: readonly [string, string]): OrderPlace => ({ key: BigInt(key), tie: BigInt(tie) });
  const found = { above, inside, tiedAbove, tiedBelow, thinning, kept, elements };
  return { first: place(first), last: place(last), found };
}

function hex(value: bigint): string {
  return `0x${value.toString(16)}`;
}

/** Undefined where it cannot be read: then it is made again. The time stamp tells when it was last of use. */
function readUsed(path: string): Buffer | undefined {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).syscall === undefined) throw error;
    return undefined;
  }
  try {
    const now = new Date();
    utimesSync(path, now, now);
  } catch {
    // Somebody else's store, or one that may not be written: whoever builds in it notes its uses.
  }
  return bytes;
}

/** Not synced: after a power cut the checksum tells. */
function replace(path: string, content: string | Uint8Array): void {
  const temporary = `${path}.${process.pid}.new`;
  try {
    writeFileSync(temporary, content);
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}
