// The index over a store: which shard holds the result of an action, and digests of inputs by file identity. Derived
// but for the latter; a damaged one is thrown away. Statements take and give whole lists, so ten thousand actions cost
// one of each.

import { rmSync } from "node:fs";
import type Database from "libsql";
import type { ShardRecord } from "./shard-record.ts";

const SCHEMA_VERSION = 1;
const SCHEMA = `
  CREATE TABLE IF NOT EXISTS shard (id INTEGER PRIMARY KEY, digest TEXT NOT NULL UNIQUE);
  CREATE TABLE IF NOT EXISTS action (key TEXT NOT NULL, shard INTEGER NOT NULL, weak TEXT NOT NULL,
    PRIMARY KEY (key, shard)) WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS action_weak ON action (weak);
  CREATE INDEX IF NOT EXISTS action_shard ON action (shard);
  CREATE TABLE IF NOT EXISTS input (file TEXT PRIMARY KEY, stamp TEXT NOT NULL, digests TEXT NOT NULL) WITHOUT ROWID;
`;

export interface InputRow {
  /** `<device>:<inode>`. */
  readonly file: string;
  /** Input stamp: device, inode, size, mtime, ctime. */
  readonly stamp: string;
  /** `encodeChecked`: `<offset>:<bytes>` to payload digest. */
  readonly digests: string;
}

/** The file holds something else than an index: it is to be thrown away, and the sidecars restore it. */
export class IndexDamaged extends Error {
  constructor(why: string, cause?: unknown) {
    super(`the index is damaged: ${why}`, { cause });
    this.name = "IndexDamaged";
  }
}

/** Every method may throw IndexDamaged. */
export class IndexDatabase {
  readonly #db: Database.Database;
  #written = false;

  /** `shared`: no host but this one can see the file, so SQLite may keep its log in shared memory. */
  static async open(path: string, shared: boolean): Promise<IndexDatabase> {
    // Loaded when a store is opened: `theta check` does without.
    const { default: Sqlite } = await import("libsql");
    const read = (): IndexDatabase => asking(() => new IndexDatabase(new Sqlite(path), shared));
    try {
      return read();
    } catch (error) {
      if (!(error instanceof IndexDamaged)) throw error;
      removeIndex(path);
      return read();
    }
  }

  private constructor(db: Database.Database, shared: boolean) {
    this.#db = db;
    db.exec("PRAGMA busy_timeout = 20000");
    db.exec(`PRAGMA journal_mode = ${shared ? "WAL" : "DELETE"}`);
    // A power cut may lose the last entries, never the file; in a rollback journal only FULL promises that.
    db.exec(`PRAGMA synchronous = ${shared ? "NORMAL" : "FULL"}`);
    const { user_version: version } = db.prepare("PRAGMA user_version").get() as { user_version: number };
    if (version !== 0 && version !== SCHEMA_VERSION) {
      db.close();
      throw new IndexDamaged(`it has version ${version}`);
    }
    if (version === 0) db.exec(`${SCHEMA} PRAGMA user_version = ${SCHEMA_VERSION};`);
  }

  shardDigests(): readonly string[] {
    return asking(() => hexStrings(this.#db.prepare("SELECT json_group_array(hex(digest)) AS json FROM shard").get()));
  }

  addShard(record: ShardRecord): void {
    this.#write(() => {
      this.#db.prepare("INSERT OR IGNORE INTO shard (digest) VALUES (?)").run(record.digest);
      this.#db
        .prepare(
          `INSERT OR REPLACE INTO action (key, shard, weak)
           SELECT json_extract(value, '$[0]'), (SELECT id FROM shard WHERE digest = ?), json_extract(value, '$[1]')
           FROM json_each(?)`,
        )
        .run(record.digest, JSON.stringify([...record.tensors, ...record.more].map(({ key, weak }) => [key, weak])));
    });
  }

