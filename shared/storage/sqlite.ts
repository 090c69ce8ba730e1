// The Database port over better-sqlite3, the only importer of it.

import Sqlite from "better-sqlite3";
import { HeadwaterError, messageOf } from "../error.js";
import type { Cell, Database, OpenOptions, Row } from "./port.js";

/** As many processes may make one file at the same time. */
const WAL_ATTEMPTS_MAX = 16;

/** Opens (or creates) a database and brings its schema up to date. */
export function openSqlite(options: OpenOptions): Database {
  const database = attempt(options.path, "open", () => new Sqlite(options.path));
  try {
    configure(database, options);
    migrate(database, options);
    return new SqliteDatabase(database, options.path);
  } catch (error) {
    database.close();
    throw error;
  }
}

function configure(database: Sqlite.Database, options: OpenOptions): void {
  attempt(options.path, "configure", () => {
    keepWriteAheadLog(database);
    database.pragma(`synchronous = ${options.durability === "full" ? "FULL" : "NORMAL"}`);
    database.pragma("foreign_keys = ON");
    // Negative: KiB instead of pages.
    if (options.cacheBytes !== undefined)
      database.pragma(`cache_size = ${-Math.ceil(options.cacheBytes / 1024)}`);
    if (options.maxPages !== undefined) database.pragma(`max_page_count = ${options.maxPages}`);
  });
}

// Where two processes make one file at the same time, SQLite tells one of them at once that it is locked, whatever its timeout (it
// cannot wait for a lock while it holds the one that the other waits for). A transaction that writes nothing does wait.
function keepWriteAheadLog(database: Sqlite.Database): void {
  for (let attempts = 1; ; attempts++) {
    try {
      database.pragma("journal_mode = WAL");
      return;
    } catch (error) {
      const isBusy = error instanceof Sqlite.SqliteError && error.code === "SQLITE_BUSY";
      if (!isBusy || attempts === WAL_ATTEMPTS_MAX) throw error;
      database.transaction(() => undefined).immediate();
    }
  }
}

function migrate(database: Sqlite.Database, { path, migrations }: OpenOptions): void {
  const applied = Number(database.pragma("user_version", { simple: true }));
  if (applied > migrations.length) {
    throw new HeadwaterError(
      "storage-too-new",
      `${path} has schema version ${applied}, this Headwater knows ${migrations.length}: use a newer Headwater`,
    );
  }
  migrations.slice(applied).forEach((sql, index) => {
    const next = applied + index + 1;
    attempt(path, "migrate", () =>
      database
        .transaction(() => {
          // Another process may have been here meanwhile.
          if (Number(database.pragma("user_version", { simple: true })) >= next) return;
          database.exec(sql);
          database.pragma(`user_version = ${next}`);
        })
        .immediate(),
    );
  });
}

/**
 * Opens a database to read from while another process may write to it. Throws `storage-failed` when there is none, or
 * when its schema is not this Headwater's.
 */
export function openSqliteReadOnly({ path, migrations }: Pick<OpenOptions, "path" | "migrations">): Database {
  const database = attempt(path, "open", () => new Sqlite(path, { readonly: true, fileMustExist: true }));
  const applied = Number(database.pragma("user_version", { simple: true }));
  if (applied === migrations.length) return new SqliteDatabase(database, path);
  database.close();
  const message = `${path} has schema version ${applied}, this Headwater reads ${migrations.length}`;
  throw new HeadwaterError(applied > migrations.length ? "storage-too-new" : "storage-failed", message);
}

class SqliteDatabase implements Database {
  readonly #database: Sqlite.Database;
  readonly #path: string;
  readonly #statements = new Map<string, Sqlite.Statement<Cell[], Row>>();
  /** Made once: making a transaction costs more than beginning and ending it. */
  readonly #inTransaction: (body: () => void) => void;

  constructor(database: Sqlite.Database, path: string) {
    this.#database = database;
    this.#path = path;
    this.#inTransaction = database.transaction((body: () => void) => body()).immediate;
  }

  run(sql: string, ...cells: readonly Cell[]): number {
    return attempt(this.#path, sql, () => this.#prepare(sql).run(...cells).changes);
  }

  get(sql: string, ...cells: readonly Cell[]): Row | undefined {
    return attempt(this.#path, sql, () => this.#prepare(sql).get(...cells));
  }

  all(sql: string, ...cells: readonly Cell[]): readonly Row[] {
    return attempt(this.#path, sql, () => this.#prepare(sql).all(...cells));
  }

  iterate(sql: string, ...cells: readonly Cell[]): IterableIterator<Row> {
    return attempt(this.#path, sql, () => this.#prepare(sql).iterate(...cells));
  }

  transaction<Result>(body: () => Result): Result {
    return attempt(this.#path, "transaction", () => {
      let result: Result | undefined;
      this.#inTransaction(() => {
        result = body();
      });
      return result as Result; // the body has run, or the transaction has thrown
    });
  }

  close(): void {
    this.#database.close();
  }

  // Statements are few and fixed texts, so the cache is bounded by the source code.
  #prepare(sql: string): Sqlite.Statement<Cell[], Row> {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#database.prepare<Cell[], Row>(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }
}

function attempt<Result>(path: string, what: string, action: () => Result): Result {
  try {
    return action();
  } catch (error) {
    if (!(error instanceof Sqlite.SqliteError)) throw error;
    const code = error.code === "SQLITE_FULL" ? "storage-full" : "storage-failed";
    throw new HeadwaterError(
      code,
      `${path}: ${messageOf(error)} (${error.code}) during: ${firstLine(what)}`,
      {
        cause: error,
      },
    );
  }
}

function firstLine(text: string): string {
  return text.trim().split("\n", 1)[0]!.slice(0, 120);
}
