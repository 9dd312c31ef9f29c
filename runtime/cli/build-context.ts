// What plan and build need, out of settings and flags.

import type { BuildContext } from "../build-context.ts";
import type { Flags } from "./command-line.ts";
import type { RecipePlace } from "./find-recipe.ts";
import type { Settings } from "./settings.ts";
import { VERSION } from "./version.ts";

export function buildContext(place: RecipePlace, settings: Settings, flags: Flags): BuildContext {
  const { threads, memory, chunk } = settings;
  return {
    store: settings.store,
    engine: { threads, memory, chunk },
    recipe: place.display,
    version: VERSION,
    noWait: flags.wait === false,
    adopt: flags.adopt ?? false,
    trustRemoteStat: flags.trustRemoteStat ?? false,
  };
}
