// What lies in a folder of a store.

import { readdirSync } from "node:fs";

/** None where there is no such folder: the store was never made, or by an earlier theta that had no use for it. */
export function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}
