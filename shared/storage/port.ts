// A small SQL database as a port: what the journal, the registry, the outbox and the example store stand on.
// Statements are synchronous as SQLite's are; the stores built on them are async in shape, so that another
// database can take their place.

/** What SQLite stores in one cell. */
export type Cell = number | string | Uint8Array | null;

/** One row, by column name. */
export type Row = Readonly<Record<string, Cell>>;

/** One open database. Every method throws HeadwaterError `storage-full` or `storage-failed`. */
export interface Database {
  /** Runs one statement; returns the number of rows changed. */
  run(sql: string, ...cells: readonly Cell[]): number;
  /** The first row of a query, or undefined. */
  get(sql: string, ...cells: readonly Cell[]): Row | undefined;
  /** All rows of a query. */
  all(sql: string, ...cells: readonly Cell[]): readonly Row[];
  /** Rows of a query one by one; no other statement may run on this database meanwhile. */
  iterate(sql: string, ...cells: readonly Cell[]): IterableIterator<Row>;
  /** Runs `body` in one transaction: all of it is stored, or nothing. Not nestable. */
  transaction<Result>(body: () => Result): Result;
  close(): void;
}

/** Schema changes in order; the database remembers how many it has applied. Applied ones never change. */
export type Migrations = readonly string[];

/** How much a commit survives: `full` a power cut, `normal` a crash of the process (and maybe a power cut). */
export type Durability = "full" | "normal";

/** Where a database lies and how it is opened. */
export interface OpenOptions {
  /** A file, or ":memory:". */
  readonly path: string;
  readonly durability: Durability;
  readonly migrations: Migrations;
  /** At most this many pages of 4096 bytes; beyond, writes throw `storage-full`. */
  readonly maxPages?: number;
  /** Memory for pages that were read; SQLite's own 2 MB if absent. */
  readonly cacheBytes?: number;
}
