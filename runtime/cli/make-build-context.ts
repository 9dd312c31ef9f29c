// What plan and build need, out of settings and flags.

import { basename } from "node:path";
import type { BuildContext } from "../build-context.ts";
import { holdToLock, type LockedInputs } from "../lock-file/hold-to-lock.ts";
import { lockFilePath } from "../lock-file/lock-file.ts";
import { recipeInputs } from "../lock-file/recipe-inputs.ts";
import type { Flags } from "./invocation.ts";
import type { LoadedRecipe } from "./load-recipe.ts";
import type { Settings } from "./settings.ts";
import { VERSION } from "./version.ts";

/** Throws a Failure (66) when --locked is given and does not hold. */
export function makeBuildContext(loaded: LoadedRecipe, settings: Settings, flags: Flags): BuildContext {
  const { file, digest, opened, graph } = loaded;
  const { threads, memory, chunk } = settings;
  return {
    opened,
    store: settings.store,
    engine: { threads, memory, chunk },
    // Not the path: a record must not depend on the directory that theta was started in.
    recipe: basename(file.path),
    recipeDigest: digest,
    parameters: graph?.parameters ?? new Map(),
    version: VERSION,
    noWait: flags.wait === false,
    force: flags.force ?? false,
    keepGoing: flags.keepGoing ?? false,
    adopt: flags.adopt ?? false,
    trustRemoteStat: flags.trustRemoteStat ?? false,
    ...(flags.locked && { locked: lockedInputs(loaded) }),
  };
}

/** What the recipe's lock file holds the inputs to; throws a Failure (66) for what can be seen without a payload. */
export function lockedInputs({ file, read }: LoadedRecipe): LockedInputs {
  if (read === undefined) throw new Error("only what was read can be compared with a lock file");
  return holdToLock(lockFilePath(file.path), lockFilePath(file.display), recipeInputs(read));
}
