// `theta cache`: which store is meant, and what is to be done with it.

import { EXIT, Failure } from "../../failure.ts";
import { loadedAddon } from "../../build/session.ts";
import type { Bounds } from "../../store/choose-victims.ts";
import { storeFailure } from "../../store/store-failure.ts";
import { existingStore } from "../../store/store-paths.ts";
import type { CacheAction, Flags } from "../invocation.ts";
import { findRecipe } from "../find-recipe.ts";
import { loadSettings, type Settings } from "../settings.ts";
import { writeJson, writeMessage } from "../terminal.ts";
import { cacheGc, readBounds } from "./cache-gc.ts";
import { cacheStatus } from "./cache-status.ts";
import { cacheVerify } from "./cache-verify.ts";

const FLAGS_OF = {
  status: [],
  gc: ["maxSize", "maxAge", "dryRun"],
  verify: ["repair"],
} as const satisfies Record<CacheAction, readonly (keyof Flags)[]>;

export async function cache(
  action: CacheAction,
  path: string | undefined,
  flags: Flags,
  signal: AbortSignal,
): Promise<number> {
  refuseFlagsOfOthers(action, flags);
  const bounds = readBounds(flags);
  const settings = await loadSettings(flags, projectDirectory(path, flags));
  try {
    return await inStore(action, settings, bounds, flags, signal);
  } catch (error) {
    throw storeFailure(error, settings.store, "read");
  }
}

async function inStore(
  action: CacheAction,
  settings: Settings,
  bounds: Bounds,
  flags: Flags,
  signal: AbortSignal,
): Promise<number> {
  const paths = existingStore(settings.store);
  if (paths === undefined) {
    if (flags.json) writeJson({ schema: `theta.cache-${action}/1`, store: settings.store, exists: false });
    if (!flags.quiet) writeMessage(`There is no store at ${settings.store}; the first build makes it\n`);
    return EXIT.done;
  }
  const addon = loadedAddon();
  switch (action) {
    case "status":
      return cacheStatus(addon, paths, flags, signal);
    case "gc":
      return cacheGc(addon, paths, bounds, flags, signal);
    case "verify":
      return cacheVerify(addon, paths, settings, flags, signal);
  }
}

/** A store that is named outright needs no recipe beside it. */
function projectDirectory(path: string | undefined, flags: Flags): string {
  const named = flags.store !== undefined || Boolean(process.env["THETA_STORE"]);
  return path === undefined && named ? process.cwd() : findRecipe(path, process.cwd()).directory;
}

function refuseFlagsOfOthers(action: CacheAction, flags: Flags): void {
  for (const [other, names] of Object.entries(FLAGS_OF)) {
    const given = other === action ? undefined : names.find((name) => flags[name] !== undefined);
    if (given === undefined) continue;
    const flag = `--${given.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
    throw new Failure(EXIT.usage, `theta cache ${action} has no flag ${flag}`, {
      code: "usage",
      help: `${flag} goes with theta cache ${other}`,
    });
  }
}
