// Where a path leads when links are followed, also when its end is not there yet. Two paths are one place when the
// directories that they end in are one, whatever links, mounts or spellings lead there. It looks, and never fails:
// opening or making what lies there says what is wrong with it.

import { readlinkSync, realpathSync, statSync } from "node:fs";
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
export function resolveLinks(path: string, links = 0): string {
  try {
    return realpathSync.native(path);
  } catch {
    // Missing, or not for us to look at: what is above it decides, and whoever opens it says what is wrong.
    const parent = dirname(path);
    if (parent === path) return path;
    const directory = resolveLinks(parent, links);
    const name = join(directory, basename(path));
    const target = links < MOST_LINKS ? linkTarget(name) : undefined;
    return target === undefined ? name : resolveLinks(resolve(directory, target), links + 1);
  }
}

function linkTarget(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}

export function realPlace(path: string): RealPlace {
  const real = resolveLinks(path);
  const above: string[] = [];
  for (let at = real, up = dirname(at); up !== at; at = up, up = dirname(at)) above.push(idOf(up));
  return { path: real, id: idOf(real), above };
}

/** The directory itself where it exists, else the nearest one that does, and the rest of the way. */
function idOf(path: string): string {
  try {
    const { dev, ino } = statSync(path, { bigint: true });
    return `${dev}:${ino}`;
  } catch {
    // Missing, a loop of links, or not for us to look at: what is above it decides here, too.
  }
  const parent = dirname(path);
  return parent === path ? path : `${idOf(parent)}/${basename(path)}`;
}
