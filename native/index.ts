// Finds and loads theta.node. Knows nothing of recipes.

import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import type { Addon } from "./addon-types.ts";

/**
 * Where theta.node may lie, seen from this module: beside the bundle (dist/), or where the build leaves it, which is
 * the same way up from dist/ as from native/.
 */
const PLACES = ["./theta.node", "../build/Release/theta.node"];

/**
 * Loads the addon. Throws an Error with `code` "addon-missing" when it was not built or cannot be loaded here, and
 * "usage" when THETA_ISA names an instruction set that it or this CPU does not have.
 */
export function loadAddon(): Addon {
  const path = PLACES.map((place) => fileURLToPath(new URL(place, import.meta.url))).find((place) => existsSync(place));
  if (path === undefined) throw addonMissing("theta.node, the native part of theta, has not been built");
  const addon = load(path);
  addon.variant();
  return addon;
}

function load(path: string): Addon {
  try {
    return createRequire(import.meta.url)(path) as Addon;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw addonMissing(`${path} was built for another system and cannot be loaded here (${reason})`);
  }
}

function addonMissing(problem: string): Error {
  const build = fileURLToPath(new URL("../native/build.mjs", import.meta.url));
  return Object.assign(new Error(`${problem}; build it: node ${JSON.stringify(build)}`), { code: "addon-missing" });
}
