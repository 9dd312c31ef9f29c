// The index as it lies there, for who compares it with the sidecars: reading it repairs nothing.

import { existsSync } from "node:fs";
import { textOf } from "./hex-text.ts";

/** Digest of a shard → action key → weak key. */
export type ActionsByShard = ReadonlyMap<string, ReadonlyMap<string, string>>;

export type IndexContent =
  | { readonly state: "missing" }
  | { readonly state: "damaged"; readonly why: string }
  | { readonly state: "readable"; readonly shards: ActionsByShard };

export async function readIndexContent(path: string): Promise<IndexContent> {
  if (!existsSync(path)) return { state: "missing" };
  const { default: Sqlite } = await import("libsql");
  try {
    const db = new Sqlite(path);
    try {
      db.exec("PRAGMA busy_timeout = 20000");
      const checked = db.prepare("PRAGMA integrity_check(1)").get() as { readonly integrity_check: string };
      if (checked.integrity_check !== "ok") return { state: "damaged", why: checked.integrity_check };
      const shards = new Map<string, Map<string, string>>();
      for (const { digest } of db.prepare("SELECT hex(digest) AS digest FROM shard").all() as { digest: string }[]) {
        shards.set(textOf(digest), new Map());
      }
      const actions = db
        .prepare(
          "SELECT hex(digest) AS digest, hex(key) AS key, hex(weak) AS weak FROM action JOIN shard ON shard.id = action.shard",
        )
        .all() as { digest: string; key: string; weak: string }[];
      for (const { digest, key, weak } of actions) shards.get(textOf(digest))?.set(textOf(key), textOf(weak));
      return { state: "readable", shards };
    } finally {
      db.close();
    }
  } catch (error) {
    return { state: "damaged", why: (error as Error).message };
  }
}

/**
 * Digests of the shards of which the index says something else than their sidecars, which are the truth. Not of those that
 * only one side knows, as a crash leaves them: whoever opens the store next brings them in line.
 */
export function disagreements(index: ActionsByShard, sidecars: ActionsByShard): readonly string[] {
  const both = [...index.keys()].filter((digest) => sidecars.has(digest));
  return both.filter((digest) => !equal(index.get(digest)!, sidecars.get(digest)!)).sort();
}

function equal(a: ReadonlyMap<string, string>, b: ReadonlyMap<string, string>): boolean {
  return a.size === b.size && [...a].every(([key, weak]) => b.get(key) === weak);
}
