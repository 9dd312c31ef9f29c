// What the system or SQLite says of a store, in the words and exit codes of theta.

import { EXIT, Failure } from "../failure.ts";
import { systemErrorName, systemErrorText } from "../system-error.ts";
import { tooManyFiles } from "../too-many-files.ts";
import { diskFullDuringWork } from "./disk-space.ts";

const ELSEWHERE = "choose another place with --store or THETA_STORE";

/** Something of another kind lies where the store has a file or a folder. */
const IN_THE_WAY = new Set(["ENOTDIR", "EISDIR", "EEXIST"]);
const MADE_AGAIN =
  "something else lies in its place: delete the store, all of which can be built again, or name another with --store";

/** Returns what it does not know, and what is about a file outside the store, as it is. */
export function storeFailure(error: unknown, root: string, doing: "read" | "written"): unknown {
  if (!(error instanceof Error) || error instanceof Failure) return error;
  const { path } = error as NodeJS.ErrnoException;
  const code = systemErrorName(error) ?? sqliteCode(error);
  if (code === undefined || (path !== undefined && !path.startsWith(root))) return error;
  switch (code.replace(/^(SQLITE_(BUSY|LOCKED))_.*/, "$1")) {
    case "ENOSPC":
    case "EDQUOT":
    case "SQLITE_FULL":
    // SQLite's shared memory has no words for a full disk.
    case "SQLITE_IOERR_SHMSIZE":
      return diskFullDuringWork(root, error);
    case "EMFILE":
    case "ENFILE":
      return tooManyFiles(`the store ${root}`, error);
    case "SQLITE_BUSY":
    case "SQLITE_LOCKED": {
      const help = "see who holds index.sqlite open, and end it";
      return new Failure(
        EXIT.locked,
        `the index of the store ${root} is locked by another process`,
        { code: "index-locked", help },
        error,
      );
    }
    default: {
      return new Failure(
        EXIT.output,
        `the store ${root} cannot be ${doing}: ${systemErrorText(error)}`,
        {
          code: doing === "read" ? "store-not-readable" : "store-not-writable",
          help: IN_THE_WAY.has(code) ? MADE_AGAIN : ELSEWHERE,
        },
        error,
      );
    }
  }
}

function sqliteCode({ code }: NodeJS.ErrnoException): string | undefined {
  // That of an AbortError is a number.
  return typeof code === "string" && /^SQLITE_[A-Z_]+$/.test(code) ? code : undefined;
}
