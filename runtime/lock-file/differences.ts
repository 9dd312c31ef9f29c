// What of a recipe's inputs is not as a lock file says, in sentences. Compares what is known: a payload without a digest
// is left to whoever reads it.

import type { TensorInfo } from "../../compiler/checkpoint.ts";
import { shapeText } from "../checkpoint/problem.ts";
import type { LockedTensor, LockFile } from "./lock-file.ts";
import type { RecipeInputs, RecipeSource } from "./recipe-inputs.ts";

export interface Difference {
  /** "models/maths (maths): config.json changed" */
  readonly message: string;
  /** What the lock file has, and what is there now. */
  readonly digests?: { readonly locked: string; readonly now: string };
}

type DigestOf = (tensor: TensorInfo) => string | undefined;

/** In the order of the lock file; `digestOf` gives payload digests that are known. */
export function differences(lock: LockFile, now: RecipeInputs, digestOf: DigestOf): readonly Difference[] {
  const lists = differentLists(lock.lists, now.lists);
  // A list's members are sources, too; what was said of them once is enough.
  const explained = new Set(lists.flatMap(({ member }) => member ?? []));
  const sources: Difference[] = [];
  for (const path of unionOf(lock.sources, now.sources)) {
    const locked = lock.sources.get(path);
    const source = now.sources.get(path);
    if (locked !== undefined && source !== undefined) {
      const name = nameOf(path, source);
      if (locked.kind !== source.kind)
        sources.push({ message: `${name} is read as ${source.kind}, not as ${locked.kind}` });
      else if (source.content !== undefined) {
        const { files, tensors } = source.content;
        const digests = new Map([...files].map(([file, { digest }]) => [file, digest]));
        sources.push(...differentFiles(name, locked.files, digests));
        sources.push(...differentTensors(name, locked.tensors, tensors, digestOf));
      }
    } else if (!explained.has(path)) {
      const message =
        source === undefined ? `${path} is gone: the recipe does not read it` : `${nameOf(path, source)} is new`;
      sources.push({ message });
    }
  }
  return [...lists, ...sources];
}

/** "models/maths (maths)" */
export function nameOf(path: string, { names }: RecipeSource): string {
  return `${path} (${names.join(", ")})`;
}

/** "models/maths (maths): lm_head.weight changed" */
export function otherContent(name: string, tensor: TensorInfo, locked: LockedTensor, now: string): Difference {
  const file = tensor.file.slice(tensor.file.lastIndexOf("/") + 1);
  const message = `${name}: ${tensor.name} changed, in ${file}`;
  return { message, digests: { locked: locked.digest, now } };
}

function differentLists(
  locked: LockFile["lists"],
  now: RecipeInputs["lists"],
): readonly (Difference & { readonly member?: string })[] {
  return unionOf(locked, now).flatMap((name) => {
    const before = locked.get(name);
    const after = now.get(name);
    if (before === undefined) return [{ message: `the list ${name} is new` }];
    if (after === undefined) return [{ message: `the list ${name} is gone` }];
    const added = after.filter((member) => !before.includes(member));
    const removed = before.filter((member) => !after.includes(member));
    if (added.length + removed.length === 0 && !isSameOrder(before, after)) {
      return [{ message: `the list ${name} has its members in another order` }];
    }
    return [
      ...added.map((member) => ({ message: `${member} was added to the list ${name}`, member })),
      ...removed.map((member) => ({ message: `${member} was removed from the list ${name}`, member })),
    ];
  });
}

function isSameOrder(before: readonly string[], after: readonly string[]): boolean {
  return before.length === after.length && before.every((member, index) => member === after[index]);
}

function differentFiles(
  name: string,
  locked: ReadonlyMap<string, string>,
  now: ReadonlyMap<string, string>,
): readonly Difference[] {
  return unionOf(locked, now).flatMap((file): readonly Difference[] => {
    const before = locked.get(file);
    const after = now.get(file);
    if (before === after) return [];
    if (before === undefined) return [{ message: `${name}: ${file} is new` }];
    if (after === undefined) return [{ message: `${name}: ${file} is gone` }];
    return [{ message: `${name}: ${file} changed`, digests: { locked: before, now: after } }];
  });
}

function differentTensors(
  name: string,
  locked: ReadonlyMap<string, LockedTensor>,
  now: ReadonlyMap<string, TensorInfo>,
  digestOf: DigestOf,
): readonly Difference[] {
  return unionOf(locked, now).flatMap((tensor): readonly Difference[] => {
    const before = locked.get(tensor);
    const after = now.get(tensor);
    if (before === undefined) return [{ message: `${name}: ${tensor} is new` }];
    if (after === undefined) return [{ message: `${name}: ${tensor} is gone` }];
    const was = `${before.dtype} ${shapeText(before.shape)}`;
    const is = `${after.dtype} ${shapeText(after.shape)}`;
    if (was !== is) return [{ message: `${name}: ${tensor} is ${is}, not ${was}` }];
    const digest = digestOf(after);
    return digest === undefined || digest === before.digest ? [] : [otherContent(name, after, before, digest)];
  });
}

/** Names of the first, then those that only the second has. */
function unionOf(first: ReadonlyMap<string, unknown>, second: ReadonlyMap<string, unknown>): readonly string[] {
  return [...first.keys(), ...[...second.keys()].filter((name) => !first.has(name))];
}
