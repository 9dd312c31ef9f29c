// What plan and build need, out of settings and flags.

import { basename } from "node:path";
import type { BuildContext } from "../build-context.ts";
import type { Flags } from "./command-line.ts";
import type { LoadedRecipe } from "./load-recipe.ts";
import type { Settings } from "./settings.ts";
import { VERSION } from "./version.ts";

export function makeBuildContext(
  { file, opened, graph }: LoadedRecipe,
  settings: Settings,
  flags: Flags,
): BuildContext {
  const { threads, memory, chunk } = settings;
  return {
    opened,
    store: settings.store,
    engine: { threads, memory, chunk },
    // Not the path: a record must not depend on the directory that theta was started in.
    recipe: basename(file.path),
    parameters: graph?.parameters ?? new Map(),
    version: VERSION,
    noWait: flags.wait === false,
    force: flags.force ?? false,
    keepGoing: flags.keepGoing ?? false,
    adopt: flags.adopt ?? false,
    trustRemoteStat: flags.trustRemoteStat ?? false,
  };
}
