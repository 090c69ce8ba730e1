// The disk of one simulated machine: a database in memory that outlives the processes which open it, and may be
// full for a while.

import { HeadwaterError } from "../shared/error.js";
import type { Cell, Database, Migrations, Row } from "../shared/storage/port.js";
import { openSqlite } from "../shared/storage/sqlite.js";
import type { Life } from "./life.js";

// SQLite takes a limit below what is in use for "no page more".
const NO_PAGE_MORE = 1;
const PAGES_MAX = 1_073_741_823;

/** One database, and the lives that use it. */
export class Disk {
  readonly #database: Database;
  #revision = 0;
  #refusals = 0;
  #isFull = false;

  constructor(migrations: Migrations) {
    this.#database = openSqlite({ path: ":memory:", durability: "normal", migrations });
  }

  /** Grows with every write that reached the disk. */
  get revision(): number {
    return this.#revision;
  }

  /** Writes that found no room. */
  get refusals(): number {
    return this.#refusals;
  }

  get isFull(): boolean {
    return this.#isFull;
  }

  /** What is on the disk, whether or not a process runs: for whoever watches the simulation. */
  get content(): Pick<Database, "get" | "all"> {
    return this.#database;
  }

  /** From now on the disk has no room, or has it again. What is deleted makes room either way. */
  setFull(isFull: boolean): void {
    if (isFull === this.#isFull) return;
    this.#isFull = isFull;
    // Pages that lie free within the database would be room as well.
    if (isFull) this.#database.run("VACUUM");
    this.#database.get(`PRAGMA max_page_count = ${isFull ? NO_PAGE_MORE : PAGES_MAX}`);
  }

  /** The database as one process sees it, until that process is gone. */
  mount(life: Life): Database {
    return new MountedDisk(this.#database, life, (write) => this.#noteWrite(write));
  }

  #noteWrite<Result>(write: () => Result): Result {
    try {
      const result = write();
      this.#revision++;
      return result;
    } catch (error) {
      if (error instanceof HeadwaterError && error.code === "storage-full") this.#refusals++;
      throw error;
    }
  }

  /** Takes the disk apart, with all that is on it. */
  destroy(): void {
    this.#database.close();
  }
}

/** Does a write and keeps count of what came of it. */
type Note = <Result>(write: () => Result) => Result;

class MountedDisk implements Database {
  readonly #database: Database;
  readonly #life: Life;
  readonly #note: Note;
  #isInTransaction = false;

  constructor(database: Database, life: Life, note: Note) {
    this.#database = database;
    this.#life = life;
    this.#note = note;
  }

  run(sql: string, ...cells: readonly Cell[]): number {
    const action = () => this.#database.run(sql, ...cells);
    return this.#isInTransaction ? this.#life.read(action) : this.#write(action);
  }

  get(sql: string, ...cells: readonly Cell[]): Row | undefined {
    return this.#life.read(() => this.#database.get(sql, ...cells));
  }

  all(sql: string, ...cells: readonly Cell[]): readonly Row[] {
    return this.#life.read(() => this.#database.all(sql, ...cells));
  }

  iterate(sql: string, ...cells: readonly Cell[]): IterableIterator<Row> {
    return this.#life.read(() => this.#database.iterate(sql, ...cells));
  }

  transaction<Result>(body: () => Result): Result {
    return this.#write(() => {
      this.#isInTransaction = true;
      try {
        return this.#database.transaction(body);
      } finally {
        this.#isInTransaction = false;
      }
    });
  }

  /** A process that closes its database leaves it to the next one. */
  close(): void {}

  #write<Result>(action: () => Result): Result {
    return this.#life.write(() => this.#note(action));
  }
}
