// The index over a store: which shard holds the result of an action, digests of inputs by file identity, and what gates
// measured. Only the first is derived; the others cost a reading when they are lost, so a damaged one is thrown away.
// Statements take and give whole lists, so ten thousand actions cost one of each.

import { copyFileSync, existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type Database from "libsql";
import { EXIT, Failure } from "../failure.ts";
import { systemErrorText } from "../system-error.ts";
import { needDescriptors } from "../too-many-files.ts";
import type { ShardRecord } from "./shard-record.ts";

const SCHEMA_VERSION = 2;
const SCHEMA = `
  CREATE TABLE IF NOT EXISTS shard (id INTEGER PRIMARY KEY, digest TEXT NOT NULL UNIQUE);
  CREATE TABLE IF NOT EXISTS action (key TEXT NOT NULL, shard INTEGER NOT NULL, weak TEXT NOT NULL,
    PRIMARY KEY (key, shard)) WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS action_weak ON action (weak);
  CREATE INDEX IF NOT EXISTS action_shard ON action (shard);
  CREATE TABLE IF NOT EXISTS input (file TEXT PRIMARY KEY, stamp TEXT NOT NULL, digests TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS measurement (id INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL UNIQUE, content TEXT NOT NULL);
`;

const FORGET_ACTIONS = "DELETE FROM action WHERE shard = (SELECT id FROM shard WHERE digest = ?)";

/** What gates measured is kept of so many tensors and pairs, the latest. */
const MOST_MEASUREMENTS = 200_000;

export interface InputRow {
  /** `<device>:<inode>`. */
  readonly file: string;
  /** Input stamp: device, inode, size, mtime, ctime. */
  readonly stamp: string;
  /** See StatCache. */
  readonly digests: string;
}

export interface MeasurementRow {
  readonly key: string;
  /** See MeasurementCache. */
  readonly content: string;
}

/** The file holds something else than an index: it is to be thrown away, and the sidecars restore it. */
export class IndexDamaged extends Error {
  constructor(why: string, cause?: unknown) {
    super(`the index is damaged: ${why}`, { cause });
    this.name = "IndexDamaged";
  }
}

/** For so long a statement waits for another process; nothing else of this one moves meanwhile. */
const BUSY_MS = 50;
/** Where nobody tries again: the last write, and any reading where SQLite has no log that readers and writers share. */
const LAST_BUSY_MS = 1000;
/** A writer needs milliseconds, on a slow network disk seconds. */
const PATIENCE_MS = 20_000;
const MOST_ATTEMPTS = 3;
/** What libsql's own machinery, the file, its logs and the folder take together, and some to spare. */
const DESCRIPTORS = 16;

/** Every method may throw IndexDamaged. */
export class IndexDatabase {
  readonly #db: Database.Database;
  /** Changes that did not come through yet, oldest first. */
  #pending: (() => void)[] = [];
  #written = false;
  /** Of a copy, to be deleted with it. */
  #folder: string | undefined;

  /**
   * `shared`: no host but this one can see the file, so SQLite may keep its log in shared memory. Makes a damaged one anew.
   * Throws what SQLite throws when another process holds it for long, or it cannot be made; AbortError when the signal
   * fired.
   */
  static async open(path: string, shared: boolean, signal?: AbortSignal): Promise<IndexDatabase> {
    needDescriptors(DESCRIPTORS, `the index ${path}`);
    // Loaded when a store is opened: `theta check` does without.
    const { default: Sqlite } = await import("libsql");
    const deadline = performance.now() + PATIENCE_MS;
    for (let damaged = 0; ;) {
      try {
        return asking(() => new IndexDatabase(connect(Sqlite, path), shared));
      } catch (error) {
        if (error instanceof IndexDamaged && ++damaged < MOST_ATTEMPTS) removeIndex(path);
        else if (isBusy(error) && performance.now() < deadline) await sleep(BUSY_MS, undefined, signal && { signal });
        else throw error;
      }
    }
  }

  /** A copy, which can be asked and changed without a trace beside the original; an empty one of none. */
  static async openCopy(path: string | undefined): Promise<IndexDatabase> {
    const folder = temporaryFolder();
    try {
      const copy = join(folder, "index.sqlite");
      for (const log of path === undefined ? [] : ["", "-wal"]) {
        if (existsSync(`${path}${log}`)) copyFileSync(`${path}${log}`, `${copy}${log}`);
      }
      // Torn, where another process wrote to it meanwhile, it is damaged like any other.
      const index = await IndexDatabase.open(copy, true);
      index.#folder = folder;
      return index;
    } catch (error) {
      rmSync(folder, { recursive: true });
      throw error;
    }
  }

  private constructor(db: Database.Database, shared: boolean) {
    this.#db = db;
    try {
      this.#prepare(shared);
    } catch (error) {
      db.close();
      throw error;
    }
  }

  #prepare(shared: boolean): void {
    const db = this.#db;
    db.exec(`PRAGMA busy_timeout = ${shared ? BUSY_MS : LAST_BUSY_MS}`);
    const { user_version: version } = db.prepare("PRAGMA user_version").get() as { user_version: number };
    if (version !== 0 && version !== SCHEMA_VERSION) throw new IndexDamaged(`it has version ${version}`);
    // What a power cut leaves of an empty index is made anew; waiting for the disk takes longer than all else at a first build's start.
    if (version === 0) db.exec("PRAGMA synchronous = OFF");
    db.exec(`PRAGMA journal_mode = ${shared ? "WAL" : "DELETE"}`);
    if (version === 0) db.exec(`${SCHEMA} PRAGMA user_version = ${SCHEMA_VERSION};`);
    // A power cut may lose the last entries, never the file; in a rollback journal only FULL promises that.
    db.exec(`PRAGMA synchronous = ${shared ? "NORMAL" : "FULL"}`);
  }

  shardDigests(): readonly string[] {
    return asking(() => hexStrings(this.#db.prepare("SELECT json_group_array(hex(digest)) AS json FROM shard").get()));
  }

  addShard(record: ShardRecord): void {
    this.#write(() => {
      this.#db.prepare("INSERT OR IGNORE INTO shard (digest) VALUES (?)").run(record.digest);
      // Of an id that was given before, when somebody deleted the shard's row alone.
      this.#db.prepare(FORGET_ACTIONS).run(record.digest);
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
      this.#db.prepare(FORGET_ACTIONS).run(digest);
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

  /** Digests of the shards that hold a result of an action with one of these weak keys. */
  shardsOfWeak(weak: readonly string[]): readonly string[] {
    const query = `SELECT json_group_array(hex(digest)) AS json FROM shard WHERE id IN
                   (SELECT shard FROM action WHERE weak IN (SELECT value FROM json_each(?)))`;
    return asking(() => hexStrings(this.#db.prepare(query).get(JSON.stringify(weak))));
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

  measurements(keys: readonly string[]): readonly MeasurementRow[] {
    const query = `SELECT json_group_array(json_array(hex(key), hex(content))) AS json FROM measurement
                   WHERE key IN (SELECT value FROM json_each(?))`;
    const row = asking(() => this.#db.prepare(query).get(JSON.stringify(keys))) as { readonly json: string };
    const rows = JSON.parse(row.json) as readonly (readonly [string, string])[];
    return rows.map(([key, content]) => ({ key: textOf(key), content: textOf(content) }));
  }

  saveMeasurements(rows: readonly MeasurementRow[]): void {
    this.#write(() => {
      this.#db
        .prepare(
          `INSERT OR REPLACE INTO measurement (key, content)
           SELECT json_extract(value, '$.key'), json_extract(value, '$.content') FROM json_each(?)`,
        )
        .run(JSON.stringify(rows));
      this.#db
        .prepare("DELETE FROM measurement WHERE id <= (SELECT max(id) FROM measurement) - ?")
        .run(MOST_MEASUREMENTS);
    });
  }

  /** Once more tries what did not come through; what then does not, the sidecars restore, or it is hashed again. */
  close(): void {
    try {
      if (this.#pending.length > 0) {
        this.#db.exec(`PRAGMA busy_timeout = ${LAST_BUSY_MS}`);
        this.#flush();
      }
      if (this.#written) this.#emptyLog();
    } finally {
      this.#db.close();
      if (this.#folder !== undefined) rmSync(this.#folder, { recursive: true });
    }
  }

  /** Every open reads the whole log, so a short one is worth a write. */
  #emptyLog(): void {
    try {
      this.#db.exec("PRAGMA busy_timeout = 0; PRAGMA wal_checkpoint(TRUNCATE)");
    } catch {
      // Another process uses it, or the disk is full: what is in the log counts as much as what is in the file.
    }
  }

  /** A change that another process or a full disk holds up waits for the next one: no build fails, or stands still, for it. */
  #write(change: () => void): void {
    this.#pending.push(change);
    this.#flush();
  }

  #flush(): void {
    const changes = this.#pending;
    try {
      // Immediate: a reader that turns writer may not wait for another writer, it fails at once.
      asking(() => this.#db.transaction(() => changes.forEach((change) => change())).immediate());
    } catch (error) {
      if (isBusy(error) || isCode(error, HELD_UP)) return;
      this.#pending = [];
      throw error;
    }
    this.#pending = [];
    this.#written = true;
  }
}

/** What SQLite says when it could not do its work, as opposed to when the file is not what it should be. */
const NOT_DAMAGE = /^SQLITE_(BUSY|LOCKED|FULL|IOERR|READONLY|CANTOPEN|NOMEM|PERM|AUTH|INTERRUPT|PROTOCOL)/;

const HELD_UP = /^SQLITE_(FULL|IOERR|READONLY)/;

function isBusy(error: unknown): boolean {
  return isCode(error, /^SQLITE_(BUSY|LOCKED)/);
}

function isCode(error: unknown, pattern: RegExp): boolean {
  return pattern.test((error as { readonly code?: string }).code ?? "");
}

function temporaryFolder(): string {
  try {
    return mkdtempSync(join(tmpdir(), "theta-index-"));
  } catch (error) {
    const message = `the temporary directory ${tmpdir()} cannot be written: ${systemErrorText(error)}`;
    const help = "name one that can be with TMPDIR";
    throw new Failure(EXIT.output, message, { code: "no-temporary-directory", help }, error);
  }
}

/** libsql has no code for a file that cannot be opened. */
function connect(Sqlite: typeof Database, path: string): Database.Database {
  try {
    return new Sqlite(path);
  } catch (error) {
    throw Object.assign(new Error(`${path} cannot be opened`, { cause: error }), { code: "SQLITE_CANTOPEN" });
  }
}

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
