// What `theta cache verify` can find wrong, and what dropping it takes. A sentence each is made here, so that all of them
// can be read in one place.

export type FindingCode =
  | "sidecar-missing"
  | "sidecar-damaged"
  | "shard-missing"
  | "shard-changed"
  | "shard-damaged"
  | "shard-unreadable"
  | "index-damaged"
  | "index-disagrees"
  | "record-damaged"
  | "output-missing-file"
  | "output-damaged"
  | "output-edited";

/** What must go so that the next build makes it again, or be written anew. */
export type Drop =
  | { readonly kind: "shard"; readonly digest: string }
  /** What its sidecar says of the file's identity; the bytes are right. */
  | { readonly kind: "stamp"; readonly digest: string; readonly stamp: string }
  | { readonly kind: "index" }
  /** The index's entries of these shards. */
  | { readonly kind: "entries"; readonly digests: readonly string[] }
  /** A file of the store that says nothing any more. */
  | { readonly kind: "file"; readonly path: string }
  /** What the record of an output says of one of its files. */
  | { readonly kind: "published"; readonly output: string; readonly name: string }
  /** The next build sees it by itself. */
  | { readonly kind: "nothing" };

export interface Finding {
  readonly code: FindingCode;
  /** Of the file that is wrong. */
  readonly path: string;
  /** A sentence: what is wrong with it. */
  readonly message: string;
  /** Names of the tensors whose bytes are wrong. */
  readonly tensors: readonly string[];
  readonly drop: Drop;
}

/** Where a checkpoint's file and its record differ. */
export type Fault =
  | { readonly kind: "unreadable"; readonly why: string }
  | { readonly kind: "size"; readonly is: number; readonly should: number }
  | { readonly kind: "header" }
  | { readonly kind: "payload"; readonly tensors: readonly string[] };

export function describeFault(fault: Fault): string {
  switch (fault.kind) {
    case "unreadable":
      return `cannot be read: ${fault.why}`;
    case "size":
      return fault.is < fault.should
        ? `is cut off: ${fault.is} of ${fault.should} bytes are left`
        : `has ${fault.is} bytes instead of ${fault.should}`;
    case "header":
      return "has another header than theta wrote";
    case "payload": {
      const [first = "", ...more] = fault.tensors;
      const others = more.length === 0 ? "" : ` and of ${more.length} more`;
      return `does not hold what its record says: the bytes of ${first}${others} have another digest`;
    }
  }
}
