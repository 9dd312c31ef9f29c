// What a build and a plan need beside the tensor graph. Made once, by the command.

import type { EngineOptions } from "../native/addon-types.ts";
import type { FileIdentity } from "./checkpoint/source-file.ts";
import type { LockedInputs } from "./lock-file/hold-to-lock.ts";

export interface BuildContext {
  /** Every file whose header was read for the tensor graph, as it was then: the reader's `OpenedFiles`. */
  readonly opened: ReadonlyMap<string, FileIdentity>;
  /** Absolute path of the store, `.theta` beside the root recipe unless set. */
  readonly store: string;
  readonly engine: EngineOptions;
  /** The recipe's file name, for records and the model card. */
  readonly recipe: string;
  /** SHA-256 of its bytes, `sha256:<hex>`, for records. */
  readonly recipeDigest: string;
  /** Effective values of the recipe's parameters, for records. */
  readonly parameters: ReadonlyMap<string, unknown>;
  /** Version of theta, for records and the model card; enters no key. */
  readonly version: string;
  /** Exit 75 instead of waiting for another build of the same output. */
  readonly noWait: boolean;
  /** Run also what is stored, and compare. */
  readonly force: boolean;
  /** A failure costs the outputs that it concerns, not the others. */
  readonly keepGoing: boolean;
  /** Take over an output directory that theta did not write; its files stay. */
  readonly adopt: boolean;
  /** Believe the time stamps of tmpfs, NFS, SMB, FUSE and 9p. */
  readonly trustRemoteStat: boolean;
  /** What the inputs must be, under `--locked`. */
  readonly locked?: LockedInputs;
}
