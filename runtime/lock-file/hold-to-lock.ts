// `--locked`: holds a build to its lock file. What headers, names and small files show is compared at once; a payload when
// its digest is known, which for one that is read is when its bytes have passed. So what is compared is what is used.

import { statSync } from "node:fs";
import type { TensorInfo } from "../../compiler/checkpoint.ts";
import { EXIT, Failure } from "../failure.ts";
import { type Difference, differences, nameOf, otherContent } from "./differences.ts";
import { type LockFile, type LockedTensor, readLockFile } from "./lock-file.ts";
import type { RecipeInputs } from "./recipe-inputs.ts";

export interface LockedInputs {
  /** Throws a Failure (66) that names those whose digest is known and not the locked one. */
  checkKnown(tensors: Iterable<TensorInfo>, digestOf: (tensor: TensorInfo) => string | undefined): void;
  /** Throws a Failure (66) when the file, absolute, has other content, or none that is locked. */
  checkFile(path: string, digest: string): void;
  /** What the content of a file must be, `sha256:<hex>`; throws a Failure (66) for one that is not locked. */
  fileDigest(path: string): string;
  /** Throws a Failure (66) when a locked file of the directory, absolute, is not there any more. */
  checkComplete(directory: string): void;
}

/** `display`: as messages call the lock file. Throws a Failure (66): there is none, it is damaged, or does not hold. */
export function holdToLock(path: string, display: string, now: RecipeInputs): LockedInputs {
  const lock = readLockFile({ path, display });
  if (lock === undefined) {
    const help = "write it with theta lock, or build without --locked";
    throw new Failure(EXIT.input, `there is no ${display} to hold to`, { code: "lock-file-missing", help });
  }
  const refuse = (found: readonly Difference[]): void => {
    if (found.length > 0) throw mismatch(display, found);
  };
  refuse(differences(lock, now, () => undefined));
  const tensors = lockedTensors(lock, now);
  const files = new Map(
    [...now.sources.values()]
      .flatMap(({ content }) => [...(content?.files.values() ?? [])])
      .map((file) => [file.path, file.digest]),
  );
  const fileDigest = (file: string): string => {
    const digest = files.get(file);
    if (digest === undefined) throw mismatch(display, [{ message: `${file} is new` }]);
    return digest;
  };
  return {
    checkKnown(used, digestOf) {
      const found = new Map<string, Difference>();
      for (const tensor of used) {
        const locked = tensors.get(placeOf(tensor));
        const digest = digestOf(tensor);
        if (locked === undefined || digest === undefined || digest === locked.tensor.digest) continue;
        found.set(placeOf(tensor), otherContent(locked.name, tensor, locked.tensor, digest));
      }
      refuse([...found.values()]);
    },
    checkFile(file, digest) {
      const locked = fileDigest(file);
      if (digest !== locked) refuse([{ message: `${file} changed`, digests: { locked, now: digest } }]);
    },
    fileDigest,
    checkComplete(directory) {
      const own = [...files.keys()].filter((file) => file.startsWith(`${directory}/`));
      const gone = own.filter((file) => statSync(file, { throwIfNoEntry: false })?.isFile() !== true);
      refuse(gone.map((file) => ({ message: `${file} is gone` })));
    },
  };
}

/** So many differences stand in one message. */
const MOST_SHOWN = 20;

/** What `--locked` and `theta lock --check` end with. */
export function mismatch(display: string, found: readonly Difference[]): Failure {
  const facts = found
    .slice(0, MOST_SHOWN)
    .flatMap(({ message, digests }) => [
      message,
      ...(digests === undefined
        ? []
        : [`  ${display}  ${digests.locked}`, `  ${"now".padEnd(display.length)}  ${digests.now}`]),
    ]);
  if (found.length > MOST_SHOWN) facts.push(`and ${found.length - MOST_SHOWN} more`);
  const help = "if the change is meant, write it down with theta lock; else restore the input";
  return new Failure(EXIT.input, `the inputs are not those of ${display}`, { code: "lock-mismatch", facts, help });
}

interface Locked {
  /** Of the source, for people. */
  readonly name: string;
  readonly tensor: LockedTensor;
}

/** By the tensor's place, under whatever name it is read. */
function lockedTensors(lock: LockFile, now: RecipeInputs): ReadonlyMap<string, Locked> {
  const locked = new Map<string, Locked>();
  for (const [path, source] of now.sources) {
    for (const [tensorName, tensor] of source.content?.tensors ?? []) {
      const known = lock.sources.get(path)!.tensors.get(tensorName)!;
      locked.set(placeOf(tensor), { name: nameOf(path, source), tensor: known });
    }
  }
  return locked;
}

function placeOf({ file, offset, bytes }: TensorInfo): string {
  return `${file}\0${offset}:${bytes}`;
}
