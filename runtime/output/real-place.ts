// Where a path leads when links are followed, also when its end is not there yet. Two paths are one place when the
// directories that they end in are one, whatever links, mounts or spellings lead there. It looks, and never fails:
// opening or making what lies there says what is wrong with it.

import { existsSync, lstatSync, readlinkSync, realpathSync, statSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";

export interface RealPlace {
  /** Absolute, without links. */
  readonly path: string;
  /** Equal for equal places. */
  readonly id: string;
  /** Of the directories it lies in, the nearest first. */
  readonly above: readonly string[];
}

/** As in the kernel. */
const MOST_LINKS = 40;

/** Absolute path → the same without links, also those that lead nowhere yet; what does not exist is kept as it stands. */
export function resolveLinks(path: string): string {
  return new PlaceFinder().resolve(path);
}

/** Looks at every directory once, so that ten thousand outputs in one cost one look each. */
export class PlaceFinder {
  readonly #resolved = new Map<string, string>();
  readonly #ids = new Map<string, string>();

  resolve(path: string, links = 0): string {
    const parent = dirname(path);
    if (parent === path) return path;
    let directory = this.#resolved.get(parent);
    if (directory === undefined) this.#resolved.set(parent, (directory = this.resolve(parent, links)));
    const at = join(directory, basename(path));
    const target = linkTarget(at);
    // Whoever opens it says what is wrong with a ring of links.
    return target === undefined || links === MOST_LINKS ? at : this.resolve(resolve(directory, target), links + 1);
  }

  find(path: string): RealPlace {
    const real = this.resolve(path);
    const above: string[] = [];
    for (let at = real, up = dirname(at); up !== at; at = up, up = dirname(at)) above.push(this.#id(up));
    return { path: real, id: idOf(real) ?? `${above[0]}/${basename(real)}`, above };
  }

  #id(directory: string): string {
    let id = this.#ids.get(directory);
    if (id === undefined) {
      const parent = dirname(directory);
      id = idOf(directory) ?? (parent === directory ? directory : `${this.#id(parent)}/${basename(directory)}`);
      this.#ids.set(directory, id);
    }
    return id;
  }
}

/** Where a link leads; a way through other links is followed as far as there is one. */
function linkTarget(path: string): string | undefined {
  try {
    if (lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() !== true) return undefined;
    return existsSync(path) ? realpathSync.native(path) : readlinkSync(path);
  } catch {
    // Not for us to look at.
    return undefined;
  }
}

/** Of what exists: its device and inode. */
function idOf(path: string): string | undefined {
  try {
    const stat = statSync(path, { bigint: true, throwIfNoEntry: false });
    return stat && `${stat.dev}:${stat.ino}`;
  } catch {
    return undefined;
  }
}
