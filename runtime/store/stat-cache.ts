// Digests of input tensors by the identity of the file that holds them, so that an unchanged file is never read again.

import { decodeChecked, encodeChecked } from "./checked-json.ts";
import type { FileIdentity } from "../checkpoint/source-file.ts";
import { inputStamp } from "./file-identity.ts";
import type { IndexDatabase, InputRow } from "./index-database.ts";

/** A payload's place in its file. */
export type Place = `${number}:${number}`;

export function placeOf(tensor: { readonly offset: number; readonly bytes: number }): Place {
  return `${tensor.offset}:${tensor.bytes}`;
}

/** Where digests of inputs are remembered. */
export type DigestCache = Pick<StatCache, "load" | "save">;

export class StatCache {
  readonly #index: IndexDatabase;

  constructor(index: IndexDatabase) {
    this.#index = index;
  }

  /** What is known of each file as it is now; an entry for each that is given. */
  load(files: readonly FileIdentity[]): readonly Map<Place, string>[] {
    const rows = new Map(this.#index.inputs(files.map(rowName)).map((row) => [row.file, row]));
    return files.map((file) => {
      const row = rows.get(rowName(file));
      return row === undefined ? new Map<Place, string>() : digestsOf(row, inputStamp(file));
    });
  }

  /** Replaces what is known of these files. The caller vouches that the digests are of the files in that state. */
  save(files: readonly { readonly file: FileIdentity; readonly digests: ReadonlyMap<Place, string> }[]): void {
    const rows = files.map(({ file, digests }): InputRow => ({
      file: rowName(file),
      stamp: inputStamp(file),
      // A false one would be a wrong key: no byte of it may change unseen, nor may a row have those of another.
      digests: encodeChecked([inputStamp(file), Object.fromEntries(digests)]),
    }));
    this.#index.saveInputs(rows);
  }
}

function digestsOf(row: InputRow, stamp: string): Map<Place, string> {
  if (row.stamp !== stamp) return new Map();
  const content = decodeChecked(row.digests);
  if (!Array.isArray(content) || content[0] !== stamp) return new Map();
  return new Map(Object.entries(content[1] as Record<Place, string>) as [Place, string][]);
}

function rowName(file: FileIdentity): string {
  return `${file.device}:${file.inode}`;
}
