// A recipe's text to its graphs through the command line's own loader, over checkpoints that lie in a directory.

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { loadRecipe, type LoadedRecipe } from "../../runtime/cli/load-recipe.ts";

/** Writes `merge.theta` into the directory, which is absolute. */
export function loadText(directory: string, text: string, store = ".theta"): LoadedRecipe {
  const path = join(directory, "merge.theta");
  writeFileSync(path, text);
  return loadRecipe({ path, directory, display: "merge.theta" }, { param: [], only: [] }, join(directory, store));
}