  dropShard(digest: string): void {
    this.#write(() => {
      this.#db.prepare("DELETE FROM action WHERE shard = (SELECT id FROM shard WHERE digest = ?)").run(digest);
      this.#db.prepare("DELETE FROM shard WHERE digest = ?").run(digest);
    });
  }

  /** Action key → digests of the shards that hold its result, newest first. */
  shardsOf(keys: readonly string[]): ReadonlyMap<string, readonly string[]> {
    const found = new Map<string, string[]>();
    const query = `SELECT hex(action.key) AS key, hex(shard.digest) AS digest FROM action JOIN shard ON shard.id = action.shard
                   WHERE action.key IN (SELECT value FROM json_each(?)) ORDER BY shard.id DESC`;
    const rows = asking(() => this.#db.prepare(query).all(JSON.stringify(keys)) as { key: string; digest: string }[]);
    for (const row of rows) {
      const [key, digest] = [textOf(row.key), textOf(row.digest)];
      const digests = found.get(key);
      if (digests === undefined) found.set(key, [digest]);
      else digests.push(digest);
    }
    return found;
  }

  /** Those weak keys that some record has. */
  knownWeak(weak: readonly string[]): ReadonlySet<string> {
    const query = `SELECT json_group_array(value) AS json FROM json_each(?)
                   WHERE EXISTS (SELECT 1 FROM action WHERE action.weak = value)`;
    return new Set(asking(() => strings(this.#db.prepare(query).get(JSON.stringify(weak)))));
  }

  inputs(files: readonly string[]): readonly InputRow[] {
    const query =
      "SELECT hex(file) AS file, hex(stamp) AS stamp, hex(digests) AS digests FROM input WHERE file IN (SELECT value FROM json_each(?))";
    const rows = asking(() => this.#db.prepare(query).all(JSON.stringify(files)) as InputRow[]);
    return rows.map(({ file, stamp, digests }) => ({
      file: textOf(file),
      stamp: textOf(stamp),
      digests: textOf(digests),
    }));
  }

  saveInputs(rows: readonly InputRow[]): void {
    this.#write(() => {
      const statement = this.#db.prepare("INSERT OR REPLACE INTO input (file, stamp, digests) VALUES (?, ?, ?)");
      for (const row of rows) statement.run(row.file, row.stamp, row.digests);
    });
  }

  close(): void {
    if (this.#written) this.#emptyLog();
    this.#db.close();
  }

  /** Every open reads the whole log, so a short one is worth a write. */
  #emptyLog(): void {
    try {
      this.#db.exec("PRAGMA busy_timeout = 0; PRAGMA wal_checkpoint(TRUNCATE)");
    } catch {
      // Another process uses it, or the disk is full: what is in the log counts as much as what is in the file.
    }
  }

  #write(change: () => void): void {
    this.#written = true;
    // Immediate: a reader that turns writer may not wait for another writer, it fails at once.
    asking(() => this.#db.transaction(change).immediate());
  }
}

/** What SQLite says when it could not do its work, as opposed to when the file is not what it should be. */
const NOT_DAMAGE = /^SQLITE_(BUSY|LOCKED|FULL|IOERR|READONLY|CANTOPEN|NOMEM|PERM|AUTH|INTERRUPT|PROTOCOL)/;

function asking<T>(query: () => T): T {
  try {
    return query();
  } catch (error) {
    if (error instanceof IndexDamaged) throw error;
    const { code, message, name } = error as Error & { readonly code?: string };
    if (name !== "SqliteError" || NOT_DAMAGE.test(code ?? "")) throw error;
    throw new IndexDamaged(message, error);
  }
}

export function removeIndex(path: string): void {
  for (const file of [path, `${path}-wal`, `${path}-shm`, `${path}-journal`]) rmSync(file, { force: true });
}

/** What a query gives as hex(…): libsql ends the process over text that is not UTF-8, which damage makes. */
export function textOf(hex: string): string {
  return Buffer.from(hex, "hex").toString("utf8");
}

function hexStrings(row: unknown): readonly string[] {
  return strings(row).map(textOf);
}

function strings(row: unknown): readonly string[] {
  return JSON.parse((row as { json: string }).json) as string[];
}
